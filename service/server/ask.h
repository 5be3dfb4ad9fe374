#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/time/time.h"

namespace content::server {

/// Asks with `ask`, which is given a callback for the answer, and waits for it: at most `patience`,
/// and not after a stop. Nothing if it did not come; it may still come later, to nobody.
template <class Answer, class Ask>
std::optional<Answer> AskAndWait(const std::stop_token& stop, absl::Duration patience, Ask ask) {
  struct Slot {
    std::mutex mutex;
    std::condition_variable_any filled;
    std::optional<Answer> answer;
  };
  auto slot = std::make_shared<Slot>();
  ask([slot](Answer answer) {
    const std::lock_guard lock(slot->mutex);
    slot->answer = std::move(answer);
    slot->filled.notify_one();
  });
  std::unique_lock lock(slot->mutex);
  slot->filled.wait_for(lock, stop, absl::ToChronoMilliseconds(patience),
                        [&slot] { return slot->answer.has_value(); });
  return std::move(slot->answer);
}

}  // namespace content::server
