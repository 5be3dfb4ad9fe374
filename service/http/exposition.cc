#include "http/exposition.h"

#include <prometheus/text_serializer.h>

#include <cstdint>
#include <limits>

namespace content::http {

using prometheus::MetricType;

Family& Family::Add(const metrics::Histogram& histogram, const Labels& labels) {
  const metrics::Histogram::Reading reading = histogram.Read();
  prometheus::ClientMetric::Histogram& shown = NewMetric(labels).histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    cumulative += reading.counts[i];
    const double bound =
        i < reading.bounds.size() ? reading.bounds[i] : std::numeric_limits<double>::infinity();
    shown.bucket.push_back({.cumulative_count = cumulative, .upper_bound = bound});
  }
  shown.sample_count = cumulative;
  shown.sample_sum = reading.sum;
  return *this;
}

prometheus::ClientMetric& Family::NewMetric(const Labels& labels) {
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  for (const auto& [name, value] : labels) metric.label.push_back({.name = name, .value = value});
  return metric;
}

void Family::AddValue(double value, const Labels& labels) {
  prometheus::ClientMetric& metric = NewMetric(labels);
  (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

Family& Exposition::Counter(absl::string_view name, absl::string_view help) {
  return NewFamily(name, help, MetricType::Counter);
}

Family& Exposition::Gauge(absl::string_view name, absl::string_view help) {
  return NewFamily(name, help, MetricType::Gauge);
}

Family& Exposition::Histogram(absl::string_view name, absl::string_view help) {
  return NewFamily(name, help, MetricType::Histogram);
}

std::vector<prometheus::MetricFamily> Exposition::Families() && {
  std::vector<prometheus::MetricFamily> families;
  families.reserve(families_.size());
  for (Family& family : families_) families.push_back(std::move(family.family_));
  return families;
}

std::string Exposition::Text() && {
  return prometheus::TextSerializer().Serialize(std::move(*this).Families());
}

Family& Exposition::NewFamily(absl::string_view name, absl::string_view help, MetricType type) {
  return families_.emplace_back(prometheus::MetricFamily{
      .name = std::string(name), .help = std::string(help), .type = type, .metric = {}});
}

}  // namespace content::http
