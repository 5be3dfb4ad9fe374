#include "postgres/migrator.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/schema_history.h"
#include "postgres/schema_watch.h"
#include "support/await_that.h"
#include "support/database.h"
#include "support/proxy.h"

namespace content::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<Migration> kFirst = {{1, "0001_one", "CREATE TABLE one ()"}};
const std::vector<Migration> kBoth = {{1, "0001_one", "CREATE TABLE one ()"},
                                      {2, "0002_two", "CREATE TABLE two (n integer)"}};

class MigratorTest : public ::testing::Test {
 protected:
  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
};

TEST_F(MigratorTest, AppliesWhatIsMissing) {
  EXPECT_THAT(*Migrate(url_, kFirst), ElementsAre("0001_one"));
  EXPECT_THAT(*Migrate(url_, kBoth), ElementsAre("0002_two"));
  EXPECT_THAT(*Migrate(url_, kBoth), IsEmpty());
  testing::Query(url_, "SELECT FROM one, two");
}

TEST_F(MigratorTest, ReportsWhatItBegins) {
  std::vector<std::string> lines;
  const auto report = [&](absl::string_view line) { lines.emplace_back(line); };
  ASSERT_TRUE(Migrate(url_, kBoth, {.report = report}).ok());
  ASSERT_TRUE(Migrate(url_, kBoth, {.report = report}).ok());
  EXPECT_THAT(lines, ElementsAre("0001_one", "0002_two"));
}

TEST_F(MigratorTest, ChecksTheSchema) {
  EXPECT_THAT(std::string(CheckSchema(url_, kFirst).message()), HasSubstr("schema version 0"));
  ASSERT_TRUE(Migrate(url_, kFirst).ok());
  EXPECT_TRUE(CheckSchema(url_, kFirst).ok());
  const absl::Status old = CheckSchema(url_, kBoth);
  EXPECT_EQ(old.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(old.message()), HasSubstr("schema version 1"));
}

