#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "store/audit/audit_fixture.h"

namespace content::store {
namespace {

using ::testing::SizeIs;

constexpr absl::Duration kOneDay = absl::Hours(24);

class ForgetAuditEventsTest : public AuditTest {
 protected:
  // Returns the number of events forgotten by one step; -1 if it fails.
  int64_t Forget(absl::Duration retention) {
    return Await<int64_t>(
               [&](auto done) { store_->ForgetAuditEvents({}, retention, std::move(done)); })
        .value_or(-1);
  }

  absl::Time Now() {
    int64_t micros = 0;
    EXPECT_TRUE(absl::SimpleAtoi(
        Sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"), &micros));
    return absl::FromUnixMicros(micros);
  }
};

TEST_F(ForgetAuditEventsTest, ForgetsOldEventsOnly) {
  const absl::Time now = Now();
  Insert(2, now - 3 * kOneDay, "old");
  Insert(1, now - 2 * kOneDay - absl::Minutes(1), "old");
  Insert(3, now - 2 * kOneDay + absl::Minutes(1), "young");
  Insert(1, now + kOneDay, "young");
  EXPECT_EQ(Forget(2 * kOneDay), 3);
  EXPECT_EQ(Forget(2 * kOneDay), 0);
  EXPECT_THAT(Events(), SizeIs(4));
  EXPECT_THAT(Events({.caller = "young"}), SizeIs(4));
}

TEST_F(ForgetAuditEventsTest, ForgetsALimitedNumberAtATime) {
  Insert(1203, Now() - 3 * kOneDay);
  EXPECT_EQ(Forget(2 * kOneDay), 1000);
  EXPECT_EQ(Forget(2 * kOneDay), 203);
  EXPECT_EQ(Forget(2 * kOneDay), 0);
}

TEST_F(ForgetAuditEventsTest, ForEverIsForEver) {
  Insert(1, absl::UnixEpoch());
  EXPECT_EQ(Forget(absl::InfiniteDuration()), 0);
  EXPECT_EQ(Forget(100'000 * kOneDay), 0);
}

TEST_F(ForgetAuditEventsTest, TheLongestRetentionHoldsADayLonger) {
  Insert(1, Now() - 3 * kOneDay);
  EXPECT_EQ(Forget(10 * kOneDay), 0);
  EXPECT_EQ(Forget(2 * kOneDay), 0);
  Sql("UPDATE audit_retention SET used_time = used_time - interval '23 hours'");
  EXPECT_EQ(Forget(2 * kOneDay), 0);
  Sql("UPDATE audit_retention SET used_time = used_time - interval '2 hours'");
  EXPECT_EQ(Forget(2 * kOneDay), 1);
  EXPECT_EQ(Sql("SELECT string_agg(retention::text, ' ') FROM audit_retention"), "48:00:00");
}

TEST_F(ForgetAuditEventsTest, WhoeverComesFirstAfterAnOutageKeepsWhatOthersKeep) {
  Insert(1, Now() - 3 * kOneDay);
  EXPECT_EQ(Forget(10 * kOneDay), 0);
  EXPECT_EQ(Forget(2 * kOneDay), 0);
  Sql("UPDATE audit_retention SET used_time = used_time - interval '11 minutes'");
  EXPECT_EQ(Forget(2 * kOneDay), 0);
}

}  // namespace
}  // namespace content::store
