#include "http/exposition.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "telemetry/metrics.h"

namespace content::http {
namespace {

TEST(Exposition, WritesEachFamilyWithItsHelpAndType) {
  Exposition page;
  page.Counter("calls_total", "Calls that arrived.")
      .Add(7, {{"method", "Get"}, {"code", "OK"}})
      .Add(uint64_t{1} << 40, {{"method", "List"}, {"code", "OK"}});
  page.Gauge("ready", "Whether it is.").Add(true);
  page.Gauge("lag_seconds", "Nobody knows any.");
  EXPECT_EQ(std::move(page).Text(),
            "# HELP calls_total Calls that arrived.\n"
            "# TYPE calls_total counter\n"
            "calls_total{method=\"Get\",code=\"OK\"} 7\n"
            "calls_total{method=\"List\",code=\"OK\"} 1099511627776\n"
            "# HELP ready Whether it is.\n"
            "# TYPE ready gauge\n"
            "ready 1\n"
            "# HELP lag_seconds Nobody knows any.\n"
            "# TYPE lag_seconds gauge\n");
}

TEST(Exposition, EscapesValuesOfLabels) {
  Exposition page;
  page.Gauge("lag", "Lag.").Add(0.5, {{"name", "a \"b\" \\ c\nd"}});
  EXPECT_EQ(std::move(page).Text(),
            "# HELP lag Lag.\n"
            "# TYPE lag gauge\n"
            "lag{name=\"a \\\"b\\\" \\\\ c\\nd\"} 0.5\n");
}

TEST(Exposition, BucketsOfHistogramsCountAllSmallerValues) {
  metrics::Histogram histogram{0.5, 2};
  for (const double value : {0.25, 0.5, 1.0, 8.0}) histogram.Observe(value);
  Exposition page;
  page.Histogram("size", "Sizes.").Add(histogram, {{"kind", "x"}});
  EXPECT_EQ(std::move(page).Text(),
            "# HELP size Sizes.\n"
            "# TYPE size histogram\n"
            "size_count{kind=\"x\"} 4\n"
            "size_sum{kind=\"x\"} 9.75\n"
            "size_bucket{kind=\"x\",le=\"0.5\"} 2\n"
            "size_bucket{kind=\"x\",le=\"2\"} 3\n"
            "size_bucket{kind=\"x\",le=\"+Inf\"} 4\n");
}

}  // namespace
}  // namespace content::http
