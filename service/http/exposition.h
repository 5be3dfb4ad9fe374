#pragma once

#include <prometheus/metric_family.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "telemetry/metrics.h"

namespace content::http {

/// Names and values that tell the metrics of a family apart.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// The metrics of one name. Belongs to an Exposition.
class Family {
 public:
  explicit Family(prometheus::MetricFamily family) : family_(std::move(family)) {}

  /// Adds a counter or a gauge. Those of one family have the same labels with different values.
  template <class Number>
  Family& Add(Number value, const Labels& labels = {}) {
    AddValue(static_cast<double>(value), labels);
    return *this;
  }

  /// Adds a histogram.
  Family& Add(const metrics::Histogram& histogram, const Labels& labels = {});

 private:
  friend class Exposition;

  prometheus::ClientMetric& NewMetric(const Labels& labels);
  void AddValue(double value, const Labels& labels);

  prometheus::MetricFamily family_;
};

/// Metrics, and how the text format of Prometheus has them:
///
///   Exposition page;
///   page.Counter("grpc_server_started_total", "Calls.").Add(7, {{"grpc_type", "unary"}});
///   page.Gauge("contentd_ready", "Whether ...").Add(1);
///   std::move(page).Text();
///
/// `help` is one line.
class Exposition {
 public:
  static constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

  Family& Counter(absl::string_view name, absl::string_view help);
  Family& Gauge(absl::string_view name, absl::string_view help);
  Family& Histogram(absl::string_view name, absl::string_view help);

  std::vector<prometheus::MetricFamily> Families() &&;

  std::string Text() &&;

 private:
  Family& NewFamily(absl::string_view name, absl::string_view help, prometheus::MetricType type);

  std::deque<Family> families_;
};

}  // namespace content::http
