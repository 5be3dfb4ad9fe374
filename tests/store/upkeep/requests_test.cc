#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "base/digest.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

constexpr char kRequestId[] = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";

// Fingerprint of a request.
const std::string kThis = absl::BytesToHexString(Digest({"this"}));

class ForgetRequestsTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  NewComment MakeRequest() {
    NewComment comment = MakeComment("post", "once");
    comment.request = {kRequestId, kThis};
    return comment;
  }

  ForgottenRequests Forget(absl::Duration retention) {
    auto forgotten = Await<ForgottenRequests>(
        [&](auto done) { store_->ForgetRequests({}, retention, std::move(done)); });
    EXPECT_TRUE(forgotten.ok()) << forgotten.status();
    return forgotten.value_or(ForgottenRequests());
  }

  // Makes the stored requests older.
  void Age(int days) { Sql(absl::StrCat("UPDATE request SET create_day = create_day - ", days)); }

  // The partitions for days, as number of days from today, and whether there is a default.
  std::string Days() {
    return Sql(
        "SELECT string_agg(coalesce(to_date(substring(relname FROM '[0-9]+'), 'YYYYMMDD') - "
        "(now() AT TIME ZONE 'UTC')::date, NULL)::text, ' ' ORDER BY relname) "
        "FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = 'request'::regclass AND relname <> 'request_default'");
  }

  // Makes the partition of a day, given as number of days from today.
  void MakeDay(int day) {
    const std::string date = Sql(absl::StrCat("SELECT (now() AT TIME ZONE 'UTC')::date + ", day));
    const std::string next =
        Sql(absl::StrCat("SELECT (now() AT TIME ZONE 'UTC')::date + ", day + 1));
    Sql(absl::StrCat("CREATE TABLE request_", absl::StrReplaceAll(date, {{"-", ""}}),
                     " PARTITION OF request FOR VALUES FROM ('", date, "') TO ('", next, "')"));
  }

  // As after weeks in which no server ran.
  void DropDays() {
    while (!Days().empty()) {
      Sql("DO $$ DECLARE day regclass; BEGIN SELECT inhrelid INTO day FROM pg_inherits JOIN "
          "pg_class "
          "ON pg_class.oid = inhrelid WHERE inhparent = 'request'::regclass "
          "AND relname <> 'request_default' LIMIT 1; EXECUTE 'DROP TABLE ' || day; END $$");
    }
  }

  // Refuses new tables on an SQL condition, as if making them took too long.
  void RefuseTables(const std::string& condition) {
    Sql("CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF " +
        condition + " THEN RAISE 'made up' USING ERRCODE = 'query_canceled'; END IF; END $$");
    Sql("CREATE EVENT TRIGGER refuses ON ddl_command_start WHEN TAG IN ('CREATE TABLE') "
        "EXECUTE FUNCTION refuse()");
  }

  // The number of days that request_default must not have.
  std::string CountExcludedDays() {
    return Sql(
        "SELECT count(*) FROM pg_constraint WHERE conrelid = 'request_default'::regclass "
        "AND contype = 'c'");
  }

  std::string Count() { return Sql("SELECT count(*) FROM request"); }
};

constexpr absl::Duration kDay = absl::Hours(24);

TEST_F(ForgetRequestsTest, DropsDaysThatEndedLongAgo) {
  for (const int day : {-3, -2, -1}) MakeDay(day);
  ASSERT_TRUE(Create(MakeRequest()).ok());
  Age(3);
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  // Yesterday ended less than a day ago.
  EXPECT_EQ(Forget(kDay).count, 2);
  EXPECT_EQ(Days(), "-1 0 1 2 3");
  EXPECT_EQ(Forget(kDay).count, 0);
  EXPECT_EQ(Count(), "1") << "the record of the second article";
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 3) << "it was forgotten, and done again";
}

TEST_F(ForgetRequestsTest, MakesTheDaysToCome) {
  EXPECT_EQ(Days(), "0 1 2");
  Forget(kDay);
  EXPECT_EQ(Days(), "0 1 2 3");
  EXPECT_EQ(Sql("SELECT reloptions FROM pg_class WHERE relkind = 'r' AND relname ~ 'request_[0-9]' "
                "ORDER BY relname DESC LIMIT 1"),
            "{autovacuum_enabled=off}");
}

TEST_F(ForgetRequestsTest, WritesDoNotNeedTheDaysToBeThere) {
  DropDays();
  ASSERT_TRUE(Create(MakeRequest()).ok());
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2) << "the same comment";
  Forget(kDay);
  EXPECT_EQ(Days(), "2 3") << "today has begun without a partition";
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2);
  Age(3);
  Age(1);
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  EXPECT_EQ(Forget(kDay).count, 1);
  EXPECT_EQ(Count(), "1");
}

TEST_F(ForgetRequestsTest, TheLongestRetentionWins) {
  for (const int day : {-2, -1}) MakeDay(day);
  ASSERT_TRUE(Create(MakeRequest()).ok());
  Age(2);
  EXPECT_EQ(store_->RequestRetention(), absl::ZeroDuration());
  EXPECT_EQ(Forget(3 * kDay).retention, 3 * kDay);
  const ForgottenRequests forgotten = Forget(absl::Seconds(1));
  EXPECT_EQ(forgotten.count, 0);
  EXPECT_EQ(forgotten.retention, 3 * kDay);
  EXPECT_EQ(store_->RequestRetention(), 3 * kDay);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2);
}

