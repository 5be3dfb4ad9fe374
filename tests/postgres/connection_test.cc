#include "postgres/connection.h"

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/bulk.h"
#include "postgres/dsn.h"
#include "postgres/transaction.h"
#include "support/database.h"
#include "support/fake_clock.h"

namespace content::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::ThrowsMessage;

class ConnectionTest : public ::testing::Test {
 protected:
  std::string Timeout() {
    return connection_.Read("SELECT current_setting('statement_timeout')")[0][0].as<std::string>();
  }

  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
  testing::FakeClock clock_;
  Connection connection_{*CompleteDsn(url_), clock_};
};

// ---- Traces ----

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";

CallTrace MakeTrace(bool is_sampled) {
  return CallTrace({.trace_id = kTraceId, .parent_id = "", .is_sampled = is_sampled});
}

constexpr char kComment[] = "/*trace_id='4bf92f3577b34da6a3ce929d0e0e4736'*/ ";

class TracedSessionTest : public ConnectionTest {
 protected:
  TracedSessionTest() { connection_.PrepareSession(); }

  std::string Query() { return connection_.Read("SELECT current_query()")[0][0].as<std::string>(); }

  // Round trips of the database's sessions since it was created, with a transaction as one.
  int64_t RoundTrips() {
    connection_.Read("SELECT pg_stat_force_next_flush()");
    return connection_
        .Read("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")[0][0]
        .as<int64_t>();
  }
};

TEST_F(TracedSessionTest, ShowsTheTraceWhileItExists) {
  EXPECT_EQ(Query(), "SELECT current_query()");
  CallTrace trace = MakeTrace(/*is_sampled=*/true);
  {
    const TracedSession session(connection_, &trace);
    EXPECT_EQ(Query(), absl::StrCat(kComment, "SELECT current_query()"));
    EXPECT_THAT(trace.Steps(), ::testing::SizeIs(1));
    const Snapshot snapshot(connection_);
    EXPECT_EQ(Query(), absl::StrCat(kComment, "SELECT current_query()"));
  }
  EXPECT_EQ(Query(), "SELECT current_query()");
}

