// Transactions that fail, and the connection afterwards.

#include "postgres/transaction.h"

#include <pqxx/pqxx>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "postgres/connection.h"
#include "support/database.h"
#include "support/missing_standby.h"

namespace content::postgres {
namespace {

const std::string kInsert = "INSERT INTO number VALUES ($1)";

template <class Exception, class Function>
bool Throws(Function function) {
  try {
    function();
    return false;
  } catch (const Exception&) {
    return true;
  }
}

class TransactionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    connection_.RunScript("CREATE TABLE number (value integer PRIMARY KEY)");
  }

  std::string Numbers() {
    return connection_.Read("SELECT string_agg(value::text, ' ' ORDER BY value) FROM number")[0][0]
        .c_str();
  }

  // From now on, commits that add numbers fail with this error, at their very end.
  void FailCommits(const std::string& sqlstate) {
    connection_.RunScript(absl::StrCat(
        "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'made up' USING ERRCODE = '",
        sqlstate,
        "'; END $$;"
        "CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON number DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION fail()"));
  }

  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
  Connection connection_{url_};
};

TEST_F(TransactionTest, IsRolledBackIfAQueuedStatementFailsWithTheCommit) {
  for (const bool is_open : {false, true}) {  // if not, BEGIN is sent with the commit too
    {
      Transaction transaction(connection_);
      if (is_open) transaction.Exec(kInsert, 1);
      transaction.Queue(kInsert, 2);
      transaction.Queue(kInsert, 2);
      EXPECT_TRUE(Throws<pqxx::unique_violation>([&] { transaction.Commit(); }));
    }
    EXPECT_EQ(Numbers(), "");
    {
      Transaction transaction(connection_);
      transaction.Queue(kInsert, 3);
      transaction.Commit();
    }
    EXPECT_EQ(Numbers(), "3");
    connection_.Run("DELETE FROM number");
  }
}

TEST_F(TransactionTest, IsRolledBackIfItsCommitIsRefused) {
  FailCommits("40001");
  {
    Transaction transaction(connection_);
    transaction.Exec(kInsert, 1);
    EXPECT_TRUE(Throws<pqxx::transaction_rollback>([&] { transaction.Commit(); }));
  }
  EXPECT_EQ(Numbers(), "");
}

// PostgreSQL then reports success, with a warning.
TEST_F(TransactionTest, IsInDoubtIfItsWaitForAStandbyIsCancelled) {
  connection_.PrepareSession();
  {
    const testing::MissingStandby standby(url_);
    Transaction transaction(connection_);
    transaction.Exec(kInsert, 1);
    const std::jthread canceller([&] { standby.Cancel(standby.AwaitWaiter()); });
    EXPECT_TRUE(Throws<pqxx::in_doubt_error>([&] { transaction.Commit(); }));
  }
  EXPECT_EQ(Numbers(), "1");
}

TEST_F(TransactionTest, IsInDoubtIfPostgresDoesNotKnowTheOutcome) {
  FailCommits("08007");  // transaction_resolution_unknown
  Transaction transaction(connection_);
  transaction.Exec(kInsert, 1);
  EXPECT_TRUE(Throws<pqxx::in_doubt_error>([&] { transaction.Commit(); }));
}

TEST_F(TransactionTest, IsInDoubtIfItsSessionEndsDuringTheCommit) {
  {
    Transaction transaction(connection_);
    transaction.Exec(kInsert, 1);
    transaction.Commit();
  }
  testing::Session session(url_);
  session.Run("BEGIN; LOCK TABLE number");
  const std::jthread killer([this] {
    testing::AwaitWaitersForLocks(url_, 1);
    testing::Query(url_,
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE datname = current_database() AND wait_event_type = 'Lock'");
  });
  Transaction transaction(connection_);
  transaction.Queue(kInsert, 2);
  EXPECT_TRUE(Throws<pqxx::in_doubt_error>([&] { transaction.Commit(); }));
}

TEST_F(TransactionTest, AStatementThatCannotBePreparedCanBePreparedLater) {
  const std::string read = "SELECT count(*) FROM later";
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Throws<pqxx::sql_error>([&] { connection_.Read(read); }));
  {
    Transaction transaction(connection_);
    transaction.Exec(kInsert, 1);
    EXPECT_TRUE(Throws<pqxx::sql_error>([&] { transaction.Exec(read); }));
  }
  EXPECT_EQ(Numbers(), "");
  connection_.RunScript("CREATE TABLE later ()");
  EXPECT_STREQ(connection_.Read(read)[0][0].c_str(), "0");
}

TEST_F(TransactionTest, AStatementWhosePreparationTimedOutCanBePreparedLater) {
  testing::Session session(url_);
  session.Run("BEGIN; LOCK TABLE number");
  connection_.SetStatementTimeout(absl::Milliseconds(20), absl::Seconds(1));
  EXPECT_TRUE(Throws<pqxx::sql_error>([&] { Numbers(); }));
  session.Run("ROLLBACK");
  connection_.SetStatementTimeout(absl::Seconds(30), absl::Seconds(30));
  EXPECT_EQ(Numbers(), "");
  EXPECT_EQ(Numbers(), "");
}

}  // namespace
}  // namespace content::postgres
