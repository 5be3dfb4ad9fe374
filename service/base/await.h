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

/// Starts an asynchronous call with `start`, which is given the call's Callback<T>, and blocks
/// until it is answered:
///
///   absl::StatusOr<v1::Comment> comment =
///       Await<v1::Comment>([&](auto done) { store.GetComment({}, id, std::move(done)); });
///
/// DEADLINE_EXCEEDED if no answer comes within `timeout` on `clock`, CANCELLED if `stop` is
/// requested before that. An answer that comes later is dropped.
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
