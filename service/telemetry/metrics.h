#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include "absl/time/time.h"

// Numbers that many threads count at once, for operators. To count takes no lock and a few
// nanoseconds, because threads count in shards, each with cache lines of its own. To read adds the
// shards up. A number that is read while others count may miss what they are just counting; it
// never goes back. All are thread-safe.
//
// Each room has its numbers as members. Who shows them, and under which names, is not known here
// (http/metrics_page.cc).
namespace content::metrics {

namespace internal {

inline constexpr size_t kShards = 16;
inline constexpr size_t kCacheLine = 64;

/// Returns the shard of a new thread. Threads get them in turn.
size_t NextShard();

inline size_t ShardOfThread() {
  static constinit thread_local size_t shard = kShards;
  if (shard == kShards) [[unlikely]]
    shard = NextShard();
  return shard;
}

}  // namespace internal

/// Counters of `kCount` kinds of the same event. `Kind` is an enum, or an integer, from 0 to
/// kCount - 1. Kinds of one thread share cache lines.
template <class Kind, size_t kCount>
class Counters {
 public:
  Counters() = default;

  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  void Add(Kind kind, uint64_t count = 1) {
    At(shards_[internal::ShardOfThread()], kind).fetch_add(count, std::memory_order_relaxed);
  }

  uint64_t Read(Kind kind) const {
    uint64_t sum = 0;
    for (const Shard& shard : shards_) sum += At(shard, kind).load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(internal::kCacheLine) Shard {
    std::array<std::atomic<uint64_t>, kCount> counts;
  };

  template <class AnyShard>
  static auto& At(AnyShard& shard, Kind kind) {
    return shard.counts[static_cast<size_t>(kind)];
  }

  std::array<Shard, internal::kShards> shards_;
};

/// Counts events.
class Counter {
 public:
  void Add(uint64_t count = 1) { counters_.Add(0, count); }
  uint64_t Read() const { return counters_.Read(0); }

 private:
  Counters<size_t, 1> counters_;
};

/// A number that somebody learns from time to time.
class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }

  /// Returns the last value that was set; NaN if none was.
  double Read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = std::numeric_limits<double>::quiet_NaN();
};

/// How many values are how large.
class Histogram {
 public:
  static constexpr size_t kMaxBounds = 14;

  /// Counts apart the values up to each of `bounds`, which rise, and those above all. There may be
  /// kMaxBounds.
  Histogram(std::initializer_list<double> bounds);

  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void Observe(double value) {
    size_t bucket = 0;
    while (bucket < bound_count_ && value > bounds_[bucket]) ++bucket;
    Shard& shard = shards_[internal::ShardOfThread()];
    shard.counts[bucket].fetch_add(1, std::memory_order_relaxed);
    shard.sum.fetch_add(value, std::memory_order_relaxed);
  }

  /// Observes a time, in seconds.
  void Observe(absl::Duration value) { Observe(absl::ToDoubleSeconds(value)); }

  struct Reading {
    std::vector<double> bounds;
    /// The values up to each bound and above the bound before it; then those above all bounds.
    std::vector<uint64_t> counts;
    double sum = 0;

    uint64_t count() const;
  };

  Reading Read() const;

 private:
  struct alignas(internal::kCacheLine) Shard {
    std::array<std::atomic<uint64_t>, kMaxBounds + 1> counts;
    std::atomic<double> sum = 0;
  };

  size_t bound_count_ = 0;
  std::array<double, kMaxBounds> bounds_{};
  std::array<Shard, internal::kShards> shards_;
};

/// The bounds of a histogram of times, in seconds, from what is answered from memory to what has
/// taken too long.
inline constexpr std::initializer_list<double> kSeconds = {
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

}  // namespace content::metrics
