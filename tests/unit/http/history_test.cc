#include "http/statusz/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "unit/http/numbers.h"

namespace content::statusz {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const testing::Labels kOk = {{"grpc_type", "unary"}, {"grpc_code", "OK"}};
const testing::Labels kInternal = {{"grpc_type", "unary"}, {"grpc_code", "Internal"}};
const testing::Labels kRefused = {{"grpc_type", "unary"}, {"grpc_code", "ResourceExhausted"}};
const testing::Labels kStream = {{"grpc_type", "server_stream"}, {"grpc_code", "Unavailable"}};

TEST(SamplerTest, TellsWhatHappenedSinceTheLastLook) {
  testing::Families families;
  families.Count("grpc_server_handled_total", 100, kOk);
  families.Count("contentd_cache_hits_total", 1000);
  families.Histogram("grpc_server_handling_seconds", {0, 100, 0}, {{"grpc_type", "unary"}});
  Sampler sampler;
  const SteadyTime start;
  EXPECT_FALSE(sampler.Look(Numbers(families.all()), start).has_value());

  families.Count("grpc_server_handled_total", 140, kOk);
  families.Count("grpc_server_handled_total", 8, kInternal);
  families.Count("grpc_server_handled_total", 2, kRefused);
  families.Count("grpc_server_handled_total", 1000, kStream);
  families.Count("contentd_queue_refused_total", 1, {{"pool", "reads"}, {"reason", "full"}});
  families.Count("contentd_queue_refused_total", 1, {{"pool", "reads"}, {"reason", "account"}});
  families.Count("contentd_queue_refused_total", 9, {{"pool", "reads"}, {"reason", "breaker"}});
  families.Count("contentd_policy_reload_failures_total", 5);
  families.Count("contentd_cache_hits_total", 1030);
  families.Count("contentd_cache_misses_total", 10);
  families.Histogram("grpc_server_handling_seconds", {50, 100, 0}, {{"grpc_type", "unary"}});
  families.Histogram("grpc_server_handling_seconds", {0, 0, 9}, {{"grpc_type", "server_stream"}});
  families.Histogram("contentd_queue_wait_seconds", {0, 10, 0});
  const std::optional<Sample> sample =
      sampler.Look(Numbers(families.all()), start + absl::Seconds(5));
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->at, start + absl::Seconds(5));
  EXPECT_EQ(sample->calls_per_second, 10);
  EXPECT_EQ(sample->failures_per_second, 8 / 5.0);
  EXPECT_EQ(sample->refused_per_second, 2 / 5.0);
  EXPECT_EQ(sample->hit_ratio, 0.75);
  EXPECT_DOUBLE_EQ(*sample->median_latency, 0.05);
  EXPECT_DOUBLE_EQ(*sample->slow_latency, 0.099);
  EXPECT_DOUBLE_EQ(*sample->queue_wait, 0.991);
  EXPECT_FALSE(sample->database_time.has_value());
  EXPECT_TRUE(sample->policy_is_refused);
  EXPECT_FALSE(sample->certificates_are_refused);
}

TEST(SamplerTest, WithoutCallsThereIsNoLatency) {
  Sampler sampler;
  sampler.Look(Numbers({}), SteadyTime());
  const std::optional<Sample> sample = sampler.Look(Numbers({}), SteadyTime() + absl::Seconds(5));
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->calls_per_second, 0);
  EXPECT_FALSE(sample->median_latency.has_value());
  EXPECT_FALSE(sample->hit_ratio.has_value());
}

Sample SampleAt(size_t index) {
  return {.at = SteadyTime() + static_cast<int64_t>(index) * History::kInterval};
}

TEST(HistoryTest, KeepsTheSamplesOfAnHour) {
  EXPECT_EQ(static_cast<int64_t>(History::kMaxSamples) * History::kInterval, absl::Hours(1));
  History history;
  EXPECT_THAT(history.List(), IsEmpty());
  const size_t count = 2 * History::kMaxSamples + 7;
  for (size_t i = 0; i < count; ++i) {
    history.Add(SampleAt(i));
    ASSERT_THAT(history.List(), SizeIs(std::min(i + 1, History::kMaxSamples)));
    EXPECT_EQ(history.List().back().at, SampleAt(i).at);
  }
  const std::vector<Sample> samples = history.List();
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].at, SampleAt(count - History::kMaxSamples + i).at);
  }
}

}  // namespace
}  // namespace content::statusz
