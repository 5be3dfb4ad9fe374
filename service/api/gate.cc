#include "api/gate.h"

namespace content::api {

bool Gate::Enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  ++inside_;
  return true;
}

void Gate::Leave() {
  const std::lock_guard lock(mutex_);
  if (--inside_ == 0) left_.notify_all();
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

}  // namespace content::api