TEST_F(ForgetRequestsTest, ARetentionEndsWhenNoRequestWasPromisedIt) {
  for (const int day : {-1}) MakeDay(day);
  ASSERT_TRUE(Create(MakeRequest()).ok());
  Age(1);
  Forget(kDay);
  // The last server that had it is gone.
  Sql("UPDATE request_retention SET used_time = used_time - interval '23 hours'");
  EXPECT_EQ(Forget(absl::Seconds(1)).retention, kDay) << "requests may still be younger";
  Sql("UPDATE request_retention SET used_time = used_time - interval '2 hours'");
  const ForgottenRequests forgotten = Forget(absl::Seconds(1));
  EXPECT_EQ(forgotten.retention, absl::Seconds(1));
  EXPECT_EQ(forgotten.count, 1);
  EXPECT_EQ(Count(), "0");
}

TEST_F(ForgetRequestsTest, ConcurrentCallsDoNotDisturbOneAnother) {
  for (int day = -9; day < 0; ++day) MakeDay(day);
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) callers.emplace_back([&] { Forget(kDay); });
  }
  EXPECT_EQ(Days(), "-1 0 1 2 3");
}

// Whatever holds a lock on the table, such as a backup: writes wait for 50 ms, and not soon again.
TEST_F(ForgetRequestsTest, GivesUpOnLockedDaysAndTriesAgainLater) {
  for (const int day : {-3, -2}) MakeDay(day);
  testing::Session session(url_);
  session.Run("BEGIN; SELECT FROM request");
  EXPECT_EQ(Forget(kDay).count, 0);
  ASSERT_TRUE(Create(MakeRequest()).ok());
  session.Run("COMMIT");
  EXPECT_EQ(Forget(kDay).count, 0);
  EXPECT_EQ(Days(), "-3 -2 0 1 2");
  store_ = *Open(url_);
  EXPECT_EQ(Forget(kDay).count, 2);
  EXPECT_EQ(Days(), "0 1 2 3");
}

TEST_F(ForgetRequestsTest, ForgetsAlthoughDaysCannotBeMade) {
  DropDays();
  ASSERT_TRUE(Create(MakeRequest()).ok());
  Age(3);
  MakeDay(-2);
  RefuseTables("true");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Forget(kDay).count, 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("request days not kept up"));
  EXPECT_EQ(Days(), "");
  EXPECT_EQ(Count(), "0");
}

// To make a day, PostgreSQL would read all requests that have none, while writes wait, unless a
// constraint tells that they are not of this day.
TEST_F(ForgetRequestsTest, MakesDaysBesideRequestsWithoutReadingThem) {
  DropDays();
  ASSERT_TRUE(Create(MakeRequest()).ok());
  RefuseTables(
      "NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'request_default'::regclass "
      "AND contype = 'c' AND convalidated)");
  Forget(kDay);
  EXPECT_EQ(Days(), "2 3");
  EXPECT_EQ(CountExcludedDays(), "0");
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2) << "the same comment";
}

// As if the clock of the database had been set back.
TEST_F(ForgetRequestsTest, DoesNotMakeADayOfWhichThereAreRequests) {
  DropDays();
  ASSERT_TRUE(Create(MakeRequest()).ok());
  Age(-2);
  RefuseTables(
      "EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'request_default'::regclass "
      "AND contype = 'c' HAVING NOT bool_or(convalidated))");
  Forget(kDay);
  EXPECT_EQ(Days(), "3");
}

// Another server died while it made days.
TEST_F(ForgetRequestsTest, MakesTheDaysThatWereExcluded) {
  DropDays();
  ASSERT_TRUE(Create(MakeRequest()).ok());
  RefuseTables("true");
  Forget(kDay);
  EXPECT_EQ(CountExcludedDays(), "1");
  Sql("DROP EVENT TRIGGER refuses");
  store_ = *Open(url_);
  Forget(kDay);
  EXPECT_EQ(Days(), "2 3");
  EXPECT_EQ(CountExcludedDays(), "0");
}

TEST_F(ForgetRequestsTest, NoDayBeginsExcluded) {
  const std::string tomorrow = Sql("SELECT (now() AT TIME ZONE 'UTC')::date + 1");
  Sql(absl::StrCat("ALTER TABLE request_default ADD CONSTRAINT request_default_without_",
                   absl::StrReplaceAll(tomorrow, {{"-", ""}}), " CHECK (create_day <> '", tomorrow,
                   "') NOT VALID"));
  ASSERT_EQ(CountExcludedDays(), "1");
  Forget(kDay);
  EXPECT_EQ(CountExcludedDays(), "0");
}

TEST_F(ForgetRequestsTest, ReportsThatItMayNotChangeTheDays) {
  for (const int day : {-3, -2}) MakeDay(day);
  const std::string url = testing::UrlOfNewRole(url_);
  Sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PUBLIC");
  const auto store = *Open(url);
  ::testing::internal::CaptureStderr();
  const auto forgotten = Await<ForgottenRequests>(
      [&](auto done) { store->ForgetRequests({}, kDay, std::move(done)); });
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(forgotten->count, 0);
  EXPECT_THAT(logged, ::testing::HasSubstr("request days not kept up"));
  EXPECT_THAT(logged, ::testing::HasSubstr("must be owner of table"));
}

}  // namespace
}  // namespace content::store
