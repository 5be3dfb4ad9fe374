#include "http/statusz/numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>

#include "unit/http/numbers.h"

namespace content::statusz {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(NumbersTest, AddsUpWhatHasTheLabels) {
  testing::Families families;
  families.Count("calls", 1, {{"method", "A"}, {"code", "OK"}});
  families.Count("calls", 2, {{"method", "A"}, {"code", "Internal"}});
  families.Count("calls", 4, {{"method", "B"}, {"code", "OK"}});
  const Numbers numbers(families.all());
  EXPECT_EQ(numbers.Sum("calls"), 7);
  EXPECT_EQ(numbers.Sum("calls", {{"method", "A"}}), 3);
  EXPECT_EQ(numbers.Sum("calls", {{"method", "A"}, {"code", "OK"}}), 1);
  EXPECT_THAT(numbers.SumBy("code", "calls"), ElementsAre(Pair("Internal", 2), Pair("OK", 5)));
  EXPECT_THAT(numbers.SumBy("code", "calls", {{"method", "B"}}), ElementsAre(Pair("OK", 4)));
}

TEST(NumbersTest, WhatIsNotThereIsNotZero) {
  testing::Families families;
  families.Gauge("skew", std::numeric_limits<double>::quiet_NaN());
  families.Gauge("timeline", 0);
  const Numbers numbers(families.all());
  EXPECT_EQ(numbers.Find("lag"), std::nullopt);
  EXPECT_EQ(numbers.Sum("lag"), 0);
  EXPECT_EQ(numbers.Find("skew"), std::nullopt);
  EXPECT_EQ(numbers.Find("timeline"), 0);
  EXPECT_EQ(numbers.Histogram("lag").Quantile(0.5), std::nullopt);
}

TEST(NumbersTest, TellsLabelsOfTheFirstMetric) {
  testing::Families families;
  families.Gauge("build_info", 1, {{"version", "1.2.3"}});
  const Numbers numbers(families.all());
  EXPECT_EQ(numbers.Label("build_info", "version"), "1.2.3");
  EXPECT_EQ(numbers.Label("build_info", "commit"), "");
  EXPECT_EQ(numbers.Label("other_info", "version"), "");
}

TEST(NumbersTest, EstimatesQuantiles) {
  testing::Families families;
  families.Histogram("seconds", {50, 40, 10});
  const Distribution seconds = Numbers(families.all()).Histogram("seconds");
  EXPECT_DOUBLE_EQ(*seconds.Quantile(0.25), 0.05);
  EXPECT_DOUBLE_EQ(*seconds.Quantile(0.5), 0.1);
  EXPECT_DOUBLE_EQ(*seconds.Quantile(0.7), 0.1 + 0.9 * 20 / 40);
  EXPECT_DOUBLE_EQ(*seconds.Quantile(0.99), 1);  // at least
}

TEST(NumbersTest, HistogramsAddUpAndHaveGains) {
  testing::Families families;
  families.Histogram("seconds", {1, 0, 0}, {{"pool", "read"}});
  families.Histogram("seconds", {2, 4, 0}, {{"pool", "write"}});
  const Distribution before = Numbers(families.all()).Histogram("seconds");
  EXPECT_EQ(before.buckets.back().count, 7);
  families.Histogram("seconds", {1, 10, 0}, {{"pool", "read"}});
  const Distribution gain = Numbers(families.all()).Histogram("seconds").Since(before);
  EXPECT_EQ(gain.buckets.front().count, 0);
  EXPECT_EQ(gain.buckets.back().count, 10);
  EXPECT_DOUBLE_EQ(*gain.Quantile(0.5), 0.1 + 0.9 / 2);
  EXPECT_EQ(before.Since(before).Quantile(0.5), std::nullopt);
}

}  // namespace
}  // namespace content::statusz
