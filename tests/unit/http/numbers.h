#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

// Metrics as /metrics would have them.
namespace content::testing {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Families {
 public:
  void Count(const std::string& name, double value, const Labels& labels = {}) {
    Metric(name, prometheus::MetricType::Counter, labels).counter.value = value;
  }

  void Gauge(const std::string& name, double value, const Labels& labels = {}) {
    Metric(name, prometheus::MetricType::Gauge, labels).gauge.value = value;
  }

  // `counts` are those of 0.1 s, 1 s and longer.
  void Histogram(const std::string& name, const std::vector<uint64_t>& counts,
                 const Labels& labels = {}) {
    prometheus::ClientMetric::Histogram& histogram =
        Metric(name, prometheus::MetricType::Histogram, labels).histogram;
    histogram.bucket.clear();
    histogram.sample_count = 0;
    const std::vector<double> bounds = {0.1, 1, std::numeric_limits<double>::infinity()};
    for (size_t i = 0; i < bounds.size(); ++i) {
      histogram.sample_count += counts.at(i);
      histogram.bucket.push_back({histogram.sample_count, bounds[i]});
    }
  }

  const std::vector<prometheus::MetricFamily>& all() const { return families_; }

 private:
  // Returns the metric with these labels; a new one if there is none.
  prometheus::ClientMetric& Metric(const std::string& name, prometheus::MetricType type,
                                   const Labels& labels) {
    std::vector<prometheus::ClientMetric::Label> wanted;
    for (const auto& [key, value] : labels) wanted.push_back({key, value});
    prometheus::MetricFamily& family = Family(name, type);
    for (prometheus::ClientMetric& metric : family.metric) {
      if (metric.label == wanted) return metric;
    }
    family.metric.push_back({});
    family.metric.back().label = std::move(wanted);
    return family.metric.back();
  }

  prometheus::MetricFamily& Family(const std::string& name, prometheus::MetricType type) {
    for (prometheus::MetricFamily& family : families_) {
      if (family.name == name) return family;
    }
    families_.push_back({name, "", type, {}});
    return families_.back();
  }

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace content::testing