TEST_F(MigratorTest, RefusesANewerSchemaAndChangedFiles) {
  ASSERT_TRUE(Migrate(url_, kBoth).ok());
  const std::vector<Migration> changed = {{1, "0001_one", "CREATE TABLE another ()"}, kBoth[1]};
  for (const auto& known : {kFirst, changed}) {
    EXPECT_EQ(Migrate(url_, known).status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(CheckSchema(url_, known).code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST_F(MigratorTest, AMigrationThatFailsLeavesNothing) {
  const std::vector<Migration> broken = {
      {1, "0001_broken", "CREATE TABLE one (); SELECT nonsense"}};
  const absl::Status status = Migrate(url_, broken).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("nonsense"));
  EXPECT_THAT(*Migrate(url_, kFirst), ElementsAre("0001_one"));
}

// So that a process that stops in between holds no lock.
TEST_F(MigratorTest, CommitsInTheRoundTripThatRunsAStep) {
  testing::Proxy proxy(url_);
  proxy.CutNextCommit(testing::Proxy::Cut::kBeforeCommit);
  EXPECT_THAT(*Migrate(proxy.url(), kFirst), ElementsAre("0001_one"));
}

// While nobody is served, a step waits longer than PostgreSQL needs to cancel an autovacuum that is
// in the way.
TEST_F(MigratorTest, WaitsBrieflyForLocksWhileServersAreConnected) {
  const std::vector<Migration> with_limits = {
      kFirst[0],
      {2, "0002_limits",
       "-- compatible: yes\n-- step: transaction\n"
       "CREATE TABLE seen AS SELECT current_setting('lock_timeout')::interval AS lock, "
       "current_setting('deadlock_timeout')::interval AS deadlock"}};
  for (const bool has_servers : {false, true}) {
    const std::string url = testing::NewDatabase(/*migrated=*/false);
    ASSERT_TRUE(Migrate(url, kFirst).ok());
    const testing::Session session(has_servers ? ServerDsn(url, 1) : url);
    ASSERT_TRUE(Migrate(url, with_limits).ok());
    EXPECT_EQ(testing::Query(url, "SELECT lock > deadlock FROM seen"), has_servers ? "f" : "t");
  }
}

// ---- Databases that do not fit ----

// Both must fail with this code and with a message that contains this text.
void ExpectRefused(const std::string& url, absl::StatusCode code, const std::string& text) {
  for (const absl::Status& status : {Migrate(url, kFirst).status(), CheckSchema(url, kFirst)}) {
    EXPECT_EQ(status.code(), code);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
}

TEST_F(MigratorTest, RefusesADatabaseOfAnotherEncoding) {
  for (const char* encoding : {"LATIN1", "SQL_ASCII", "EUC_JP"}) {
    const std::string url = testing::NewDatabaseWith(
        absl::StrCat("TEMPLATE template0 LOCALE 'C' ENCODING '", encoding, "'"));
    ExpectRefused(url, absl::StatusCode::kFailedPrecondition,
                  absl::StrCat("encoded in ", encoding, "; contentd needs UTF8"));
  }
}

TEST_F(MigratorTest, AnyLocaleWillDo) {
  const std::string url = testing::NewDatabaseWith("TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'");
  EXPECT_TRUE(Migrate(url, kFirst).ok());
  EXPECT_TRUE(CheckSchema(url, kFirst).ok());
}

TEST_F(MigratorTest, WithNothingToDoOnlyReads) {
  ASSERT_TRUE(Migrate(url_, kFirst).ok());
  const std::string reader = testing::UrlOfNewRole(url_);
  testing::Query(url_, "GRANT SELECT ON schema_migration TO PUBLIC");
  for (const std::string& url : {reader, url_ + " options='-c default_transaction_read_only=on'"}) {
    EXPECT_THAT(*Migrate(url, kFirst), IsEmpty());
    EXPECT_TRUE(CheckSchema(url, kFirst).ok());
    EXPECT_EQ(Migrate(url, kBoth).status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST_F(MigratorTest, SaysWhyItCannotSeeTheSchema) {
  testing::Query(url_, "CREATE SCHEMA app");
  ASSERT_TRUE(Migrate(url_ + " options='-c search_path=app'", kFirst).ok());
  ExpectRefused(url_, absl::StatusCode::kFailedPrecondition, "the schema app, which is not in");
  const std::string other = testing::UrlOfNewRole(url_);
  const std::string name = testing::Query(other, "SELECT current_user");
  ExpectRefused(other, absl::StatusCode::kFailedPrecondition, "GRANT USAGE ON SCHEMA app");
  testing::Query(url_, "ALTER ROLE " + name + " SET search_path = app");
  ExpectRefused(other, absl::StatusCode::kFailedPrecondition, "GRANT USAGE ON SCHEMA app");
  testing::Query(url_, "GRANT USAGE ON SCHEMA app TO PUBLIC");
  ExpectRefused(other, absl::StatusCode::kFailedPrecondition, "may not read");
  testing::Query(url_, "GRANT SELECT ON app.schema_migration TO PUBLIC");
  EXPECT_TRUE(CheckSchema(other, kFirst).ok());
}

TEST_F(MigratorTest, AdviceIsSql) {
  testing::Query(url_, "CREATE SCHEMA \"my-App\"");
  ASSERT_TRUE(Migrate(url_ + " options='-c search_path=\"my-App\"'", kFirst).ok());
  ExpectRefused(url_, absl::StatusCode::kFailedPrecondition, "SET search_path = \"my-App\"");
  ExpectRefused(testing::UrlOfNewRole(url_), absl::StatusCode::kFailedPrecondition,
                "GRANT USAGE ON SCHEMA \"my-App\" to it");
}

TEST_F(MigratorTest, DoesNotShowASchemaThatTheUrlNames) {
  testing::Query(url_, "CREATE SCHEMA leak; CREATE SCHEMA other");
  const std::string leak = " options='-c search_path=leak'";
  const std::string role = testing::UrlOfNewRole(url_) + leak;
  const auto expect_hidden = [&role](const std::string& text) {
    for (const absl::Status& status : {Migrate(role, kFirst).status(), CheckSchema(role, kFirst)}) {
      EXPECT_FALSE(status.ok());
      EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("leak")));
      EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    }
  };
  EXPECT_THAT(std::string(Migrate(role, kFirst).status().message()), HasSubstr("search_path"));
  testing::Query(url_, "GRANT USAGE ON SCHEMA leak TO PUBLIC");
  EXPECT_THAT(std::string(Migrate(role, kFirst).status().message()), HasSubstr("lacks a right"));
  expect_hidden("");
  testing::Query(url_, "REVOKE USAGE ON SCHEMA leak FROM PUBLIC");
  ASSERT_TRUE(Migrate(url_ + leak, kFirst).ok());
  expect_hidden("may not use");
}

// Each has a schema of its own in one database.
TEST_F(MigratorTest, InstallationsDoNotStandInEachOthersWay) {
  for (const bool has_usage : {false, true}) {
    const std::string url = testing::NewDatabase(/*migrated=*/false);
    std::vector<std::string> roles;
    for (int i = 0; i < 3; ++i) {
      const std::string& role = roles.emplace_back(testing::UrlOfNewRole(url));
      const std::string name = testing::Query(role, "SELECT current_user");
      testing::Query(url, absl::StrCat("CREATE SCHEMA ", name, " AUTHORIZATION ", name));
      if (has_usage)
        testing::Query(url, absl::StrCat("GRANT USAGE ON SCHEMA ", name, " TO PUBLIC"));
    }
    for (const std::string& role : roles)
      EXPECT_THAT(*Migrate(role, kFirst), ElementsAre("0001_one"));
    for (const std::string& role : roles) {
      EXPECT_THAT(*Migrate(role, kBoth), ElementsAre("0002_two"));
      EXPECT_TRUE(CheckSchema(role, kBoth).ok());
    }
  }
}

TEST_F(MigratorTest, ATableOfAnotherProgramIsNotOurs) {
  testing::Query(url_, "CREATE SCHEMA rails; CREATE TABLE rails.schema_migration (version text)");
  EXPECT_THAT(*Migrate(url_, kFirst), ElementsAre("0001_one"));
}

TEST_F(MigratorTest, TellsWhetherWaitingMayHelp) {
  const auto permanent = absl::StatusCode::kFailedPrecondition;
  ExpectRefused(url_ + " dbname=nowhere", permanent, "does not exist (SQLSTATE 3D000)");
  ExpectRefused(url_ + " user=nobody-at-all", permanent, "refuses the user");
  ExpectRefused(url_ + " sslmode=wrong", permanent, "an option of the connection string is wrong");
  ExpectRefused(url_ + " options='-c no_such_setting=1'", permanent, "refuses a setting");
  ExpectRefused(url_ + " options='-c role=nothing'", permanent, "refuses a setting");
  ExpectRefused(testing::UrlOfNewRole(url_) + " options='-c role=content'", permanent,
                "a right that a setting");
  ExpectRefused(url_ + " requirepeer=nobody-at-all", permanent, "requirepeer");
  ExpectRefused(url_ + " ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
                permanent, "no common version");
  ExpectRefused("host=localhost port=1 sslmode=require", absl::StatusCode::kUnavailable,
                "nothing listens");
  ExpectRefused("host=/nowhere", absl::StatusCode::kUnavailable, "nothing listens");
  ExpectRefused("host=nowhere.invalid", absl::StatusCode::kUnavailable, "cannot be resolved");
  const testing::Outage outage(url_);
  ExpectRefused(url_, absl::StatusCode::kUnavailable, "accepts no connections at present");
}

TEST_F(MigratorTest, ConcurrentProcessesTakeTurns) {
  std::vector<std::jthread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([this] { EXPECT_TRUE(Migrate(url_, kBoth).ok()); });
  }
}

// Programs that knew of no steps made the history with four columns.
TEST_F(MigratorTest, AnOldHistoryIsUnderstood) {
  ASSERT_TRUE(Migrate(url_, kFirst).ok());
  testing::Query(url_,
                 "ALTER TABLE schema_migration DROP is_compatible, DROP steps_left, "
                 "DROP batch_cursor, DROP row_count");
  EXPECT_TRUE(CheckSchema(url_, kFirst).ok());
  EXPECT_THAT(*Migrate(url_, kBoth), ElementsAre("0002_two"));
  EXPECT_TRUE(CheckSchema(url_, kBoth).ok());
}

// ---- Steps ----

constexpr char kItems[] =
    "CREATE TABLE item (id integer PRIMARY KEY, old text NOT NULL DEFAULT 'x');"
    "CREATE TABLE run (what text);"
    "INSERT INTO item SELECT generate_series(1, 3000); ANALYZE item";

// A step of each kind. `run` tells how often each was committed.
constexpr char kSteps[] = R"sql(-- Items have a new column.
-- compatible: yes
-- step: transaction
ALTER TABLE item ADD COLUMN new text;
INSERT INTO run VALUES ('add');
-- step: batches of item
WITH batch AS (
  SELECT id FROM item WHERE id > (SELECT coalesce(nullif($2, '')::integer, 0)) ORDER BY id LIMIT $1
), changed AS (
  UPDATE item SET new = old WHERE id IN (SELECT id FROM batch)
), ran AS (
  INSERT INTO run SELECT 'batch ' || count(*) FROM batch
)
SELECT count(*) AS rows, max(id)::text AS cursor FROM batch
-- step: index item_by_new
CREATE INDEX CONCURRENTLY item_by_new ON item (new);
-- step: transaction
ALTER TABLE item ADD CONSTRAINT new_is_there CHECK (new IS NOT NULL) NOT VALID;
-- step: no transaction
ALTER TABLE item VALIDATE CONSTRAINT new_is_there;
-- step: transaction
INSERT INTO run VALUES ('last');
)sql";
constexpr int kStepCount = 6;

const std::vector<Migration> kItemsOnly = {{1, "0001_items", kItems}};
const std::vector<Migration> kItemsInSteps = {kItemsOnly[0], {2, "0002_new", kSteps}};

// Every migration that is under way in the database of `url` loses its connections.
void Interrupt(const std::string& url) {
  testing::Query(url,
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                 "datname = current_database() AND application_name LIKE 'contentd migrate%'");
}

class StepsTest : public MigratorTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Migrate(url_, kItemsOnly).ok()); }

  std::string Sql(const std::string& sql) { return testing::Query(url_, sql); }

  // Everything must have been done, and what was committed once.
  void ExpectDone() {
    EXPECT_TRUE(CheckSchema(url_, kItemsInSteps).ok());
    EXPECT_EQ(Sql("SELECT count(*) FROM item WHERE new = old"), "3000");
    EXPECT_EQ(Sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'item_by_new'::regclass"),
              "t");
    EXPECT_EQ(Sql("SELECT convalidated FROM pg_constraint WHERE conname = 'new_is_there'"), "t");
    EXPECT_EQ(Sql("SELECT string_agg(what, ' ') FROM run WHERE what IN ('add', 'last')"),
              "add last");
    EXPECT_EQ(Sql("SELECT sum(substring(what FROM '[0-9]+')::integer) FROM run"), "3000");
  }
};

