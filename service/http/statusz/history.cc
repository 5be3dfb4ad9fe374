#include "http/statusz/history.h"

#include <utility>

#include "absl/strings/string_view.h"
#include "http/statusz/failures.h"

namespace content::statusz {
namespace {

std::optional<double> Ratio(double part, double whole) {
  if (whole <= 0) return std::nullopt;
  return part / whole;
}

// Not for lack of memory or of a database, which the page tells otherwise.
double RefusedByQueues(const Numbers& numbers) {
  double refused = 0;
  for (const char* const reason : {"full", "account", "key"}) {
    refused += numbers.Sum("contentd_queue_refused_total", {{"reason", reason}});
  }
  return refused;
}

}  // namespace

std::optional<Sample> Sampler::Look(const Numbers& numbers, SteadyTime now) {
  Totals totals = Read(numbers, now);
  std::optional<Sample> sample;
  if (last_ && last_->at < now) sample = Between(*last_, totals);
  last_ = std::move(totals);
  return sample;
}

Sampler::Totals Sampler::Read(const Numbers& numbers, SteadyTime now) {
  // Streams last as long as their readers like, and end when their server stops.
  constexpr std::pair<absl::string_view, absl::string_view> kUnary = {"grpc_type", "unary"};
  return {.at = now,
          .calls = numbers.Sum("grpc_server_handled_total", {kUnary}),
          .failures = FailureCount(numbers, {kUnary}),
          .refused = RefusedByQueues(numbers),
          .refused_policies = numbers.Sum("contentd_policy_reload_failures_total"),
          .refused_certificates = numbers.Sum("contentd_certificate_reload_failures_total"),
          .hits = numbers.Sum("contentd_cache_hits_total"),
          .misses = numbers.Sum("contentd_cache_misses_total"),
          .latency = numbers.Histogram("grpc_server_handling_seconds", {kUnary}),
          .queue_wait = numbers.Histogram("contentd_queue_wait_seconds"),
          .database_time = numbers.Histogram("contentd_database_seconds")};
}

Sample Sampler::Between(const Totals& before, const Totals& after) {
  const double seconds = absl::ToDoubleSeconds(after.at - before.at);
  const double hits = after.hits - before.hits;
  const Distribution latency = after.latency.Since(before.latency);
  return {.at = after.at,
          .calls_per_second = (after.calls - before.calls) / seconds,
          .failures_per_second = (after.failures - before.failures) / seconds,
          .refused_per_second = (after.refused - before.refused) / seconds,
          .median_latency = latency.Quantile(0.5),
          .slow_latency = latency.Quantile(0.99),
          .hit_ratio = Ratio(hits, hits + after.misses - before.misses),
          .queue_wait = after.queue_wait.Since(before.queue_wait).Quantile(0.99),
          .database_time = after.database_time.Since(before.database_time).Quantile(0.99),
          .policy_is_refused = after.refused_policies > before.refused_policies,
          .certificates_are_refused = after.refused_certificates > before.refused_certificates};
}

void History::Add(const Sample& sample) {
  const std::lock_guard lock(mutex_);
  if (samples_.size() < kMaxSamples) {
    samples_.push_back(sample);
    return;
  }
  samples_[next_] = sample;
  next_ = (next_ + 1) % kMaxSamples;
}

std::vector<Sample> History::List() const {
  const std::lock_guard lock(mutex_);
  const auto oldest = samples_.begin() + static_cast<std::ptrdiff_t>(next_);
  std::vector<Sample> samples(oldest, samples_.end());
  samples.insert(samples.end(), samples_.begin(), oldest);
  return samples;
}

}  // namespace content::statusz
