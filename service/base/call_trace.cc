#include "base/call_trace.h"

#include <algorithm>

namespace content {

void CallTrace::Add(const Step& step) {
  const std::lock_guard lock(mutex_);
  auto& [total, covered_until] = sums_[static_cast<size_t>(step.kind)];
  total += std::max(step.end - std::max(step.start, covered_until), absl::ZeroDuration());
  covered_until = std::max(covered_until, step.end);
  if (step.kind == Kind::kDatabase) largest_batch_ = std::max(largest_batch_, step.batch_size);
  const size_t limit = step.kind == Kind::kStatement ? kMaxStatements : kMaxSteps;
  if (steps_.size() < limit) steps_.push_back(step);
}

absl::Duration CallTrace::Total(Kind kind) const {
  const std::lock_guard lock(mutex_);
  return sums_[static_cast<size_t>(kind)].total;
}

size_t CallTrace::LargestBatch() const {
  const std::lock_guard lock(mutex_);
  return largest_batch_;
}

std::vector<CallTrace::Step> CallTrace::Steps() const {
  const std::lock_guard lock(mutex_);
  return steps_;
}

}  // namespace content