TEST_F(StepsTest, AreAllApplied) {
  std::vector<std::string> lines;
  const auto report = [&](absl::string_view line) { lines.emplace_back(line); };
  const auto applied = Migrate(url_, kItemsInSteps, {.report = report});
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(*applied, ElementsAre("0002_new"));
  ExpectDone();
  EXPECT_THAT(lines, ElementsAre("0002_new, step 1 of 6", "0002_new, step 2 of 6: rows of item",
                                 "0002_new, step 2 of 6: 500 of about 3000 rows of item",
                                 "0002_new, step 3 of 6: making the index item_by_new",
                                 "0002_new, step 4 of 6", "0002_new, step 5 of 6",
                                 "0002_new, step 6 of 6"));
  EXPECT_THAT(*Migrate(url_, kItemsInSteps), IsEmpty());
}

TEST_F(StepsTest, AreContinuedWhereTheyWereInterrupted) {
  for (int step = 1; step <= kStepCount; ++step) {
    const std::string begin = absl::StrCat("0002_new, step ", step, " of");
    const auto interrupt = [&](absl::string_view line) {
      if (absl::StartsWith(line, begin)) Interrupt(url_);
    };
    EXPECT_EQ(Migrate(url_, kItemsInSteps, {.report = interrupt}).status().code(),
              absl::StatusCode::kUnavailable)
        << step;
    const std::string message(CheckSchema(url_, kItemsInSteps).message());
    EXPECT_THAT(message, HasSubstr("the database has schema version 1"));
  }
  EXPECT_THAT(*Migrate(url_, kItemsInSteps), ElementsAre("0002_new"));
  ExpectDone();
}

