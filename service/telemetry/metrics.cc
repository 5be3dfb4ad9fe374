#include "telemetry/metrics.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace content::metrics {

size_t internal::NextShard() {
  static std::atomic<size_t> next = 0;
  return next.fetch_add(1, std::memory_order_relaxed) % kShards;
}

Histogram::Histogram(std::initializer_list<double> bounds) : bound_count_(bounds.size()) {
  assert(bounds.size() <= kMaxBounds);
  std::copy(bounds.begin(), bounds.end(), bounds_.begin());
}

uint64_t Histogram::Reading::count() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

Histogram::Reading Histogram::Read() const {
  Reading reading{.bounds = {bounds_.begin(), bounds_.begin() + bound_count_},
                  .counts = std::vector<uint64_t>(bound_count_ + 1)};
  for (const Shard& shard : shards_) {
    for (size_t bucket = 0; bucket <= bound_count_; ++bucket) {
      reading.counts[bucket] += shard.counts[bucket].load(std::memory_order_relaxed);
    }
    reading.sum += shard.sum.load(std::memory_order_relaxed);
  }
  return reading;
}

}  // namespace content::metrics
