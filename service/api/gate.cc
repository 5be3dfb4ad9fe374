#include "api/gate.h"

namespace content::api {

Gate::Pass Gate::Enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return Pass();
  ++inside_;
  return Pass(this);
}

void Gate::Close(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  left_.wait_for(lock, absl::ToChronoNanoseconds(timeout), [this] { return inside_ == 0; });
}

void Gate::AwaitEmpty() {
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return inside_ == 0; });
}

// Notifies under the lock: the gate may be destroyed as soon as the lock is released.
void Gate::Leave() {
  const std::lock_guard lock(mutex_);
  if (--inside_ == 0) left_.notify_all();
}

}  // namespace content::api