TEST_F(StepsTest, BatchesAreContinuedAfterTheLastOne) {
  testing::Session other(url_);
  const auto interrupt = [&](absl::string_view line) {
    if (absl::EndsWith(line, ": rows of item")) {
      other.Run("BEGIN; SELECT FROM item WHERE id = 501 FOR UPDATE");
    }
    if (absl::StrContains(line, "others use")) Interrupt(url_);
  };
  EXPECT_EQ(Migrate(url_, kItemsInSteps, {.report = interrupt}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Sql("SELECT count(*) FROM item WHERE new = old"), "500");
  EXPECT_EQ(Sql("SELECT batch_cursor || ' ' || row_count FROM schema_migration WHERE version = 2"),
            "500 500");
  other.Run("COMMIT");
  EXPECT_THAT(*Migrate(url_, kItemsInSteps), ElementsAre("0002_new"));
  ExpectDone();
}

TEST_F(StepsTest, AnIndexThatWasLeftUnfinishedIsMadeAgain) {
  testing::Session other(url_);
  std::promise<void> begins;
  const auto report = [&](absl::string_view line) {
    if (!absl::StrContains(line, "making the index")) return;
    other.Run("BEGIN; LOCK TABLE item IN ROW EXCLUSIVE MODE");  // the index waits for its end
    begins.set_value();
  };
  auto interrupted = std::async(std::launch::async, [&] {
    return Migrate(url_, kItemsInSteps, {.report = report}).status();
  });
  begins.get_future().wait();
  testing::AwaitWaitersForLocks(url_, 1);
  Interrupt(url_);
  EXPECT_EQ(interrupted.get().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'item_by_new'::regclass"), "f");
  other.Run("COMMIT");
  EXPECT_THAT(*Migrate(url_, kItemsInSteps), ElementsAre("0002_new"));
  ExpectDone();
}

// As the statement of a process goes on that was killed or has lost its turn.
TEST_F(StepsTest, AnIndexThatAnotherSessionMakesIsWaitedFor) {
  const auto stop = [&](absl::string_view line) {
    if (absl::StrContains(line, "making the index")) Interrupt(url_);
  };
  ASSERT_FALSE(Migrate(url_, kItemsInSteps, {.report = stop}).ok());
  testing::Session user(url_);
  user.Run("BEGIN; LOCK TABLE item IN ROW EXCLUSIVE MODE");  // the index waits for its end
  const std::jthread maker([&] { Sql("CREATE INDEX CONCURRENTLY item_by_new ON item (new)"); });
  testing::AwaitWaitersForLocks(url_, 1);
  const std::string index = Sql("SELECT 'item_by_new'::regclass::oid");
  std::atomic<bool> waits = false;
  const auto report = [&](absl::string_view line) {
    if (absl::StrContains(line, "waiting for a session")) waits = true;
  };
  auto migrated = std::async(std::launch::async, [&] {
    return Migrate(url_, kItemsInSteps, {.report = report}).status();
  });
  testing::AwaitThat([&] { return waits || testing::WaitersForLocks(url_) > 1; });
  user.Run("COMMIT");
  EXPECT_TRUE(migrated.get().ok());
  EXPECT_EQ(Sql("SELECT 'item_by_new'::regclass::oid"), index);
  ExpectDone();
}

// It is in this one's search path, which the role's own schema begins.
TEST_F(StepsTest, AnotherInstallationInTheSearchPathIsLeftAlone) {
  ASSERT_TRUE(Migrate(url_, kItemsInSteps).ok());
  const std::string role = testing::UrlOfNewRole(url_);
  const std::string name = testing::Query(role, "SELECT current_user");
  Sql(absl::StrCat("CREATE SCHEMA ", name, " AUTHORIZATION ", name));
  for (const auto& known : {kItemsOnly, kItemsInSteps}) {
    const auto migrated = Migrate(role, known);
    EXPECT_TRUE(migrated.ok()) << migrated.status();
  }
  EXPECT_EQ(Sql(absl::StrCat("SELECT indisvalid FROM pg_index WHERE indexrelid = '", name,
                             ".item_by_new'::regclass")),
            "t");
  ExpectDone();
}

TEST_F(StepsTest, AnIndexMayBeCancelled) {
  testing::Session other(url_);
  std::promise<void> begins;
  const auto report = [&](absl::string_view line) {
    if (!absl::StrContains(line, "making the index")) return;
    other.Run("BEGIN; LOCK TABLE item IN ROW EXCLUSIVE MODE");
    begins.set_value();
  };
  auto cancelled = std::async(std::launch::async, [&] {
    return Migrate(url_, kItemsInSteps, {.report = report}).status();
  });
  begins.get_future().wait();
  testing::AwaitWaitersForLocks(url_, 1);
  while (cancelled.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    testing::CancelWaitersForLocks(url_);
  }
  EXPECT_THAT(std::string(cancelled.get().message()), HasSubstr("57014"));
  other.Run("COMMIT");
  EXPECT_THAT(*Migrate(url_, kItemsInSteps), ElementsAre("0002_new"));
  ExpectDone();
}

// A disk may be slow for a while.
TEST_F(StepsTest, BatchesGetSmallerUntilTheyAreQuickEnough) {
  const std::vector<Migration> slow = {
      kItemsOnly[0],
      {2, "0002_slow",
       "-- compatible: yes\n-- step: batches of item\n"
       "SELECT count(*) AS rows, max(id)::text AS cursor FROM (SELECT id FROM item "
       "WHERE id > coalesce(nullif($2, ''), '0')::integer "
       "AND ($1::bigint < 8 OR $2 <> '' OR pg_sleep(0.6) IS NULL) ORDER BY id LIMIT $1) AS batch"}};
  const auto migrated = Migrate(url_, slow);
  EXPECT_TRUE(migrated.ok()) << migrated.status();
}

TEST_F(StepsTest, BatchesThatTakeTooLongHoweverSmallAreGivenUp) {
  const std::vector<Migration> slow = {
      kItemsOnly[0],
      {2, "0002_slow",
       "-- compatible: yes\n-- step: batches of item\n"
       "SELECT $1::bigint AS rows, $2::text AS cursor FROM pg_sleep(0.6)"}};
  EXPECT_THAT(std::string(Migrate(url_, slow).status().message()), HasSubstr("takes too long"));
}

TEST_F(StepsTest, NobodyWaitsLongBehindAStepThatWaitsForALock) {
  testing::Session other(url_);
  other.Run("BEGIN; SELECT FROM item LIMIT 1");
  std::promise<void> waits;
  std::atomic<int> attempts = 0;
  const auto report = [&](absl::string_view line) {
    if (absl::StrContains(line, "others use") && ++attempts == 1) waits.set_value();
  };
  auto migrated = std::async(std::launch::async, [&] {
    return Migrate(url_, kItemsInSteps, {.report = report}).status();
  });
  waits.get_future().wait();
  testing::AwaitWaitersForLocks(url_, 1);
  EXPECT_EQ(Sql("SET statement_timeout = '20s'; SELECT count(*) FROM item"), "3000");
  other.Run("COMMIT");
  EXPECT_TRUE(migrated.get().ok());
  ExpectDone();
}

// As pg_dump does.
TEST_F(StepsTest, DoNotWaitForWhoReadsTheHistory) {
  testing::Session other(url_);
  other.Run("BEGIN; SELECT FROM schema_migration LIMIT 1");
  EXPECT_TRUE(Migrate(url_, kItemsInSteps).ok());
  ExpectDone();
}

TEST_F(StepsTest, ConcurrentProcessesTakeTurns) {
  std::vector<std::jthread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([this] { EXPECT_TRUE(Migrate(url_, kItemsInSteps).ok()); });
  }
  processes.clear();
  ExpectDone();
}

TEST_F(StepsTest, EndWithTheTurnOfTheirProcess) {
  const auto lose_turn = [&](absl::string_view line) {
    if (!absl::StartsWith(line, "0002_new, step 1 of")) return;
    Sql("SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' "
        "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())");
  };
  EXPECT_EQ(Migrate(url_, kItemsInSteps, {.report = lose_turn}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Sql("SELECT steps_left FROM schema_migration WHERE version = 2"), "5");
  EXPECT_THAT(*Migrate(url_, kItemsInSteps), ElementsAre("0002_new"));
  ExpectDone();
}

TEST_F(StepsTest, KeepNoLockOfASession) {
  const auto report = [&](absl::string_view) {
    EXPECT_EQ(Sql("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                  "WHERE l.locktype = 'advisory' AND a.datname = current_database() "
                  "AND a.xact_start IS NOT NULL"),
              "1");
  };
  ASSERT_TRUE(Migrate(url_, kItemsInSteps, {.report = report}).ok());
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                "WHERE l.locktype = 'advisory' AND a.datname = current_database()"),
            "0");
}

