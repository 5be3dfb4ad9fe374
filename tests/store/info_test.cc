// What the store reports about itself.

#include <string>
#include <thread>
#include <vector>

#include "base/await.h"
#include "store/store_fixture.h"
#include "support/await_that.h"
#include "support/locks.h"
#include "support/pending.h"

namespace content::store {
namespace {

class InfoTest : public StoreTest {
 protected:
  void Check() {
    Await<void>([this](Callback<void> done) { store_->Check({}, std::move(done)); }).IgnoreError();
  }

  // Returns the pool with this name.
  v1::PoolInfo PoolOf(const std::string& name) {
    const v1::StoreInfo info = store_->GetInfo();
    for (const v1::PoolInfo& pool : info.pools()) {
      if (pool.name() == name) return pool;
    }
    ADD_FAILURE() << "no pool " << name;
    return {};
  }
};

TEST_F(InfoTest, NamesThePoolsAndTheDatabase) {
  EXPECT_EQ(store_->GetInfo().database_version(), "");
  Check();
  const v1::StoreInfo info = store_->GetInfo();
  EXPECT_EQ(info.database_version(), testing::Query(url_, "SHOW server_version"));
  EXPECT_GE(info.schema_version(), 2);
  EXPECT_EQ(info.database_schema_version(), info.schema_version());
  std::vector<std::string> names;
  for (const v1::PoolInfo& pool : info.pools()) names.push_back(pool.name());
  EXPECT_THAT(names, ::testing::ElementsAre("reads", "writes", "publishing", "checks"));
}

TEST_F(InfoTest, ShowsTheSchemaOfAnUpgrade) {
  EXPECT_EQ(store_->GetInfo().database_schema_version(), 0);
  Sql("INSERT INTO schema_migration (version, name, checksum, applied_time, is_compatible) "
      "SELECT max(version) + 1, 'next', 'x', now(), true FROM schema_migration");
  Check();
  const v1::StoreInfo info = store_->GetInfo();
  EXPECT_EQ(info.database_schema_version(), info.schema_version() + 1);
}

// What makes the schema unsuitable, and suitable again.
struct SchemaChange {
  const char* make;
  const char* undo;
};
constexpr SchemaChange kUnsuitable[] = {
    {"INSERT INTO schema_migration (version, name, checksum, applied_time, is_compatible, "
     "steps_left) SELECT max(version) + 1, 'next', 'x', now(), false, 1 FROM schema_migration",
     "DELETE FROM schema_migration WHERE name = 'next'"},
    {"UPDATE schema_migration SET steps_left = 1 WHERE version = (SELECT max(version) FROM "
     "schema_migration)",
     "UPDATE schema_migration SET steps_left = 0"}};

// It may have checked the schema just before that changed.
TEST_F(InfoTest, AServerThatStartsInAnUnsuitableSchemaChangesNothing) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  for (const SchemaChange& change : kUnsuitable) {
    const std::string count = Sql("SELECT count(*) FROM comment");
    Sql(change.make);
    store_ = *Open(url_);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(ReasonOf(Create(MakeComment("post", "x")).status()), "STORE_UNAVAILABLE");
      EXPECT_EQ(ReasonOf(Publish(MakeArticle("other")).status()), "STORE_UNAVAILABLE");
      EXPECT_EQ(ReasonOf(Read("post").status()), "STORE_UNAVAILABLE");
    }
    EXPECT_EQ(Sql("SELECT count(*) FROM comment"), count);
    Sql(change.undo);
    EXPECT_TRUE(Create(MakeComment("post", "x")).ok());
    EXPECT_TRUE(Exists("post"));
  }
}

TEST_F(InfoTest, AServerRefusesWorkAfterACheckHasSeenAnUnsuitableSchema) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  for (const SchemaChange& change : kUnsuitable) {
    ASSERT_TRUE(Create(MakeComment("post", "x")).ok());
    const std::string count = Sql("SELECT count(*) FROM comment");
    Sql(change.make);
    Check();
    EXPECT_EQ(ReasonOf(Create(MakeComment("post", "x")).status()), "STORE_UNAVAILABLE");
    EXPECT_EQ(ReasonOf(Publish(MakeArticle("other")).status()), "STORE_UNAVAILABLE");
    EXPECT_EQ(Sql("SELECT count(*) FROM comment"), count);
    Sql(change.undo);
    EXPECT_TRUE(Create(MakeComment("post", "x")).ok());
  }
}

TEST_F(InfoTest, ReportsHowBusyAPoolIs) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  store_ = *NewPostgresStore({.url = url_, .write_connections = 1, .queue_limit = 7});
  EXPECT_EQ(PoolOf("writes").connection_limit(), 1);
  EXPECT_EQ(PoolOf("writes").open_connections(), 0);
  EXPECT_EQ(PoolOf("writes").queue_limit(), 7);

  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_));
  std::vector<testing::Pending<v1::Comment>> answers;
  const auto write = [&] {
    store_->CreateComment({}, MakeComment("post", "x"), answers.emplace_back().callback());
  };
  write();
  testing::AwaitWaitersForLocks(url_, 1);
  write();
  write();
  EXPECT_EQ(PoolOf("writes").open_connections(), 1);
  EXPECT_EQ(PoolOf("writes").busy_connections(), 1);
  EXPECT_EQ(PoolOf("writes").waiting_calls(), 2);
  EXPECT_EQ(PoolOf("reads").busy_connections(), 0);

  session.Run("ROLLBACK");
  for (auto& answer : answers) EXPECT_TRUE(answer.Get().ok());
  EXPECT_EQ(PoolOf("writes").waiting_calls(), 0);
  testing::AwaitThat([&] { return PoolOf("writes").busy_connections() == 0; });
}

TEST_F(InfoTest, AnswersWhileTheDatabaseCannotBeReached) {
  Check();
  ASSERT_NE(store_->GetInfo().database_version(), "");
  const testing::Outage outage(url_);
  Check();
  EXPECT_EQ(store_->GetInfo().database_version(), "");
  EXPECT_EQ(PoolOf("checks").open_connections(), 0);
  EXPECT_EQ(PoolOf("reads").connection_limit(), 4);
}

}  // namespace
}  // namespace content::store
