// A pooler between the service and its database: used if every session keeps its PostgreSQL
// process, refused otherwise.

#include "postgres/pooler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/await.h"
#include "content/changes.h"
#include "postgres/connect.h"
#include "postgres/connect_error.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/known_database.h"
#include "postgres/pool.h"
#include "store/change_notifier.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/fake_clock.h"
#include "support/grpc_client.h"
#include "support/pgbouncer.h"

namespace content::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

constexpr char kRefusal[] = "contentd needs session mode";

class PoolerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!PgBouncer::IsInstalled()) GTEST_SKIP() << "PgBouncer is not installed";
  }
};

std::shared_ptr<postgres::KnownDatabase> Known(const std::string& url) {
  return std::make_shared<postgres::KnownDatabase>(*postgres::CompleteDsn(url));
}

// Opens and closes sessions, so that the pooler has this number of idle connections.
void MakeIdleConnections(const std::string& url, int count) {
  std::deque<Session> sessions;
  for (int i = 0; i < count; ++i) sessions.emplace_back(url).Run("BEGIN");
  for (Session& session : sessions) session.Run("ROLLBACK");
}

// ---- Recognition ----

TEST_F(PoolerTest, SharedConnectionsAreRecognised) {
  const std::string url = NewDatabase(/*migrated=*/false);
  for (const char* mode : {"transaction", "statement"}) {
    for (const char* round_robin : {"0", "1"}) {
      for (const int idle : {0, 1, 2, 3, 8}) {
        const PgBouncer pooler(
            url, {.mode = mode, .settings = absl::StrCat("server_round_robin = ", round_robin)});
        const std::string pooled = pooler.UrlOf(url);
        if (mode == std::string("transaction")) MakeIdleConnections(pooled, idle);
        EXPECT_THAT([&] { postgres::OpenRawConnection(*postgres::CompleteDsn(pooled)); },
                    ThrowsMessage<postgres::ConnectError>(HasSubstr(kRefusal)))
            << mode << " " << round_robin << " " << idle;
      }
    }
  }
}

TEST_F(PoolerTest, SharedConnectionsAreRecognisedWhileOthersUseThem) {
  const std::string url = NewDatabase(/*migrated=*/false);
  const PgBouncer pooler(url, {.mode = "transaction", .pool_size = 4});
  const std::string pooled = pooler.UrlOf(url);
  std::vector<std::jthread> others;
  for (int i = 0; i < 6; ++i) {
    others.emplace_back([&pooled](const std::stop_token& stop) {
      Session session(pooled);
      while (!stop.stop_requested()) session.Run("BEGIN; SELECT count(*) FROM pg_class; COMMIT");
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT([&] { postgres::OpenRawConnection(*postgres::CompleteDsn(pooled)); },
                ThrowsMessage<postgres::ConnectError>(HasSubstr(kRefusal)));
  }
}

TEST_F(PoolerTest, SessionModeIsNeverMistaken) {
  const std::string url = NewDatabase(/*migrated=*/false);
  for (const char* round_robin : {"0", "1"}) {
    const PgBouncer pooler(url, {.settings = absl::StrCat("server_round_robin = ", round_robin)});
    const std::string dsn = *postgres::CompleteDsn(pooler.UrlOf(url));
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&dsn] {
        for (int n = 0; n < 20; ++n) EXPECT_NO_THROW(postgres::OpenRawConnection(dsn));
      });
    }
  }
}

TEST_F(PoolerTest, APoolerWithoutAFreeConnectionIsNamed) {
  const std::string url = NewDatabase(/*migrated=*/false);
  for (const int size : {1, 2}) {
    const PgBouncer pooler(url, {.pool_size = size});
    Session other(pooler.UrlOf(url));
    other.Run("SELECT 1");
    try {
      postgres::OpenRawConnection(*postgres::CompleteDsn(pooler.UrlOf(url)));
      ADD_FAILURE() << "a pool of " << size << " has three connections";
    } catch (const postgres::ConnectError& error) {
      EXPECT_THAT(error.what(), HasSubstr("pool_size"));
      EXPECT_TRUE(error.is_turned_away());
    }
  }
}