TEST_F(StepsTest, AreRecordedOnlyByWhoHasTheTurn) {
  Connection connection(url_);
  PrepareHistory(connection);
  const Migration& migration = kItemsInSteps[1];
  const std::string first = RecordScript(migration, {.steps_left = 6}, {.steps_left = 5});
  connection.RunScript(first);
  EXPECT_THROW(connection.RunScript(RecordScript(migration, {.steps_left = 6}, {.steps_left = 4})),
               std::exception);
  connection.RunScript(RecordScript(migration, {.steps_left = 5}, {.steps_left = 4}));
  EXPECT_EQ(Sql("SELECT steps_left FROM schema_migration WHERE version = 2"), "4");
}

TEST_F(StepsTest, AStepThatFailsLeavesTheOnesBeforeIt) {
  const std::vector<Migration> broken = {
      kItemsOnly[0],
      {2, "0002_broken",
       "-- step: transaction\nCREATE TABLE a ();\n"
       "-- step: transaction\nCREATE TABLE b (); SELECT nonsense;\n"}};
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = Migrate(url_, broken).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("nonsense"));
    EXPECT_EQ(Sql("SELECT to_regclass('a') IS NOT NULL AND to_regclass('b') IS NULL"), "t");
  }
}

// ---- Servers that go on serving ----

