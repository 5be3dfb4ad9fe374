// What PostgreSQL says must reach us whole, whichever exception libpqxx makes of it.

#include "postgres/failure.h"

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/bulk.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/server_error.h"
#include "postgres/transaction.h"
#include "support/database.h"

namespace content::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Kind = Failure::Kind;

// Of every class that a statement can raise, and all for which libpqxx 6.4 has an exception.
constexpr const char* kSqlStates[] = {
    "03000", "08000", "08001", "08003", "08004", "08006", "08007", "08P01", "09000", "0A000",
    "0B000", "0F000", "0L000", "0P000", "0Z000", "20000", "21000", "22000", "22001", "22012",
    "22021", "23000", "23001", "23502", "23503", "23505", "23514", "23P01", "24000", "25000",
    "25001", "25006", "25P01", "25P02", "26000", "27000", "28000", "28P01", "2B000", "2D000",
    "2F000", "34000", "38000", "39000", "3B000", "3D000", "3F000", "40000", "40001", "40002",
    "40003", "40P01", "42000", "42501", "42601", "42703", "42883", "42P01", "42P05", "44000",
    "53000", "53100", "53200", "53300", "53400", "54000", "55000", "55006", "55P03", "57000",
    "57014", "57P01", "57P02", "57P03", "58000", "58030", "72000", "F0000", "HV000", "P0000",
    "P0001", "P0002", "P0003", "P0004", "XX000", "XX001", "XX002"};

struct Caught {
  std::string sqlstate;
  Failure failure;
};

class FailureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Connect();
    connection_->RunScript(
        "CREATE TABLE number (value integer PRIMARY KEY, sqlstate text);"
        "CREATE FUNCTION raise(sqlstate text) RETURNS integer LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'made up' USING ERRCODE = sqlstate, DETAIL = 'a detail'; END $$;"
        "CREATE FUNCTION raise_later() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM raise(NEW.sqlstate); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER raises AFTER INSERT ON number DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.sqlstate IS NOT NULL) EXECUTE FUNCTION raise_later()");
  }

  void Connect() {
    connection_.emplace(*CompleteDsn(url_));
    connection_->PrepareSession();
  }

  // Returns what `function` throws. Replaces the connection if a pool would.
  Caught Catch(const std::function<void()>& function) {
    try {
      function();
    } catch (const std::exception& exception) {
      const std::optional<ServerError> error = FindServerError(exception);
      Caught caught{error ? error->sqlstate : "", ToFailure(exception, connection_->is_open())};
      const Kind kind = caught.failure.kind;
      if (kind == Kind::kOutcomeUnknown || kind == Kind::kConnectionLost) Connect();
      return caught;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
  }

  Caught CatchAtCommit(const std::string& sqlstate) {
    return Catch([&] {
      Transaction transaction(*connection_);
      transaction.Exec("INSERT INTO number VALUES (1, $1)", sqlstate);
      transaction.Commit();
    });
  }

  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
  std::optional<Connection> connection_;
};

TEST(ErrorClass, IsThatOfTheSqlStateOrOther) {
  EXPECT_EQ(kErrorClasses[ErrorClassOf("57P01")].name, "57");
  EXPECT_EQ(kErrorClasses[ErrorClassOf(kConnectionException)].name, "08");
  EXPECT_EQ(kErrorClasses[ErrorClassOf("XX000")].name, "XX");
  EXPECT_EQ(kErrorClasses[ErrorClassOf("0A000")].name, "other");
  EXPECT_EQ(kErrorClasses[ErrorClassOf("")].name, "other");
  for (size_t place = 0; place < kErrorClasses.size(); ++place) {
    EXPECT_EQ(ErrorClassOf(kErrorClasses[place].name), place);
    EXPECT_FALSE(kErrorClasses[place].meaning.empty());
  }
}

