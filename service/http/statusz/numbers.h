#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace content::statusz {

/// A histogram, or what it has gained since an earlier look.
struct Distribution {
  struct Bucket {
    double upper_bound;
    double count;  // of all values up to the bound
  };
  std::vector<Bucket> buckets;  // by bound; the last one is infinite

  /// Adds one with the same bounds.
  void Add(const Distribution& other);

  /// Returns what has been added since `before`, which has the same bounds or none.
  Distribution Since(const Distribution& before) const;

  /// Returns the value that the part `ratio` of all values does not exceed, estimated as
  /// Prometheus's histogram_quantile does. nullopt if there are no values.
  std::optional<double> Quantile(double ratio) const;
};

/// The numbers of /metrics at one moment, by the names that they have there.
class Numbers {
 public:
  /// Labels that a metric must have.
  using Labels = std::initializer_list<std::pair<absl::string_view, absl::string_view>>;

  explicit Numbers(std::vector<prometheus::MetricFamily> families);

  /// Returns the sum of the counters or gauges `name` with these labels; nullopt if there are none.
  std::optional<double> Find(absl::string_view name, Labels labels = {}) const;

  /// The same, but 0 if there are none.
  double Sum(absl::string_view name, Labels labels = {}) const {
    return Find(name, labels).value_or(0);
  }

  /// Returns the sums for each value of the label `by`.
  std::map<std::string, double> SumBy(absl::string_view by, absl::string_view name,
                                      Labels labels = {}) const;

  /// Returns the sum of the histograms `name` with these labels.
  Distribution Histogram(absl::string_view name, Labels labels = {}) const;

  /// Returns the value of a label of the first metric `name`; empty if there is none.
  std::string Label(absl::string_view name, absl::string_view label) const;

 private:
  void ForEach(absl::string_view name, Labels labels,
               absl::FunctionRef<void(const prometheus::ClientMetric&)> action) const;

  std::map<std::string, prometheus::MetricFamily, std::less<>> families_;
};

}  // namespace content::statusz
