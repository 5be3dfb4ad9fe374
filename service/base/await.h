#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/time/time.h"
#include "base/call.h"
#include "base/clock.h"

namespace content {

/// Starts an asynchronous call and blocks until it is answered. `start` is called with the call's
/// Callback<T>:
///
///   absl::StatusOr<v1::Comment> comment =
///       Await<v1::Comment>([&](auto done) { store.GetComment({}, id, std::move(done)); });
///
/// Returns DEADLINE_EXCEEDED if no answer comes within `timeout` on `clock`, and CANCELLED if
/// `stop` is requested first. A later answer is dropped. Must not be called on the thread that
/// gives the answer.
template <class T, class Start>
typename Callback<T>::Answer Await(Start start, absl::Duration timeout = absl::InfiniteDuration(),
                                   const std::stop_token& stop = {},
                                   SteadyClock& clock = SteadyClock::System()) {
  // Shared with the callback, which may outlive this call.
  struct Slot {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::optional<typename Callback<T>::Answer> answer;  // Guarded by mutex.
  };
  const auto slot = std::make_shared<Slot>();
  const SteadyTime end = clock.Now() + timeout;
  start(Callback<T>([slot](typename Callback<T>::Answer answer) {
    const std::lock_guard lock(slot->mutex);
    slot->answer = std::move(answer);
    slot->changed.notify_one();
  }));
  std::unique_lock lock(slot->mutex);
  clock.WaitUntil(end, lock, slot->changed, stop, [&slot] { return slot->answer.has_value(); });
  if (slot->answer) return *std::move(slot->answer);
  if (stop.stop_requested()) return Cancelled();
  return DeadlineExceeded();
}

}  // namespace content