TEST_F(FailureTest, AStatementsErrorKeepsItsSqlState) {
  const BulkStatement<1> bulk("SELECT raise(sqlstate) FROM $rows AS r (sqlstate)",
                              std::array{"text"});
  for (const std::string sqlstate : kSqlStates) {
    EXPECT_EQ(Catch([&] { connection_->Read("SELECT raise($1)", sqlstate); }).sqlstate, sqlstate);
    EXPECT_EQ(
        Catch([&] {
          connection_->Run("DO $$ BEGIN RAISE 'x' USING ERRCODE = '" + sqlstate + "'; END $$");
        }).sqlstate,
        sqlstate);
    for (const int rows : {1, 2}) {
      for (const bool queued : {false, true}) {
        const Caught caught = Catch([&] {
          Transaction transaction(*connection_);
          Rows<1> values;
          for (int i = 0; i < rows; ++i) values.Add(sqlstate);
          if (queued) {
            bulk.Queue(transaction, values);
            transaction.Commit();
          } else {
            bulk.Exec(transaction, values);
          }
        });
        EXPECT_EQ(caught.sqlstate, sqlstate);
        EXPECT_EQ(caught.failure.sqlstate, sqlstate);
      }
    }
  }
}

TEST_F(FailureTest, ADuplicateThatCitusReportsIsContention) {
  const Caught caught = Catch([&] {
    connection_->Run(
        "DO $$ BEGIN RAISE 'duplicate key value violates unique constraint \"comment_pkey_1\"' "
        "USING ERRCODE = 'XX000'; END $$");
  });
  EXPECT_EQ(caught.failure.kind, Kind::kContention);
}

TEST_F(FailureTest, ACommitsErrorKeepsItsSqlState) {
  for (const std::string sqlstate : kSqlStates) {
    EXPECT_EQ(CatchAtCommit(sqlstate).sqlstate, sqlstate);
  }
}

TEST_F(FailureTest, ARefusedCommitIsNeverInDoubt) {
  // PostgreSQL says that it does not know, or that it lost a connection of its own.
  const std::set<std::string> unknown = {"08000", "08001", "08003", "08004",
                                         "08006", "08007", "08P01", "40003"};
  for (const std::string sqlstate : kSqlStates) {
    const bool is_unknown = CatchAtCommit(sqlstate).failure.kind == Kind::kOutcomeUnknown;
    EXPECT_EQ(is_unknown, unknown.contains(sqlstate)) << sqlstate;
  }
}

TEST_F(FailureTest, ARefusalForLackOfRightsIsInternal) {
  connection_->RunScript("CREATE TABLE secret (value integer)");
  Connection other(*CompleteDsn(testing::UrlOfNewRole(url_)));
  other.PrepareSession();
  ::testing::internal::CaptureStderr();
  const Caught caught = Catch([&] { other.Read("SELECT value FROM secret"); });
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(caught.sqlstate, "42501");
  EXPECT_EQ(caught.failure.kind, Kind::kFinal);
  EXPECT_EQ(ReasonOf(caught.failure.status), "INTERNAL");
  EXPECT_THAT(log, HasSubstr("42501"));
  EXPECT_THAT(log, HasSubstr(R"("level":"error")"));
}

TEST_F(FailureTest, TellsCallersWhatTheDatabaseLacks) {
  const auto message = [this](const std::string& sqlstate) {
    const Caught caught = Catch([&] { connection_->Read("SELECT raise($1)", sqlstate); });
    EXPECT_EQ(ReasonOf(caught.failure.status), "STORE_UNAVAILABLE");
    return std::string(caught.failure.status.message());
  };
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(message("53100"), "the database cannot write: its disk is full");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("database disk full"));
  EXPECT_EQ(message("53200"), "the database has run out of memory or connections");
  EXPECT_EQ(message("25006"), "the database accepts no writes");
  EXPECT_EQ(message("57P01"), "the database cannot be reached");
}