const std::vector<Migration> kNext = {
    kFirst[0], {2, "0002_next", "-- compatible: yes\nALTER TABLE one ADD COLUMN n integer"}};
const std::vector<Migration> kAfterNext = {
    kNext[0], kNext[1], {3, "0003_after", "-- compatible: yes\nCREATE TABLE three ()"}};

TEST_F(MigratorTest, AServerWorksWithTheNextSchemaIfThatIsCompatible) {
  ASSERT_TRUE(Migrate(url_, kNext).ok());
  EXPECT_TRUE(CheckSchema(url_, kFirst).ok());
  EXPECT_THAT(*Migrate(url_, kFirst), IsEmpty());
  ASSERT_TRUE(Migrate(url_, kAfterNext).ok());
  EXPECT_TRUE(CheckSchema(url_, kNext).ok());
  EXPECT_THAT(std::string(CheckSchema(url_, kFirst).message()),
              HasSubstr("schema version 3, newer than version 1"));
}

TEST_F(StepsTest, AServerWorksWithACompatibleMigrationThatIsUnderWay) {
  const auto stop = [&](absl::string_view line) {
    EXPECT_TRUE(CheckSchema(url_, kItemsOnly).ok()) << line;
    if (absl::StartsWith(line, "0002_new, step 4 of")) Interrupt(url_);
  };
  ASSERT_FALSE(Migrate(url_, kItemsInSteps, {.report = stop}).ok());
  EXPECT_TRUE(CheckSchema(url_, kItemsOnly).ok());
  EXPECT_THAT(std::string(CheckSchema(url_, kItemsInSteps).message()),
              HasSubstr("a part of the next; this contentd needs version 2: run `contentd "
                        "migrate` (again)"));
}