// As when the one before waits for an address that does not answer.
TEST_F(PoolerTest, ACheckDoesNotWaitForItsTurnForLong) {
  const std::string url = NewDatabase(/*migrated=*/false);
  const PgBouncer pooler(url);
  const std::string dsn = *postgres::CompleteDsn(pooler.UrlOf(url));
  const postgres::RawConnection one = postgres::OpenRawConnection(dsn);
  const postgres::RawConnection other = postgres::OpenRawConnection(dsn);
  std::promise<void> begun, has_given_up;
  const auto wait = [&]() -> postgres::RawConnection {
    begun.set_value();
    has_given_up.get_future().wait();
    throw postgres::ConnectError("enough", postgres::ConnectError::Kind::kTemporary);
  };
  const std::jthread check(
      [&] { EXPECT_THROW(postgres::CheckPooler(one.get(), wait), postgres::ConnectError); });
  begun.get_future().wait();
  try {
    postgres::CheckPooler(other.get(), [&] { return postgres::OpenRawConnection(dsn); });
    ADD_FAILURE() << "two checks at a time";
  } catch (const postgres::ConnectError& error) {
    EXPECT_TRUE(error.is_turned_away());
  }
  has_given_up.set_value();
}

TEST_F(PoolerTest, AModeThatChangesLaterIsNoticed) {
  const std::string url = NewDatabase(/*migrated=*/false);
  PgBouncer pooler(url);
  FakeClock clock;
  postgres::Pool pool({.name = "reads", .database = Known(pooler.UrlOf(url)), .clock = &clock});
  const auto use = [&pool] {
    return Await<void>([&pool](auto done) {
      pool.Read<void>(
          {}, postgres::Pace::kAny, [](postgres::Connection&) { return absl::OkStatus(); },
          std::move(done));
    });
  };
  EXPECT_TRUE(use().ok());
  clock.Advance(absl::Seconds(5));  // it learns its process
  EXPECT_TRUE(use().ok());
  clock.Advance(absl::Seconds(5));
  EXPECT_TRUE(use().ok());
  pooler.SetMode("transaction");
  clock.Advance(absl::Seconds(5));
  // It lets go of its process. PgBouncer 1.21 and later have already taken that, which is noticed.
  const absl::Status changed = use();
  EXPECT_TRUE(changed.ok() || absl::IsUnavailable(changed)) << changed;
  Session other(pooler.UrlOf(url));
  other.Run("BEGIN");  // takes the process that was used last
  clock.Advance(absl::Seconds(5));
  EXPECT_TRUE(absl::IsUnavailable(use()));
}

// ---- The program ----

TEST_F(PoolerTest, EveryCommandRefusesSharedConnectionsInOneSentenceAndLeavesNoTrace) {
  const std::string url = NewDatabase(/*migrated=*/false);
  for (const char* mode : {"transaction", "statement"}) {
    const PgBouncer pooler(url, {.mode = mode});
    const std::string pooled = pooler.UrlOf(url);
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"serve", "--listen", "127.0.0.1:0"},
             {"migrate"},
             {"import", CONTENT_SOURCE_DIR "/deploy/samples/twenty-lines-and-two-traps.md"}}) {
      const Finished finished = RunContentd(command, {"CONTENT_DATABASE_URL=" + pooled});
      EXPECT_EQ(finished.status, command.front() == "import" ? 2 : 1);
      EXPECT_THAT(finished.err, AllOf(HasSubstr("contentd: database: a pooler in transaction"),
                                      HasSubstr(kRefusal), Not(HasSubstr("waiting for"))))
          << finished.err;
    }
    for (const char* setting : {"jit", "plan_cache_mode", "idle_in_transaction_session_timeout"}) {
      EXPECT_EQ(Query(pooled, absl::StrCat("SELECT setting = reset_val FROM pg_settings "
                                           "WHERE name = '",
                                           setting, "'")),
                "t");
    }
  }
  EXPECT_EQ(Query(url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
            "0");
}

TEST_F(PoolerTest, AServerBehindSessionModeHearsOfChangesThroughAnother) {
  const std::string url = NewDatabase();
  const PgBouncer pooler(url);
  ContentdServer pooled({"--database-url", pooler.UrlOf(url), "--max-staleness", "24h"});
  ContentdServer direct({"--database-url", url});
  Client reader(pooled.address());
  Client writer(direct.address());
  AwaitServing(reader);
  ASSERT_TRUE(writer.Publish(MakeArticle("story")).ok());
  const auto revision = [&reader] {
    v1::GetArticleRequest request;
    request.set_name("articles/story");
    v1::GetArticleResponse response;
    grpc::ClientContext context;
    return reader.content().GetArticle(&context, request, &response).ok()
               ? response.article().revision()
               : 0;
  };
  AwaitThat([&] { return revision() == 1; });
  ASSERT_TRUE(writer.Create(MakeCommentRequest("story", "text")).ok());
  AwaitThat([&] { return revision() == 2; });
}

