// Which sessions are used, and when they no longer are.

#include "postgres/known_database.h"

#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/await.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/connect_error.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/pool.h"
#include "postgres/transaction.h"
#include "support/database.h"
#include "support/pending.h"

namespace content::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Pending;

class KnownDatabaseTest : public ::testing::Test {
 protected:
  // Returns why the session is refused; empty if it is admitted.
  std::string Admit(uint64_t system, uint32_t timeline) {
    try {
      known_->Admit({.system = system, .timeline = timeline}, "a", "5432");
      return "";
    } catch (const ConnectError& error) {
      EXPECT_TRUE(error.is_wrong_server());
      return error.what();
    }
  }

  absl::StatusOr<std::string> Read(Pool& pool, const std::string& sql) {
    return Await<std::string>([&](Callback<std::string> done) {
      pool.Read(
          {}, Pace::kPrompt,
          [sql](Connection& connection) -> absl::StatusOr<std::string> {
            return connection.Read(sql)[0][0].as<std::string>();
          },
          std::move(done));
    });
  }

  const std::string url_ = *CompleteDsn(testing::NewDatabase(/*migrated=*/false));
  int failovers_ = 0;
  const std::shared_ptr<KnownDatabase> known_ =
      std::make_shared<KnownDatabase>(url_, [this] { ++failovers_; });
};

TEST_F(KnownDatabaseTest, TheFirstSessionDecidesWhichDatabaseItIs) {
  EXPECT_EQ(Admit(7, 3), "");
  EXPECT_EQ(known_->id().ToString(), "7.3");
  EXPECT_EQ(Admit(7, 3), "");
  EXPECT_THAT(Admit(8, 3), HasSubstr("another database cluster"));
  EXPECT_THAT(Admit(8, 4), HasSubstr("another database cluster"));
  EXPECT_THAT(Admit(7, 2), HasSubstr("old primary"));
  EXPECT_EQ(failovers_, 0);
  EXPECT_EQ(known_->id().ToString(), "7.3");
}

TEST_F(KnownDatabaseTest, ALaterTimelineIsAFailover) {
  Admit(7, 3);
  EXPECT_FALSE(known_->IsOutdated({7, 3}));
  EXPECT_EQ(Admit(7, 5), "");
  EXPECT_EQ(failovers_, 1);
  EXPECT_TRUE(known_->IsOutdated({7, 3}));
  EXPECT_THAT(Admit(7, 3), HasSubstr("old primary"));
  EXPECT_EQ(Admit(7, 5), "");
  EXPECT_EQ(failovers_, 1);
}

TEST_F(KnownDatabaseTest, WaysToTheSameDatabaseShareWhatIsKnown) {
  KnownDatabase other("host='b'", *known_);
  Admit(7, 3);
  EXPECT_EQ(other.id().ToString(), "7.3");
  other.Admit({7, 4}, "b", "5432");
  EXPECT_EQ(failovers_, 1);
  EXPECT_TRUE(known_->IsOutdated({7, 3}));
  EXPECT_THAT(Admit(7, 3), HasSubstr("old primary"));
  EXPECT_THAT(other.Dsns(), ElementsAre("host='b'"));
}

TEST_F(KnownDatabaseTest, ASessionKnowsItsDatabase) {
  Connection connection(url_);
  connection.PrepareSession(known_.get());
  EXPECT_EQ(absl::StrCat(connection.database().system),
            testing::Query(url_, "SELECT system_identifier FROM pg_control_system()"));
  EXPECT_EQ(absl::StrCat(connection.database().timeline),
            testing::Query(url_, "SELECT timeline_id FROM pg_control_checkpoint()"));
  EXPECT_EQ(known_->id().ToString(), connection.database().ToString());
}

TEST_F(KnownDatabaseTest, AStandbyIsAWrongServer) {
  try {
    ReadDatabaseId("7", "");
    FAIL();
  } catch (const ConnectError& error) {
    EXPECT_TRUE(error.is_wrong_server());
    EXPECT_STREQ(error.what(), "the database is a standby");
  }
  EXPECT_EQ(ReadDatabaseId("7", "0000000A").ToString(), "7.10");
}

// An old primary took it, and may be the only one that has it.
TEST_F(KnownDatabaseTest, ACommitIsInDoubtIfTheDatabaseHasFailedOverMeanwhile) {
  Connection connection(url_);
  connection.PrepareSession(known_.get());
  Transaction transaction(connection);
  transaction.Exec("SELECT 1");
  const DatabaseId id = known_->id();
  EXPECT_EQ(Admit(id.system, id.timeline + 1), "");
  EXPECT_TRUE(connection.is_outdated());
  EXPECT_THROW(transaction.Commit(), pqxx::in_doubt_error);
}

TEST_F(KnownDatabaseTest, APoolUsesNoOutdatedSession) {
  Pool pool({.name = "test", .database = known_, .connections = 2});
  ASSERT_EQ(*Read(pool, "SELECT 1"), "1");
  const DatabaseId id = known_->id();
  Admit(id.system, id.timeline + 1);
  EXPECT_EQ(Read(pool, "SELECT 1").status().code(), absl::StatusCode::kUnavailable);
}

