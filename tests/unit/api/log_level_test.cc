#include "api/log_level.h"

#include <gtest/gtest.h>

#include "google/protobuf/util/time_util.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

using google::protobuf::util::TimeUtil;

TEST(CheckOverrideLogLevel, TakesALevelForAWhile) {
  v1::OverrideLogLevelRequest request;
  request.set_level(v1::LOG_LEVEL_DEBUG);
  const absl::StatusOr<LevelOverride> by_default = CheckOverrideLogLevel(request);
  ASSERT_TRUE(by_default.ok());
  EXPECT_EQ(by_default->level, log::Level::kDebug);
  EXPECT_EQ(by_default->ttl, std::chrono::minutes(15));

  request.set_level(v1::LOG_LEVEL_ERROR);
  *request.mutable_ttl() = TimeUtil::MillisecondsToDuration(1'500);
  EXPECT_EQ(CheckOverrideLogLevel(request)->level, log::Level::kError);
  EXPECT_EQ(CheckOverrideLogLevel(request)->ttl, std::chrono::milliseconds(1'500));
}

TEST(CheckOverrideLogLevel, RefusesWhatIsNoLevelOrLastsTooLong) {
  v1::OverrideLogLevelRequest request;
  request.set_level(v1::LOG_LEVEL_INFO);
  for (const int64_t milliseconds : {int64_t{-1'000}, int64_t{0}, int64_t{999}, int64_t{86'400'001},
                                     int64_t{86'400'000'000'000}}) {
    *request.mutable_ttl() = TimeUtil::MillisecondsToDuration(milliseconds);
    EXPECT_EQ(Problems(CheckOverrideLogLevel(request)), "ttl must be 1s to 24h") << milliseconds;
  }
  *request.mutable_ttl() = TimeUtil::HoursToDuration(24);
  EXPECT_EQ(Problems(CheckOverrideLogLevel(request)), "");
  for (const int level : {0, 5, -1}) {
    request.set_level(static_cast<v1::LogLevel>(level));
    EXPECT_EQ(Problems(CheckOverrideLogLevel(request)),
              "level must be one of LOG_LEVEL_DEBUG to LOG_LEVEL_ERROR");
  }
}

TEST(CurrentLogInfo, SaysWhenAnOverrideEnds) {
  EXPECT_EQ(CurrentLogInfo().level(), v1::LOG_LEVEL_INFO);
  EXPECT_FALSE(CurrentLogInfo().has_expire_time());
  log::OverrideLevel(log::Level::kWarning, std::chrono::hours(1));
  EXPECT_EQ(CurrentLogInfo().level(), v1::LOG_LEVEL_WARNING);
  EXPECT_TRUE(CurrentLogInfo().has_expire_time());
  log::OverrideLevel(log::Level::kInfo, std::chrono::nanoseconds(1));
}

}  // namespace
}  // namespace content::api
