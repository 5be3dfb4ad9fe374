#include "api/calls_in_flight.h"

namespace content::api {

CallsInFlight::Token CallsInFlight::Add() {
  const std::lock_guard lock(mutex_);
  ++count_;
  return Token(this);
}

int CallsInFlight::AwaitNone(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  const auto is_none = [this] { return count_ == 0; };
  if (timeout == absl::InfiniteDuration()) {
    none_.wait(lock, is_none);
  } else {
    none_.wait_for(lock, absl::ToChronoNanoseconds(timeout), is_none);
  }
  return count_;
}

void CallsInFlight::Keep(HeldAnswer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (is_holding_) return held_.push_back(std::move(answer));
  }
  answer();
}

void CallsInFlight::HoldAnswers() {
  const std::lock_guard lock(mutex_);
  is_holding_ = true;
}

void CallsInFlight::ReleaseAnswers() {
  std::vector<HeldAnswer> held;
  {
    const std::lock_guard lock(mutex_);
    is_holding_ = false;
    held = std::exchange(held_, {});
  }
  for (HeldAnswer& answer : held) answer();
}

// Notifies under the lock: the counter may be destroyed as soon as the lock is released.
void CallsInFlight::Remove() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

}  // namespace content::api