// What a server needs with these flags: three pools of two, one of one, the notifications, and one
// for the check of a new session.
constexpr int kNeeded = 9;

TEST_F(PoolerTest, AServerThatGetsTooFewConnectionsSaysSoAtTheStart) {
  const std::string url = NewDatabase();
  for (const int size : {1, 2, kNeeded - 1}) {
    const PgBouncer pooler(url, {.pool_size = size});
    const Finished finished = RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url",
                                           pooler.UrlOf(url), "--database-wait", "0s",
                                           "--read-connections", "2", "--write-connections", "2"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.err, HasSubstr("pool_size"));
    if (size > 1) {
      EXPECT_THAT(finished.err, HasSubstr(absl::StrCat("has ", size, " connections left")));
    }
  }
}

TEST_F(PoolerTest, AServerThatGetsItsConnectionsServes) {
  const std::string url = NewDatabase();
  const PgBouncer pooler(url, {.pool_size = kNeeded});
  ContentdServer server(
      {"--database-url", pooler.UrlOf(url), "--read-connections", "2", "--write-connections", "2"});
  const Client client(server.address());
  AwaitServing(client);
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
  EXPECT_TRUE(client.Create(MakeCommentRequest("story", "text")).ok());
}

// ---- Notifications ----

ChangeNotice Notice(const std::string& id, int64_t revision) {
  return {.state = {.article_id = id, .revision = revision}, .name = id};
}

// Announces changes, and keeps what it hears.
class Notifier {
 public:
  explicit Notifier(const std::string& url)
      : database_(Known(url)),
        notifier_(database_, /*notifications=*/true),
        subscription_(notifier_.Subscribe([this](const ChangeNotice& notice) {
          const std::lock_guard lock(mutex_);
          heard_.push_back(notice.name);
        })) {}

  void Announce(const std::string& id) { notifier_.Announce({Notice(id, 1)}, database_->id()); }

  std::vector<std::string> heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  const std::shared_ptr<postgres::KnownDatabase> database_;
  std::mutex mutex_;
  std::vector<std::string> heard_;  // Guarded by mutex_.
  store::ChangeNotifier notifier_;
  std::unique_ptr<Subscription> subscription_;
};

// Sessions take their name in the statement that listens.
void AwaitListeners(const std::string& url, const std::string& count) {
  AwaitThat([&] {
    return Query(url,
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                 "AND application_name LIKE '% notifications' AND state = 'idle'") == count;
  });
}

TEST_F(PoolerTest, OwnNoticesAreHeardOnceAlsoBehindAPooler) {
  const std::string url = NewDatabase(/*migrated=*/false);
  const PgBouncer pooler(url);
  Notifier own(pooler.UrlOf(url));
  Notifier other(url);
  AwaitListeners(url, "2");
  own.Announce("first");
  AwaitThat([&other] { return other.heard() == std::vector<std::string>{"first"}; });
  other.Announce("last");
  AwaitThat([&own] { return !own.heard().empty() && own.heard().back() == "last"; });
  EXPECT_THAT(own.heard(), ElementsAre("first", "last"));
}

// The pooler is told not to reset connections, and gives both of them to new clients.
TEST_F(PoolerTest, NotificationsLeaveCommitsOfOthersSynchronous) {
  const std::string url = NewDatabase(/*migrated=*/false);
  Query(url, absl::StrCat("ALTER DATABASE ", Query(url, "SELECT current_database()"),
                          " SET synchronous_commit = on"));
  const PgBouncer pooler(url, {.pool_size = 2, .settings = "server_reset_query ="});
  Notifier other(url);
  {
    Notifier own(pooler.UrlOf(url));
    AwaitListeners(url, "2");
    own.Announce("first");
    AwaitThat([&other] { return !other.heard().empty(); });
  }
  Session one(pooler.UrlOf(url));
  Session two(pooler.UrlOf(url));
  EXPECT_EQ(one.Run("SHOW synchronous_commit"), "on");
  EXPECT_EQ(two.Run("SHOW synchronous_commit"), "on");
}

}  // namespace
}  // namespace content::testing
