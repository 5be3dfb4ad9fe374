#include "http/statusz/statusz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "support/fake_clock.h"
#include "unit/http/numbers.h"

namespace content::statusz {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StatuszTest : public ::testing::Test {
 protected:
  StatuszTest() {
    SetDatabase(true);
    SetCalls(0);
    clock_.AwaitWaiters(1);
  }

  void SetCalls(double count) {
    const std::lock_guard lock(mutex_);
    families_.Count("grpc_server_handled_total", count,
                    {{"grpc_type", "unary"}, {"grpc_code", "OK"}});
  }

  void SetDatabase(bool is_up) {
    const std::lock_guard lock(mutex_);
    families_.Gauge("contentd_database_up", is_up ? 1 : 0);
  }

  // Returns when it has looked at the numbers and waits again.
  void Advance(absl::Duration duration) {
    {
      const std::lock_guard lock(mutex_);
      now_ += duration;
    }
    clock_.Advance(duration);
    clock_.AwaitWaiters(1);
  }

  std::vector<prometheus::MetricFamily> ReadNumbers() {
    const std::lock_guard lock(mutex_);
    return families_.all();
  }

  absl::Time Now() {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  std::mutex mutex_;
  testing::Families families_;  // Guarded by mutex_.
  absl::Time now_ = absl::FromCivil(absl::CivilHour(2026, 11, 29, 14), absl::UTCTimeZone());
  testing::FakeClock clock_;
  Statusz statusz_{{.numbers = [this] { return ReadNumbers(); },
                    .phase = [] { return Phase::kServing; },
                    .events =
                        [] {
                          return std::vector<log::RecentEvent>{
                              {log::Level::kError, "disk on fire", "", 1, absl::UnixEpoch()}};
                        },
                    .now = [this] { return Now(); },
                    .clock = &clock_}};
};

TEST_F(StatuszTest, ShowsTheNumbersAsTheyAreNow) {
  EXPECT_THAT(statusz_.Page(), HasSubstr("Serving. Everything is well."));
  EXPECT_THAT(statusz_.Page(), HasSubstr("disk on fire"));
  SetDatabase(false);
  EXPECT_THAT(statusz_.Page(), Not(HasSubstr("Serving. Everything is well.")));
}

TEST_F(StatuszTest, KnowsSinceWhenAlthoughNobodyHasLooked) {
  SetDatabase(false);
  Advance(History::kInterval);
  Advance(10 * History::kInterval);
  EXPECT_THAT(statusz_.Page(), HasSubstr("has not been usable since 14:00:05."));
}

TEST_F(StatuszTest, AProcessThatDoesNotServeSaysWhy) {
  testing::Families families;
  families.Gauge("process_start_time_seconds", 1e9);
  EXPECT_THAT(PageOutOfService(families.all(), Phase::kStarting),
              HasSubstr("Starting: the server has waited for its database, or prepared it, since "
                        "2001-09-09 01:46."));
  EXPECT_THAT(PageOutOfService(families.all(), Phase::kStopping),
              HasSubstr("Stopping: clients are being sent to other servers."));
}

TEST_F(StatuszTest, SamplesTheNumbers) {
  EXPECT_THAT(statusz_.Page(), HasSubstr("Calls per second. Now none, at most none."));
  SetCalls(500);
  Advance(History::kInterval);
  EXPECT_THAT(statusz_.Page(), HasSubstr("Calls per second. Now 100, at most 100."));
  Advance(History::kInterval);
  EXPECT_THAT(statusz_.Page(), HasSubstr("Calls per second. Now 0, at most 100."));
}

}  // namespace
}  // namespace content::statusz