// The old primary may never answer.
TEST_F(KnownDatabaseTest, AStatementOnAnOutdatedSessionIsGivenUp) {
  Pool pool({.name = "test", .database = known_, .connections = 2});
  testing::Session session(url_);
  session.Run("SELECT pg_advisory_lock(1)");
  Pending<std::string> answer;
  pool.Read(
      {}, Pace::kAny,
      [](Connection& connection) -> absl::StatusOr<std::string> {
        return connection.Read("SELECT pg_advisory_lock(1)::text")[0][0].as<std::string>();
      },
      answer.callback());
  testing::AwaitWaitersForLocks(url_, 1);
  const DatabaseId id = known_->id();
  Admit(id.system, id.timeline + 1);
  EXPECT_EQ(answer.Get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(KnownDatabaseTest, AllHostsAreTriedIfTheServerIsTheWrongOne) {
  const KnownDatabase known("host='a,b,c' port='5432,,1' dbname='x' ");
  std::vector<std::string> tried;
  known.TryHosts([&tried](const std::string& dsn) {
    tried.push_back(dsn);
    if (tried.size() < 3) throw ConnectError("wrong", ConnectError::Kind::kWrongServer);
  });
  EXPECT_THAT(tried, ElementsAre(HasSubstr("host='a,b,c' port='5432,,1'"),
                                 HasSubstr("host='b,c,a' port=',1,5432'"),
                                 HasSubstr("host='c,a,b' port='1,5432,'")));
}

// As a pooler does whose primary is lost.
TEST_F(KnownDatabaseTest, AllHostsAreTriedIfOneHasNoConnectionLeft) {
  const KnownDatabase known("host='a,b,c'");
  int attempts = 0;
  known.TryHosts([&attempts](const std::string&) {
    if (++attempts < 3) throw ConnectError("full", ConnectError::Kind::kTurnedAway);
  });
  EXPECT_EQ(attempts, 3);
}

TEST_F(KnownDatabaseTest, AHostWithoutAConnectionLeftIsReportedRatherThanWrongServers) {
  const KnownDatabase known("host='a,b,c,d'");
  int attempts = 0;
  try {
    known.TryHosts([&attempts](const std::string&) {
      switch (++attempts) {
        case 2:
          throw ConnectError("full", ConnectError::Kind::kTurnedAway);
        case 3:
          throw ConnectError("full too", ConnectError::Kind::kTurnedAway);
        default:
          throw ConnectError("wrong", ConnectError::Kind::kWrongServer);
      }
    });
    FAIL();
  } catch (const ConnectError& error) {
    EXPECT_TRUE(error.is_turned_away());
    EXPECT_STREQ(error.what(), "full");
  }
  EXPECT_EQ(attempts, 4);
}

TEST_F(KnownDatabaseTest, OtherFailuresAreLeftToLibpq) {
  const KnownDatabase known("host='a,b'");
  int attempts = 0;
  EXPECT_THROW(known.TryHosts([&attempts](const std::string&) {
    ++attempts;
    throw ConnectError("away", ConnectError::Kind::kTemporary);
  }),
               ConnectError);
  EXPECT_EQ(attempts, 1);
}

TEST_F(KnownDatabaseTest, TheHostOfTheLastSessionComesFirst) {
  KnownDatabase known("host='a,b' port='1,2' ");
  known.Admit({7, 1}, "b", "2");
  EXPECT_THAT(known.Dsns(), ElementsAre(HasSubstr("host='b,a' port='2,1'"),
                                        HasSubstr("host='a,b' port='1,2' host='a,b'")));
  known.Admit({7, 1}, "somewhere else", "2");
  EXPECT_THAT(known.Dsns()[0], HasSubstr("host='b,a'"));
}

// libpq has no port for a host of a URL that gives none.
TEST_F(KnownDatabaseTest, TheHostOfTheLastSessionComesFirstWithoutAPort) {
  for (const char* port : {"", "5432"}) {
    KnownDatabase known(*CompleteDsn("postgresql://content@a,b,c/content"));
    known.Admit({7, 1}, "b", port);
    EXPECT_THAT(known.Dsns()[0], HasSubstr("host='b,c,a'"));
  }
}

TEST_F(KnownDatabaseTest, ASingleHostNeedsNoOrder) {
  for (const char* dsn : {"host='a' port='1' ", "dbname='x' ", "hostaddr='::1' "}) {
    EXPECT_THAT(KnownDatabase(dsn).Dsns(), ElementsAre(dsn));
  }
  EXPECT_THAT(KnownDatabase("hostaddr='::1,::2' port='1' ").Dsns(),
              ElementsAre(HasSubstr("hostaddr='::1,::2'"), HasSubstr("hostaddr='::2,::1'")));
}

}  // namespace
}  // namespace content::postgres
