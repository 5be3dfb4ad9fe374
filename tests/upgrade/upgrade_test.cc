// An upgrade of servers under load, on 1,200,000 comments (plans/data.sql): no call fails or takes
// more than a second. The new program is contentd with one more migration (next.sql).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/other_contentd.h"

namespace content::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThreads = 4;
constexpr int64_t kCallsOfAPhase = 5000;
constexpr std::chrono::milliseconds kMaxTime{1000};

std::string TextOf(const std::string& path) {
  std::ifstream file(std::string(CONTENT_SOURCE_DIR) + "/tests/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Like AwaitThat, but leaves the processors to those that are measured.
template <class Predicate>
void Await(Predicate holds) {
  const auto end = Clock::now() + std::chrono::minutes(20);
  while (!holds()) {
    ASSERT_LT(Clock::now(), end) << "waited in vain";
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// Counts calls by phase. Thread-safe.
class Figures {
 public:
  void Add(const grpc::Status& status, Clock::duration took) {
    const std::lock_guard lock(mutex_);
    ++calls_;
    slowest_ = std::max(slowest_, took);
    if (status.ok()) return;
    ++failed_;
    ADD_FAILURE() << "a call failed with " << status.error_code() << ": " << status.error_message();
  }

  // Prints and checks the figures since the last phase, and begins another.
  void EndPhase(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto milliseconds = [](Clock::duration duration) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    };
    const Clock::time_point now = Clock::now();
    std::cout << absl::StrFormat("%-40s %8d calls %4d failed %6d ms slowest %7.1f s\n", name,
                                 calls_, failed_, milliseconds(slowest_),
                                 std::chrono::duration<double>(now - begin_).count())
              << std::flush;
    EXPECT_GT(calls_, 0);
    EXPECT_LT(slowest_, kMaxTime) << name;
    calls_ = failed_ = 0;
    slowest_ = {};
    begin_ = now;
  }

  int64_t calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  // Each guarded by mutex_.
  int64_t calls_ = 0;
  int64_t failed_ = 0;
  Clock::duration slowest_ = {};
  Clock::time_point begin_ = Clock::now();
};

// Threads that read and write through servers, each with one of them.
class Load {
 public:
  explicit Load(Figures& figures, const std::string& address) : figures_(figures) {
    for (int i = 0; i < kThreads; ++i) {
      Use(i, address);
      threads_.emplace_back([this, i](const std::stop_token& stop) { Run(i, stop); });
    }
  }

  // From its next round on, this thread uses the server at `address`.
  void Use(int thread, const std::string& address) {
    const std::lock_guard lock(mutex_);
    clients_[static_cast<size_t>(thread)] = std::make_shared<Client>(address);
  }

  void Stop() { threads_.clear(); }

  // Waits until each thread has begun a round, and ended it.
  void AwaitRounds() {
    std::array<int64_t, kThreads> before{};
    for (size_t i = 0; i < before.size(); ++i) before[i] = rounds_[i];
    Await([&] {
      for (size_t i = 0; i < before.size(); ++i) {
        if (rounds_[i] < before[i] + 2) return false;
      }
      return true;
    });
  }

 private:
  void Run(int thread, const std::stop_token& stop) {
    std::minstd_rand random(static_cast<unsigned>(thread) + 1);
    while (!stop.stop_requested()) {
      std::shared_ptr<Client> client;
      {
        const std::lock_guard lock(mutex_);
        client = clients_[static_cast<size_t>(thread)];
      }
      RunRound(*client, random);
      ++rounds_[static_cast<size_t>(thread)];
    }
  }

  // Reads an article and a page of its comments, writes a comment, changes it, reads it.
  void RunRound(const Client& client, std::minstd_rand& random) {
    // One round in four is on the article that has a million comments.
    const auto number = random() % 4 == 0 ? 1 : 1 + 10 * (random() % 10000);
    const std::string article = absl::StrCat("articles/art-", number);
    v1::GetArticleRequest get;
    get.set_name(article);
    Call<v1::GetArticleResponse>(client, &v1::ContentService::Stub::GetArticle, get);
    v1::ListCommentsRequest list;
    list.set_parent(article);
    list.set_order(v1::COMMENT_ORDER_NEWEST);
    Call<v1::ListCommentsResponse>(client, &v1::ContentService::Stub::ListComments, list);
    v1::CreateCommentRequest create = MakeCommentRequest("x", "A comment under load.");
    create.set_parent(article);
    const auto created =
        Call<v1::CreateCommentResponse>(client, &v1::ContentService::Stub::CreateComment, create);
    if (!created) return;
    v1::UpdateCommentRequest update;
    update.mutable_comment()->set_name(created->comment().name());
    update.mutable_comment()->set_body("A comment that was changed under load.");
    Call<v1::UpdateCommentResponse>(client, &v1::ContentService::Stub::UpdateComment, update);
    v1::GetCommentRequest comment;
    comment.set_name(created->comment().name());
    Call<v1::GetCommentResponse>(client, &v1::ContentService::Stub::GetComment, comment);
  }

  template <class Response, class Method, class Request>
  std::optional<Response> Call(const Client& client, Method method, const Request& request) {
    Response response;
    const Clock::time_point start = Clock::now();
    const grpc::Status status = Client::Call(method, client.content(), request, response);
    figures_.Add(status, Clock::now() - start);
    return status.ok() ? std::optional(response) : std::nullopt;
  }

  Figures& figures_;
  std::mutex mutex_;
  std::array<std::shared_ptr<Client>, kThreads> clients_;  // Guarded by mutex_.
  std::array<std::atomic<int64_t>, kThreads> rounds_{};
  std::vector<std::jthread> threads_;  // last: they use the others
};

std::string NewLargeDatabase() {
  std::string url = NewDatabase();
  Session session(url);
  session.Run("BEGIN;" + TextOf("support/without_indexes.sql") + TextOf("plans/data.sql") +
              "COMMIT");
  session.Run("VACUUM ANALYZE");
  session.Run("CHECKPOINT");
  // Migrations meet autovacuum, as they do in production.
  session.Run("ALTER SYSTEM RESET autovacuum_naptime");
  session.Run("SELECT pg_reload_conf()");
  return url;
}

// Runs `contentd migrate` of the new program in a thread. `pid` is set when it has started.
std::future<Finished> MigrateToNext(const std::string& url, std::atomic<int>& pid) {
  return std::async(std::launch::async, [url, &pid] {
    return RunContentd({"migrate", "--database-url", url}, {},
                       [&pid](const Running& migration) { pid = migration.pid; });
  });
}

// Waits until the migration has tried to get a lock several times.
void AwaitAttempts(const std::string& url) {
  std::set<std::string> attempts;
  Await([&] {
    const std::string begin = Query(
        url,
        "SELECT query_start FROM pg_stat_activity WHERE application_name = 'contentd migrate' "
        "AND wait_event_type = 'Lock'");
    if (!begin.empty()) attempts.insert(begin);
    return attempts.size() >= 4;
  });
}

void AwaitNoMigration(const std::string& url) {
  Await([&] {
    return Query(url,
                 "SELECT count(*) FROM pg_stat_activity "
                 "WHERE application_name LIKE 'contentd migrate%'") == "0";
  });
}

void AwaitCalls(Figures& figures, int64_t count) {
  Await([&] { return figures.calls() >= count; });
}

TEST(Upgrade, FailsAndDelaysNoCall) {
  const std::string url = NewLargeDatabase();
  auto old = std::make_unique<ContentdServer>(std::vector<std::string>{"--database-url", url});
  AwaitServing(Client(old->address()));
  Figures figures;
  Load load(figures, old->address());
  AwaitCalls(figures, kCallsOfAPhase);
  figures.EndPhase("the old server");

  const OtherContentd next(CONTENTD_NEXT);
  std::atomic<int> pid = 0;
  Session reader(url);
  reader.Run("BEGIN; SELECT FROM comment LIMIT 1");
  auto interrupted = MigrateToNext(url, pid);
  AwaitAttempts(url);
  reader.Run("COMMIT");
  figures.EndPhase("the old server, the migration waits for a lock");

  Await([&] {
    return Query(url, "SELECT coalesce(max(row_count), 0) > 300000 FROM schema_migration") == "t";
  });
  Query(url,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name LIKE 'contentd migrate%'");
  const Finished ended = interrupted.get();
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, ::testing::HasSubstr("trying again"));
  figures.EndPhase("the old server, a migration is interrupted");

  auto killed = MigrateToNext(url, pid);
  Await([&] { return Query(url, "SELECT count(*) FROM pg_stat_progress_create_index") != "0"; });
  kill(pid, SIGKILL);
  EXPECT_EQ(killed.get().status, -SIGKILL);
  AwaitNoMigration(url);
  figures.EndPhase("the old server, a migration is killed");

  const Finished migrated = MigrateToNext(url, pid).get();
  EXPECT_EQ(migrated.status, 0) << migrated.err;
  std::cout << migrated.err;
  figures.EndPhase("the old server, the migration goes on");

  ContentdServer renewed({"--database-url", url});
  AwaitServing(Client(renewed.address()));
  for (int i = 0; i < kThreads / 2; ++i) load.Use(i, renewed.address());
  AwaitCalls(figures, kCallsOfAPhase);
  figures.EndPhase("the old and the new server");

  for (int i = kThreads / 2; i < kThreads; ++i) load.Use(i, renewed.address());
  load.AwaitRounds();
  old->Signal(SIGTERM);
  EXPECT_EQ(old->Wait(), 0);
  AwaitCalls(figures, kCallsOfAPhase);
  figures.EndPhase("the new server");
  load.Stop();

  EXPECT_EQ(Query(url,
                  "SELECT indisvalid FROM pg_index WHERE indexrelid = "
                  "'comment_by_length'::regclass"),
            "t");
  // What was there before the upgrade has the new column.
  EXPECT_EQ(Query(url,
                  "SELECT count(*) FROM comment WHERE body_length IS NULL "
                  "AND create_time < '2026-01-01'"),
            "0");
}

}  // namespace
}  // namespace content::testing
