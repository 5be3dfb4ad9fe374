// What the store tells of itself.

#include <future>
#include <memory>
#include <thread>

#include "postgres/dsn.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

class InfoTest : public StoreTest {
 protected:
  void Check() {
    std::promise<void> answered;
    store_->Check({}, [&answered](const absl::Status&) { answered.set_value(); });
    answered.get_future().wait();
  }

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
  std::vector<std::string> names;
  for (const v1::PoolInfo& pool : info.pools()) names.push_back(pool.name());
  EXPECT_THAT(names, ::testing::ElementsAre("reads", "writes", "publishing", "checks"));
}

TEST_F(InfoTest, TellsHowBusyAPoolIs) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  store_ = *NewPostgresStore({.url = url_, .write_connections = 1, .queue_limit = 7});
  EXPECT_EQ(PoolOf("writes").connection_limit(), 1);
  EXPECT_EQ(PoolOf("writes").open_connections(), 0);
  EXPECT_EQ(PoolOf("writes").queue_limit(), 7);

  testing::Session session(url_);
  session.Run("BEGIN; SELECT FROM article_state FOR UPDATE");
  std::vector<std::future<void>> answers;
  const auto write = [&] {
    auto answer = std::make_shared<std::promise<void>>();
    answers.push_back(answer->get_future());
    store_->CreateComment({}, MakeComment("post", "x"),
                          [answer](const absl::StatusOr<v1::Comment>&) { answer->set_value(); });
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
  for (auto& answer : answers) answer.wait();
  EXPECT_EQ(PoolOf("writes").waiting_calls(), 0);
  while (PoolOf("writes").busy_connections() > 0) std::this_thread::yield();
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

TEST(RedactedDsn, AUrlIsWhereTheDatabaseIsAndAsWhomItIsUsed) {
  EXPECT_EQ(postgres::RedactedDsn("postgresql://app@db1:5432,db2:5433/content?sslmode=verify-full"),
            "user=app dbname=content host=db1,db2 port=5432,5433 sslmode=verify-full");
  EXPECT_EQ(postgres::RedactedDsn("host=/run/postgresql dbname=content connect_timeout=5"),
            "connect_timeout=5 dbname=content host=/run/postgresql");
  EXPECT_EQ(postgres::RedactedDsn(""), "");
}

TEST(RedactedDsn, AUrlHasNothingSecretOrUnknown) {
  for (const char* url : {
           "postgresql://me:secret@db/x",
           "postgresql://db/x?user=me&password=secret",
           "postgresql://db/x?user=me&sslpassword=secret&passfile=/secret&sslkey=secret",
           "postgresql://db/x?user=me&options=-csecret&service=&krbsrvname=secret",
           "user=me password=secret host=db dbname=x",
           "user=me passfile=/secret sslpassword = 'the secret' host=db dbname=x",
           "password='it''s secret' user=me dbname=x host=db",
           // Of which libpq takes a part of the password for the host, or a URL for a name.
           "postgresql://me:pass@secret@db/x",
           "postgresql://me:pass/secret@db/x",
           "postgresql://me%3Asecret@db/x",
           "dbname=postgresql://me:secret@db/x",
           "dbname='host=db password=secret'",
           // Which it cannot parse.
           "postgresql://me:secret@[::1/x",
           "me secret",
       }) {
    EXPECT_THAT(postgres::RedactedDsn(url), ::testing::Not(::testing::HasSubstr("secret"))) << url;
  }
  EXPECT_EQ(postgres::RedactedDsn("postgresql://me:secret@db/x"), "user=me dbname=x host=db");
}

}  // namespace
}  // namespace content::store