TEST_F(StepsTest, AServerDoesNotStartInAMigrationThatNeedsItStopped) {
  const std::vector<Migration> known = {
      kItemsOnly[0],
      {2, "0002_other", "-- compatible: no\n-- step: no transaction\nSELECT nonsense"}};
  ASSERT_FALSE(Migrate(url_, known).ok());
  EXPECT_THAT(std::string(CheckSchema(url_, kItemsOnly).message()), HasSubstr("newer than"));
}

TEST_F(MigratorTest, ServersSeeWhetherTheSchemaStillSuitsThem) {
  ASSERT_TRUE(Migrate(url_, kNext).ok());
  Connection connection(url_);
  EXPECT_EQ(ViewSchema(connection, 1).version, 2);
  EXPECT_TRUE(ViewSchema(connection, 1).is_suitable);
  EXPECT_TRUE(ViewSchema(connection, 2).is_suitable);
  ASSERT_TRUE(Migrate(url_, kAfterNext).ok());
  EXPECT_FALSE(ViewSchema(connection, 1).is_suitable);
  EXPECT_TRUE(ViewSchema(connection, 2).is_suitable);
}

// A failover may lose a migration, and a restored dump lack it.
TEST_F(StepsTest, AServerSeesThatASchemaIsTooOld) {
  const auto stop = [&](absl::string_view line) {
    if (absl::StartsWith(line, "0002_new, step 4 of")) Interrupt(url_);
  };
  ASSERT_FALSE(Migrate(url_, kItemsInSteps, {.report = stop}).ok());
  Connection connection(url_);
  EXPECT_TRUE(ViewSchema(connection, 1).is_suitable);
  EXPECT_FALSE(ViewSchema(connection, 2).is_suitable) << "some of its steps are left";
  EXPECT_FALSE(ViewSchema(connection, 3).is_suitable);
  EXPECT_EQ(ViewSchema(connection, 3).version, 1);
}

class ServersTest : public MigratorTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Migrate(url_, kFirst).ok()); }

  // The migrations must be refused, and nothing must have been changed.
  void ExpectRefusal(const std::vector<Migration>& known) {
    const absl::Status status = Migrate(url_, known).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("stop them"));
    EXPECT_EQ(testing::Query(url_, "SELECT max(version) FROM schema_migration"), "1");
  }
};

TEST_F(ServersTest, ThatWouldNotWorkMustBeStopped) {
  {
    const testing::Session server(ServerDsn(url_, 1));
    ExpectRefusal(kBoth);
    ExpectRefusal(kAfterNext);
  }
  {
    const testing::Session server(url_ + " application_name='contentd'");
    ExpectRefusal(kNext);
  }
  EXPECT_THAT(*Migrate(url_, kAfterNext), ElementsAre("0002_next", "0003_after"));
}

TEST_F(ServersTest, ThatWorkWithTheNextSchemaGoOnServing) {
  const testing::Session server(ServerDsn(url_, 1));
  EXPECT_THAT(*Migrate(url_, kNext), ElementsAre("0002_next"));
}

TEST_F(ServersTest, AreNotLookedForIfTheOperatorSaysSo) {
  const testing::Session server(ServerDsn(url_, 1));
  EXPECT_THAT(*Migrate(url_, kBoth, {.servers_are_stopped = true}), ElementsAre("0002_two"));
}

TEST_F(ServersTest, OfAnotherInstallationAreNotInTheWay) {
  const testing::Session server(ServerDsn(testing::UrlOfNewRole(url_), 1));
  EXPECT_THAT(*Migrate(url_, kBoth), ElementsAre("0002_two"));
}