TEST_F(TracedSessionTest, ShowsItInEachRoundTripOfATransaction) {
  CallTrace trace = MakeTrace(/*is_sampled=*/true);
  const auto last_query = [this] {
    return testing::Query(url_,
                          "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
                          "AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
  };
  {
    const TracedSession session(connection_, &trace);
    Transaction transaction(connection_);
    EXPECT_EQ(transaction.Exec("SELECT $1", "text")[0][0].as<std::string>(), "text");
    EXPECT_EQ(last_query(), absl::StrCat(kComment, "SELECT $1"));
    transaction.Queue("SELECT $1::integer", 1);
    transaction.Commit();
    EXPECT_THAT(last_query(), MatchesRegex(".*trace_id.* EXECUTE s[0-9a-f]+ .'1'.; COMMIT"));
  }
  std::vector<CallTrace::Kind> kinds;
  for (const CallTrace::Step& step : trace.Steps()) kinds.push_back(step.kind);
  ASSERT_GE(kinds.size(), 2U);
  EXPECT_EQ(kinds.back(), CallTrace::Kind::kCommit);
  EXPECT_EQ(kinds.front(), CallTrace::Kind::kStatement);
}

TEST_F(TracedSessionTest, EndsAfterAStatementThatFails) {
  CallTrace trace = MakeTrace(/*is_sampled=*/true);
  EXPECT_ANY_THROW({
    const TracedSession session(connection_, &trace);
    Transaction transaction(connection_);
    transaction.Exec("SELECT 1 / 0");
  });
  EXPECT_EQ(Query(), "SELECT current_query()");
}

TEST_F(TracedSessionTest, TakesNoRoundTrip) {
  constexpr int kReads = 100;
  const auto round_trips = [this](CallTrace* trace) {
    const int64_t before = RoundTrips();
    for (int i = 0; i < kReads; ++i) {
      const TracedSession session(connection_, trace);
      EXPECT_EQ(connection_.Read("SELECT 1")[0][0].as<int>(), 1);
      Transaction transaction(connection_);
      transaction.Exec("SELECT 1");
      transaction.Commit();
    }
    return RoundTrips() - before;
  };
  CallTrace unsampled = MakeTrace(/*is_sampled=*/false);
  CallTrace sampled = MakeTrace(/*is_sampled=*/true);
  for (CallTrace* const trace : {static_cast<CallTrace*>(nullptr), &unsampled, &sampled}) {
    EXPECT_LT(round_trips(trace), 2 * kReads + kReads / 2);
  }
  EXPECT_THAT(unsampled.Steps(), ::testing::IsEmpty());
}

// ---- Results ----

TEST_F(ConnectionTest, ReadsValues) {
  const Result result = connection_.Read(
      "SELECT 'text' AS a, 7 AS b, true AS c, NULL AS d UNION ALL SELECT '', -7, false, 'x'");
  ASSERT_EQ(result.size(), 2);
  EXPECT_EQ(result[0]["a"].as<std::string>(), "text");
  EXPECT_EQ(result[0]["b"].as<int>(), 7);
  EXPECT_EQ(result[1][1].as<int64_t>(), -7);
  EXPECT_TRUE(result[0]["c"].as<bool>());
  EXPECT_FALSE(result[1]["c"].as<bool>());
  EXPECT_TRUE(result[0]["d"].is_null());
  EXPECT_EQ(result[0]["d"].text(), "");
  EXPECT_FALSE(result[1]["a"].is_null());
  EXPECT_EQ(result.column_number("d"), 3);
}

TEST_F(ConnectionTest, RefusesRowsAndColumnsThatAreNotThere) {
  const Result result = connection_.Read("SELECT 1 AS a");
  EXPECT_THROW(result[1], std::out_of_range);
  EXPECT_THROW(result[0][1], std::out_of_range);
  EXPECT_ANY_THROW(result[0]["b"]);
  EXPECT_ANY_THROW(result.column_number("b"));
  const Result empty = connection_.Read("SELECT 1 AS a WHERE false");
  EXPECT_TRUE(empty.empty());
  EXPECT_THROW(empty[0], std::out_of_range);
}

TEST_F(ConnectionTest, RefusesValuesOfAnotherType) {
  const Result result = connection_.Read("SELECT NULL, 'text', 300, -1, 't'");
  const Row row = result[0];
  EXPECT_THAT([&] { row[0].as<int>(); }, ThrowsMessage<std::runtime_error>(HasSubstr("NULL")));
  EXPECT_THROW(row[0].as<std::string>(), std::runtime_error);
  EXPECT_THROW(row[0].as<bool>(), std::runtime_error);
  EXPECT_THROW(row[1].as<int>(), std::runtime_error);
  EXPECT_THROW(row[1].as<bool>(), std::runtime_error);
  EXPECT_THROW(row[2].as<int8_t>(), std::runtime_error);
  EXPECT_THROW(row[3].as<uint32_t>(), std::runtime_error);
  EXPECT_TRUE(row[4].as<bool>());
}

TEST_F(ConnectionTest, ErrorsOfResultsNameTheColumns) {
  const Result none = connection_.Read("SELECT 1 AS position, 2 AS other WHERE false");
  EXPECT_THAT([&] { none[0]; },
              ThrowsMessage<std::out_of_range>(
                  "there is no row 0 in a result of 0 rows of (position, other)"));
  const Result result = connection_.Read("SELECT 'x' AS name, NULL AS nothing");
  const Row row = result[0];
  EXPECT_THAT([&] { row[2]; }, ThrowsMessage<std::out_of_range>(
                                   "there is no column 2 in a result of (name, nothing)"));
  EXPECT_THAT([&] { row["nothing"].as<int>(); },
              ThrowsMessage<std::runtime_error>("the value of nothing is NULL"));
  EXPECT_THAT([&] { row["name"].as<int>(); },
              ThrowsMessage<std::runtime_error>("the value of name is not an integer"));
  EXPECT_THAT([&] { row["name"].as<bool>(); },
              ThrowsMessage<std::runtime_error>("the value of name is not a boolean"));
}

TEST_F(ConnectionTest, CountsTheRowsOfAChange) {
  connection_.RunScript("CREATE TABLE number (value integer); INSERT INTO number VALUES (1), (2)");
  EXPECT_EQ(connection_.Read("UPDATE number SET value = value + 1").affected_rows(), 2);
}

TEST_F(ConnectionTest, PassesTextAsItIs) {
  for (const char* text : {"", "NULL", "\"", "\\", "{a,b}", "'; --", "\xc3\xa9", "a\nb"}) {
    EXPECT_EQ(connection_.Read("SELECT $1::text", text)[0][0].as<std::string>(), text);
    std::string array;
    AppendToArray(text, array);
    AppendToArray("last", array);
    const Result result = connection_.Read("SELECT unnest($1::text[])", array + "}");
    ASSERT_EQ(result.size(), 2);
    EXPECT_EQ(result[0][0].as<std::string>(), text);
  }
}

TEST_F(ConnectionTest, AStatementTakesAnyNumberOfRows) {
  connection_.RunScript("CREATE TABLE city (name text, size integer)");
  const BulkStatement<2> insert("INSERT INTO city SELECT name, size FROM $rows AS r (name, size)",
                                std::array{"text", "integer"});
  for (const auto& [count, share_name] : {std::pair(0, true), {1, true}, {3, true}, {3, false}}) {
    connection_.Run("DELETE FROM city");
    Rows<2> rows;
    for (int i = 0; i < count; ++i) rows.Add(absl::StrCat("name \"", share_name ? 0 : i), i);
    EXPECT_EQ(rows.shares_first(), count > 0 && share_name);
    {
      Transaction transaction(connection_);
      EXPECT_EQ(insert.Exec(transaction, rows).affected_rows(), static_cast<size_t>(count));
      insert.Queue(transaction, rows);
      transaction.Commit();
    }
    const std::string names = share_name ? "least(count(*), 1)" : "count(*) / 2";
    EXPECT_EQ(connection_.Read("SELECT count(*) FROM city")[0][0].as<int>(), 2 * count);
    EXPECT_TRUE(
        connection_.Read("SELECT count(DISTINCT name) = " + names + " FROM city")[0][0].as<bool>());
  }
}

TEST_F(ConnectionTest, AFirstValueThatRowsShareIsPassedOnce) {
  const BulkStatement<2> select(
      "SELECT string_agg(name || size, ' ' ORDER BY size) FROM $rows AS r (name, size)",
      {"text", "integer"});
  Rows<2> different;
  different.Add("a", 1);
  different.Add("b", 2);
  EXPECT_EQ(select.Read(connection_, different)[0][0].text(), "a1 b2");
  constexpr char kCount[] =
      "SELECT count(*) FROM pg_prepared_statements "
      "WHERE starts_with(statement, 'SELECT string_agg') "
      "AND statement LIKE '%(SELECT $1::text, * FROM unnest($2::integer[])%'";
  EXPECT_EQ(connection_.Read(kCount)[0][0].as<int>(), 0);
  Rows<2> same;
  same.Add("a", 1);
  same.Add("a", 2);
  EXPECT_EQ(select.Read(connection_, same)[0][0].text(), "a1 a2");
  EXPECT_EQ(connection_.Read(kCount)[0][0].as<int>(), 1);
}

TEST_F(ConnectionTest, ASnapshotIsOfOneMoment) {
  connection_.RunScript("CREATE TABLE number (value integer)");
  const auto count = [this] {
    return connection_.Read("SELECT count(*) FROM number")[0][0].as<int>();
  };
  {
    const Snapshot snapshot(connection_);
    EXPECT_EQ(count(), 0);
    testing::Query(url_, "INSERT INTO number VALUES (1)");
    EXPECT_EQ(count(), 0);
  }
  EXPECT_EQ(count(), 1);
}

// ---- Sessions ----

// Settings as an operator or libpq's environment may have made them, and what our sessions have.
constexpr struct {
  const char* setting;
  const char* theirs;
  const char* ours;
} kSettings[] = {
    {"default_transaction_isolation", "serializable", "read committed"},
    {"default_transaction_deferrable", "on", "off"},
    {"synchronous_commit", "off", "on"},
    {"jit", "on", "off"},
    {"enable_seqscan", "on", "off"},
    {"plan_cache_mode", "force_custom_plan", "force_generic_plan"},
    {"idle_in_transaction_session_timeout", "1ms", "10s"},
    {"idle_session_timeout", "10s", "0"},
    {"statement_timeout", "9s", "0"},
    {"lock_timeout", "1ms", "0"},
    {"client_encoding", "LATIN1", "UTF8"},
    {"DateStyle", "German", "ISO, YMD"},
    {"IntervalStyle", "sql_standard", "postgres"},
    {"TimeZone", "Asia/Kolkata", "UTC"},
    {"bytea_output", "escape", "hex"},
    {"extra_float_digits", "-15", "1"},
    {"standard_conforming_strings", "off", "on"},
    {"transform_null_equals", "on", "off"},
    {"client_min_messages", "debug5", "warning"},
};

// What a new session has that is not ours.
std::string ForeignSettings(const std::string& url) {
  Connection connection(*CompleteDsn(url));
  EXPECT_EQ(connection.PrepareSession(), testing::Query(url, "SHOW server_version"));
  std::string foreign;
  for (const auto& [setting, theirs, ours] : kSettings) {
    const Result result = connection.Read("SELECT current_setting($1)", setting);
    if (result[0][0].text() != ours) {
      foreign += absl::StrCat(setting, "=", result[0][0].text(), " ");
    }
  }
  return foreign;
}

TEST_F(ConnectionTest, DoesNotDependOnTheConfigurationOfTheServer) {
  const std::string database = testing::Query(url_, "SELECT current_database()");
  for (const auto& [setting, theirs, ours] : kSettings) {
    testing::Query(
        url_, absl::StrCat("ALTER DATABASE ", database, " SET ", setting, " = '", theirs, "'"));
  }
  EXPECT_EQ(ForeignSettings(url_), "");
}

TEST_F(ConnectionTest, DoesNotDependOnLibpqsOptions) {
  std::string options;
  for (const auto& [setting, theirs, ours] : kSettings) {
    options += absl::StrCat("-c ", setting, "=", theirs, " ");
  }
  EXPECT_EQ(ForeignSettings(absl::StrCat(url_, " client_encoding=LATIN1 options='", options, "'")),
            "");
}

TEST_F(ConnectionTest, LeavesTheSearchPathAndReadOnlyModeToTheOperator) {
  Connection connection(
      *CompleteDsn(url_ + " options='-c search_path=theirs -c default_transaction_read_only=on'"));
  connection.PrepareSession();
  EXPECT_STREQ(connection.Read("SELECT current_setting('search_path')")[0][0].c_str(), "theirs");
  EXPECT_STREQ(connection.Read("SELECT current_setting('transaction_read_only')")[0][0].c_str(),
               "on");
}

TEST_F(ConnectionTest, AStatementHasTheSameNameInEverySession) {
  const auto names = [this](const std::vector<std::string>& statements) {
    Connection connection(*CompleteDsn(url_));
    connection.PrepareSession();
    for (const std::string& sql : statements) connection.Read(sql);
    return std::string(connection
                           .Read("SELECT string_agg(statement || name, ' ' ORDER BY name) "
                                 "FROM pg_prepared_statements")[0][0]
                           .text());
  };
  EXPECT_EQ(names({"SELECT 1", "SELECT 2"}), names({"SELECT 2", "SELECT 1"}));
}

TEST_F(ConnectionTest, RoundsTheStatementTimeoutUp) {
  connection_.SetStatementTimeout(absl::Milliseconds(1), absl::Seconds(10));
  EXPECT_EQ(Timeout(), "128ms");
  connection_.SetStatementTimeout(absl::Milliseconds(129), absl::Seconds(10));
  EXPECT_EQ(Timeout(), "256ms");
  connection_.SetStatementTimeout(absl::InfiniteDuration(), absl::Seconds(10));
  EXPECT_EQ(Timeout(), "10s");
  connection_.SetStatementTimeout(absl::Milliseconds(1), absl::Milliseconds(50));
  EXPECT_EQ(Timeout(), "50ms");
}

TEST_F(ConnectionTest, ASocketIsShutDownOnlyUnderAStatementThatIsOverdue) {
  connection_.SetStatementTimeout(absl::Minutes(10), absl::Minutes(10));
  clock_.Advance(absl::Hours(1));
  EXPECT_FALSE(connection_.ShutdownIfOverdue());
  testing::Session session(url_);
  session.Run("SELECT pg_advisory_lock(1)");
  std::jthread watchdog([this] {
    testing::AwaitWaitersForLocks(url_, 1);
    EXPECT_FALSE(connection_.ShutdownIfOverdue());
    clock_.Advance(absl::Hours(1));
    EXPECT_TRUE(connection_.ShutdownIfOverdue());
  });
  EXPECT_ANY_THROW(connection_.Read("SELECT pg_advisory_lock(1)"));
  watchdog.join();
  EXPECT_FALSE(connection_.is_open());
}

}  // namespace
}  // namespace content::postgres
