#include "base/call_trace.h"

#include <algorithm>
#include <iterator>

namespace content {

void CallTrace::Coverage::Add(SteadyTime start, SteadyTime end) {
  start = std::max(start, before_);
  if (end <= start) return;
  // Those that the new one touches become one with it.
  const auto first = std::find_if(intervals_.begin(), intervals_.end(),
                                  [&](const Interval& other) { return other.end >= start; });
  const auto last = std::find_if(first, intervals_.end(),
                                 [&](const Interval& other) { return other.start > end; });
  if (first != last) {
    start = std::min(start, first->start);
    end = std::max(end, std::prev(last)->end);
  }
  intervals_.insert(intervals_.erase(first, last), {.start = start, .end = end});
  if (intervals_.size() <= kMaxSteps) return;
  earlier_ += intervals_.front().end - intervals_.front().start;
  before_ = intervals_.front().end;
  intervals_.erase(intervals_.begin());
}

absl::Duration CallTrace::Coverage::Total() const {
  absl::Duration total = earlier_;
  for (const Interval& interval : intervals_) total += interval.end - interval.start;
  return total;
}

void CallTrace::Add(const Step& step) {
  const std::lock_guard lock(mutex_);
  coverages_[static_cast<size_t>(step.kind)].Add(step.start, step.end);
  if (step.kind == Kind::kDatabase) largest_batch_ = std::max(largest_batch_, step.batch_size);
  const size_t limit = step.kind == Kind::kStatement ? kMaxStatements : kMaxSteps;
  if (steps_.size() < limit) steps_.push_back(step);
}

absl::Duration CallTrace::Total(Kind kind) const {
  const std::lock_guard lock(mutex_);
  return coverages_[static_cast<size_t>(kind)].Total();
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