// A server may have checked the schema just before.
TEST_F(ServersTest, ThatConnectWhileAMigrationBeginsMustBeStopped) {
  testing::Session other(url_);
  other.Run("BEGIN; LOCK TABLE schema_migration IN EXCLUSIVE MODE");
  auto migrated = std::async(std::launch::async, [&] { return Migrate(url_, kBoth).status(); });
  testing::AwaitWaitersForLocks(url_, 1);
  const testing::Session server(ServerDsn(url_, 1));
  other.Run("COMMIT");
  const absl::Status status = migrated.get();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("stop them"));
  EXPECT_EQ(testing::Query(url_, "SELECT to_regclass('two') IS NULL"), "t");
  EXPECT_TRUE(CheckSchema(url_, kFirst).ok());
}

TEST_F(ServersTest, DoNotStartOnceAMigrationHasBegunWithWhichTheyWouldNotWork) {
  const std::vector<Migration> known = {
      kFirst[0], {2, "0002_other", "LOCK TABLE one; ALTER TABLE one ADD COLUMN n integer"}};
  testing::Session other(url_);
  other.Run("BEGIN; LOCK TABLE one IN ACCESS SHARE MODE");
  auto migrated = std::async(std::launch::async, [&] { return Migrate(url_, known).status(); });
  testing::AwaitWaitersForLocks(url_, 1);
  EXPECT_THAT(std::string(CheckSchema(url_, kFirst).message()), HasSubstr("newer than"));
  other.Run("COMMIT");
  EXPECT_TRUE(migrated.get().ok());
}

TEST_F(ServersTest, GoOnAfterAMigrationThatFailedBeforeItChangedAnything) {
  const std::vector<Migration> broken = {kFirst[0],
                                         {2, "0002_broken",
                                          "-- step: transaction\nCREATE TABLE two ();"
                                          "SELECT nonsense;\n-- step: transaction\nSELECT 1;"}};
  EXPECT_FALSE(Migrate(url_, broken).ok());
  EXPECT_TRUE(CheckSchema(url_, kFirst).ok());
  EXPECT_THAT(*Migrate(url_, kBoth), ElementsAre("0002_two"));
}

// A run that is interrupted then leaves the rest to the next one.
TEST_F(ServersTest, GoOnAfterAMigrationThatWasOnlyAnnounced) {
  const std::vector<Migration> broken = {kFirst[0], {2, "0002_broken", "SELECT nonsense"}};
  const auto stop = [&](absl::string_view) { Interrupt(url_); };
  EXPECT_FALSE(Migrate(url_, broken, {.report = stop}).ok());
  EXPECT_THAT(std::string(CheckSchema(url_, kFirst).message()), HasSubstr("newer than"));
  EXPECT_FALSE(Migrate(url_, broken).ok());
  EXPECT_TRUE(CheckSchema(url_, kFirst).ok());
}

TEST_F(ServersTest, ThatConnectBetweenTwoMigrationsMustBeStopped) {
  std::optional<testing::Session> server;
  const auto connect = [&](absl::string_view) { server.emplace(ServerDsn(url_, 1)); };
  const absl::Status status = Migrate(url_, kAfterNext, {.report = connect}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("stop them"));
  EXPECT_EQ(testing::Query(url_, "SELECT max(version) FROM schema_migration"), "2");
  server.reset();
  EXPECT_THAT(*Migrate(url_, kAfterNext), ElementsAre("0003_after"));
}

TEST_F(MigratorTest, ServersSeeThatTheSchemaIsGone) {
  Connection connection(url_);
  SchemaWatch schema(1);
  EXPECT_TRUE(absl::IsUnavailable(schema.Look(connection)));
  EXPECT_FALSE(schema.is_suitable());
}

// Locks are held to the end of the last one.
TEST_F(ServersTest, AreNotHeldUpBySeveralStatements) {
  const std::vector<Migration> slow = {
      kFirst[0],
      {2, "0002_slow",
       "-- compatible: yes\nLOCK TABLE one; SELECT pg_sleep(0.4); SELECT pg_sleep(0.4)"}};
  const testing::Session server(ServerDsn(url_, 1));
  EXPECT_THAT(std::string(Migrate(url_, slow).status().message()), HasSubstr("takes too long"));
}

TEST_F(ServersTest, AreNotHeldUpByALongStatement) {
  const std::vector<Migration> slow = {
      kFirst[0], {2, "0002_slow", "-- compatible: yes\nLOCK TABLE one; SELECT pg_sleep(1)"}};
  {
    const testing::Session server(ServerDsn(url_, 1));
    const absl::Status status = Migrate(url_, slow).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("takes too long"));
  }
  EXPECT_THAT(*Migrate(url_, slow), ElementsAre("0002_slow"));
}

}  // namespace
}  // namespace content::postgres
