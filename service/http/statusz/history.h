#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "http/statusz/numbers.h"

namespace content::statusz {

/// What the server did between two looks at its numbers. A value is nullopt if nothing happened
/// that would have one.
struct Sample {
  SteadyTime at;  ///< The later look.
  // Of unary calls.
  std::optional<double> calls_per_second = std::nullopt;
  std::optional<double> failures_per_second = std::nullopt;
  std::optional<double> refused_per_second = std::nullopt;  ///< because too many were waiting
  std::optional<double> median_latency = std::nullopt;      ///< in seconds
  std::optional<double> slow_latency = std::nullopt;        ///< in seconds, the 99th percentile
  std::optional<double> hit_ratio = std::nullopt;
  // In seconds, the 99th percentile.
  std::optional<double> queue_wait = std::nullopt;
  std::optional<double> database_time = std::nullopt;
  // Whether changed files were found to be invalid.
  bool policy_is_refused = false;
  bool certificates_are_refused = false;
};

/// Makes samples. Not thread-safe.
class Sampler {
 public:
  /// Returns what happened since the last call; nullopt for the first one.
  std::optional<Sample> Look(const Numbers& numbers, SteadyTime now);

 private:
  struct Totals {
    SteadyTime at;
    double calls;
    double failures;
    double refused;
    double refused_policies;
    double refused_certificates;
    double hits;
    double misses;
    Distribution latency;
    Distribution queue_wait;
    Distribution database_time;
  };

  static Totals Read(const Numbers& numbers, SteadyTime now);
  static Sample Between(const Totals& before, const Totals& after);

  std::optional<Totals> last_;
};

/// The last samples, as many as are made in an hour. Thread-safe.
class History {
 public:
  static constexpr absl::Duration kInterval = absl::Seconds(5);
  static constexpr size_t kMaxSamples = 720;

  void Add(const Sample& sample);

  /// Returns the samples, the oldest first.
  std::vector<Sample> List() const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_. A ring once it is full: `next_` is then the place of the oldest sample.
  std::vector<Sample> samples_;
  size_t next_ = 0;
};

}  // namespace content::statusz