// PostgreSQL ends all sessions if it cannot write its log.
TEST_F(FailureTest, AFullDiskThatEndsTheSessionIsToldToo) {
  try {
    connection_->Read("SELECT raise($1)", "53100");
    ADD_FAILURE() << "not raised";
  } catch (const std::exception& exception) {
    const Failure failure = ToFailure(exception, /*is_open=*/false);
    EXPECT_EQ(failure.kind, Kind::kConnectionLost);
    EXPECT_EQ(failure.status.message(), "the database cannot write: its disk is full");
  }
}

TEST_F(FailureTest, ALostConnectionIsLoggedAsThat) {
  Connection lost(*CompleteDsn(url_));
  const std::string pid = lost.Read("SELECT pg_backend_pid()")[0][0].c_str();
  testing::Query(url_, "SELECT pg_terminate_backend(" + pid + ", 10000)");
  for (int attempt = 0; attempt < 2; ++attempt) {
    ::testing::internal::CaptureStderr();
    try {
      lost.Run("SELECT 1");
      ADD_FAILURE() << "the connection is not lost";
    } catch (const std::exception& exception) {
      EXPECT_EQ(ToFailure(exception, lost.is_open()).kind, Kind::kConnectionLost);
    }
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(log, HasSubstr(R"("event":"database connection lost")"));
    EXPECT_THAT(log, Not(HasSubstr("encoding")));
    EXPECT_THAT(log, Not(HasSubstr(R"("sqlstate":"")")));
  }
}

TEST_F(FailureTest, LogsNeitherDetailsNorRejectedValues) {
  ::testing::internal::CaptureStderr();
  Catch([this] { connection_->Read("SELECT raise('55000')"); });
  Catch([this] { connection_->Read("SELECT raise('42P01')"); });
  Catch([this] { connection_->Read("SELECT $1::text::integer", "a word\nof a user"); });
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("made up"));
  EXPECT_THAT(log, Not(HasSubstr("a detail")));
  EXPECT_THAT(log, Not(HasSubstr("word")));
  EXPECT_THAT(log, Not(HasSubstr("LOCATION")));
}

TEST(FindServerErrorTest, FindsTheSqlStateWhateverTheLanguage) {
  const auto sqlstate = [](const char* text) {
    const std::optional<ServerError> error = FindServerError(absl::string_view(text));
    return error ? error->sqlstate + " " + error->message : "";
  };
  EXPECT_EQ(sqlstate("ERROR:  42501: permission denied for table x\nLOCATION:  aclcheck_error, "
                     "aclchk.c:3582\n"),
            "42501 permission denied for table x");
  EXPECT_EQ(sqlstate("connection to server at \"x\", port 1 failed: FATAL:  57P03: starting\n"),
            "57P03 starting");
  EXPECT_EQ(sqlstate("\xd0\x9e\xd0\xa8\xd0\x98\xd0\x91\xd0\x9a\xd0\x90:  XX000: a:  22000: b"),
            "XX000 a:  22000: b");
  for (const char* text :
       {"", "connection refused", "ERROR:  permission denied", "a: 42501: b", "ERROR:  4250: b",
        "ERROR:  42501 b", "ERROR:  425011", "ERROR:  42501"}) {
    EXPECT_EQ(sqlstate(text), "") << text;
  }
}

TEST(FindServerErrorTest, LeavesOutNames) {
  for (const char* text :
       {"ERROR:  42501: permission denied for schema leak", "ERROR:  22023: value \"leak\"",
        "FEHLER:  42501: keine Berechtigung f\xc3\xbcr Schema leak",
        "ERROR:  3F000: schema \"leak\" does not exist",
        "ERROR:  42704: tablespace \"leak\" does not exist"}) {
    const std::optional<ServerError> error = FindServerError(absl::string_view(text));
    ASSERT_TRUE(error);
    EXPECT_THAT(error->message, Not(HasSubstr("leak")));
    EXPECT_NE(error->message, "");
  }
}

}  // namespace
}  // namespace content::postgres
