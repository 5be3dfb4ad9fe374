#include "http/statusz/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace content::statusz {
namespace {

using prometheus::ClientMetric;

absl::string_view LabelOf(const ClientMetric& metric, absl::string_view name) {
  for (const ClientMetric::Label& label : metric.label) {
    if (label.name == name) return label.value;
  }
  return "";
}

bool HasLabels(const ClientMetric& metric, Numbers::Labels labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    return LabelOf(metric, label.first) == label.second;
  });
}

// Of the two, a metric has only the one of its family's type; the other is 0.
double ValueOf(const ClientMetric& metric) { return metric.counter.value + metric.gauge.value; }

// A gauge that nobody has set is NaN.
bool IsKnown(const ClientMetric& metric) { return !std::isnan(ValueOf(metric)); }

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Distribution ToDistribution(const ClientMetric::Histogram& histogram) {
  Distribution distribution;
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    distribution.buckets.push_back(
        {bucket.upper_bound, static_cast<double>(bucket.cumulative_count)});
  }
  // The infinite one may be left out.
  if (distribution.buckets.empty() || distribution.buckets.back().upper_bound < kInfinity) {
    distribution.buckets.push_back({kInfinity, static_cast<double>(histogram.sample_count)});
  }
  return distribution;
}

}  // namespace

void Distribution::Add(const Distribution& other) {
  if (buckets.empty()) {
    buckets = other.buckets;
    return;
  }
  for (size_t i = 0; i < std::min(buckets.size(), other.buckets.size()); ++i) {
    buckets[i].count += other.buckets[i].count;
  }
}

Distribution Distribution::Since(const Distribution& before) const {
  Distribution gained = *this;
  for (size_t i = 0; i < std::min(buckets.size(), before.buckets.size()); ++i) {
    gained.buckets[i].count -= before.buckets[i].count;
  }
  return gained;
}

std::optional<double> Distribution::Quantile(double ratio) const {
  if (buckets.empty() || buckets.back().count <= 0) return std::nullopt;
  const double rank = ratio * buckets.back().count;
  double lower_bound = 0;
  double lower_count = 0;
  for (const auto& [upper_bound, count] : buckets) {
    // Nothing is known about values in the last bucket but that they exceed the bound before it.
    if (upper_bound == kInfinity) break;
    if (count >= rank && count > lower_count) {
      return lower_bound +
             (upper_bound - lower_bound) * (rank - lower_count) / (count - lower_count);
    }
    lower_bound = upper_bound;
    lower_count = count;
  }
  return lower_bound;
}

Numbers::Numbers(std::vector<prometheus::MetricFamily> families) {
  for (prometheus::MetricFamily& family : families) {
    std::string name = family.name;
    families_.emplace(std::move(name), std::move(family));
  }
}

std::optional<double> Numbers::Find(absl::string_view name, Labels labels) const {
  std::optional<double> sum;
  ForEach(name, labels, [&](const ClientMetric& metric) {
    if (IsKnown(metric)) sum = sum.value_or(0) + ValueOf(metric);
  });
  return sum;
}

std::map<std::string, double> Numbers::SumBy(absl::string_view by, absl::string_view name,
                                             Labels labels) const {
  std::map<std::string, double> sums;
  ForEach(name, labels, [&](const ClientMetric& metric) {
    if (IsKnown(metric)) sums[std::string(LabelOf(metric, by))] += ValueOf(metric);
  });
  return sums;
}

Distribution Numbers::Histogram(absl::string_view name, Labels labels) const {
  Distribution sum;
  ForEach(name, labels,
          [&](const ClientMetric& metric) { sum.Add(ToDistribution(metric.histogram)); });
  return sum;
}

std::string Numbers::Label(absl::string_view name, absl::string_view label) const {
  const auto family = families_.find(name);
  if (family == families_.end() || family->second.metric.empty()) return "";
  return std::string(LabelOf(family->second.metric.front(), label));
}

void Numbers::ForEach(absl::string_view name, Labels labels,
                      absl::FunctionRef<void(const ClientMetric&)> action) const {
  const auto family = families_.find(name);
  if (family == families_.end()) return;
  for (const ClientMetric& metric : family->second.metric) {
    if (HasLabels(metric, labels)) action(metric);
  }
}

}  // namespace content::statusz
