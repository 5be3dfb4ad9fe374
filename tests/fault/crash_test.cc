// Kills the server and the database in the middle of comment writes. Every comment that was
// acknowledged must be there exactly once, nothing twice, and the counts must be those of the rows.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/nodes.h"

namespace content::testing {
namespace {

constexpr int kWriters = 6;
constexpr int kArticles = 3;
constexpr std::chrono::seconds kPatience{120};
// How long a writer waits before it repeats a failed call.
constexpr std::chrono::milliseconds kBackoff{10};

// State shared by the writers: the current address of the server, and the comments it has
// acknowledged.
class Ledger {
 public:
  // Empty while no server runs.
  void SetAddress(const std::string& address) {
    const std::lock_guard lock(mutex_);
    address_ = address;
    changed_.notify_all();
  }

  // Waits while no server runs, so that writers do not slow down its restart.
  std::string AwaitAddress(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return !address_.empty(); });
    return address_;
  }

  void Acknowledge(const std::string& body, const std::string& name) {
    const std::lock_guard lock(mutex_);
    acknowledged_.emplace(body, name);
    changed_.notify_all();
  }

  void AwaitMore(size_t count) {
    std::unique_lock lock(mutex_);
    const size_t goal = acknowledged_.size() + count;
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, [&] { return acknowledged_.size() >= goal; }))
        << acknowledged_.size() << " of " << goal << " comments were acknowledged";
  }

  // Names by body.
  const std::map<std::string, std::string>& acknowledged() const { return acknowledged_; }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string address_;
  std::map<std::string, std::string> acknowledged_;
};

v1::CreateCommentRequest CommentOf(int writer, int number) {
  auto request = MakeCommentRequest(absl::StrCat("article-", number % kArticles),
                                    absl::StrCat(writer, "/", number));
  request.set_request_id(absl::StrFormat("%08x-0000-4000-8000-%012x", writer, number));
  return request;
}

// Writes one comment after the other, each repeated through crashes until it is acknowledged.
void WriteComments(const std::stop_token& stop, Ledger& ledger, int writer) {
  auto client = std::make_unique<Client>(ledger.AwaitAddress(stop));
  for (int number = 0; !stop.stop_requested(); ++number) {
    const v1::CreateCommentRequest request = CommentOf(writer, number);
    v1::CreateCommentResponse response;
    while (!stop.stop_requested() && !client->Create(request, &response).ok()) {
      std::this_thread::sleep_for(kBackoff);
      client = std::make_unique<Client>(ledger.AwaitAddress(stop));
    }
    if (response.has_comment()) {
      ledger.Acknowledge(request.comment().body(), response.comment().name());
    }
  }
}

class CrashTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Start();
    Client client(server_->address());
    for (int i = 0; i < kArticles; ++i) {
      ASSERT_TRUE(client.Publish(MakeArticle(absl::StrCat("article-", i))).ok());
    }
    for (int writer = 0; writer < kWriters; ++writer) {
      writers_.emplace_back(
          [this, writer](const std::stop_token& stop) { WriteComments(stop, ledger_, writer); });
    }
  }

  void Start() {
    server_.reset();
    server_.emplace(url_.empty() ? std::vector<std::string>{"--data-dir", data_dir_}
                                 : std::vector<std::string>{"--database-url", url_});
    ledger_.SetAddress(server_->address());
  }

  void KillServer() {
    ledger_.SetAddress("");
    server_->Signal(SIGKILL);
    EXPECT_EQ(server_->Wait(), -SIGKILL);
  }

  // `node` is one of PidOfNode(), on Citus only.
  void SignalDatabase(int signal, size_t node = 0) const {
    int pid = 0;
    if (OnCitus()) {
      pid = PidOfNode(node);
    } else {
      std::ifstream(data_dir_ + "/postgres/postmaster.pid") >> pid;
    }
    ASSERT_GT(pid, 1);
    ASSERT_EQ(kill(pid, signal), 0);
  }

  // Stops writing and checks the comments as another service would see them.
  void ExpectEveryAcknowledgedCommentOnce() {
    for (auto& writer : writers_) writer.request_stop();
    writers_.clear();
    std::map<std::string, std::string> found;
    for (int i = 0; i < kArticles; ++i) ReadAll(absl::StrCat("articles/article-", i), found);
    EXPECT_GT(ledger_.acknowledged().size(), 0);
    for (const auto& [body, name] : ledger_.acknowledged()) {
      EXPECT_EQ(found[body], name) << body << " was acknowledged";
    }
  }

  Ledger ledger_;

 private:
  void ReadAll(const std::string& article, std::map<std::string, std::string>& found) {
    Client client(server_->address());
    v1::ListCommentsRequest request;
    request.set_parent(article);
    request.set_page_size(200);
    int64_t count = 0;
    int64_t promised = 0;
    do {
      v1::ListCommentsResponse page;
      const grpc::Status status = List(client, request, page);
      ASSERT_TRUE(status.ok()) << status.error_message();
      for (const auto& comment : page.comments()) {
        EXPECT_TRUE(found.emplace(comment.body(), comment.name()).second)
            << comment.body() << " is there twice";
      }
      count += page.comments_size();
      promised = page.comment_count();
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(count, promised) << article;
  }

  // The backends of a killed database may have run long enough to accept the last comments; then
  // the database is away only now.
  static grpc::Status List(const Client& client, const v1::ListCommentsRequest& request,
                           v1::ListCommentsResponse& page) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (true) {
      grpc::Status status =
          Client::Call(&v1::ContentService::Stub::ListComments, client.content(), request, page);
      const bool is_away = status.error_code() == grpc::StatusCode::UNAVAILABLE;
      if (!is_away || std::chrono::steady_clock::now() > deadline) return status;
      std::this_thread::sleep_for(kBackoff);
    }
  }

  const std::string url_ = OnCitus() ? NewDatabase() : "";
  // Unless there is a URL.
  const std::string data_dir_ = absl::StrCat(
      ScratchDirectory(), "/", ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::optional<ContentdServer> server_;
  std::vector<std::jthread> writers_;  // last: they use the ledger
};

TEST_F(CrashTest, TheServerIsKilled) {
  for (int round = 0; round < 3; ++round) {
    ledger_.AwaitMore(100);
    KillServer();
    Start();
  }
  ledger_.AwaitMore(100);
  ExpectEveryAcknowledgedCommentOnce();
}

TEST_F(CrashTest, TheDatabaseIsKilled) {
  for (size_t round = 0; round < 3; ++round) {
    ledger_.AwaitMore(100);
    SignalDatabase(SIGKILL, round);
  }
  ledger_.AwaitMore(100);
  ExpectEveryAcknowledgedCommentOnce();
}

TEST_F(CrashTest, TheServerAndThenTheDatabaseAreKilled) {
  if (OnCitus()) GTEST_SKIP() << "the server does not run the database";
  ledger_.AwaitMore(100);
  SignalDatabase(SIGSTOP);  // or it would begin an orderly end when its server dies
  KillServer();
  SignalDatabase(SIGKILL);
  Start();
  ledger_.AwaitMore(100);
  SignalDatabase(SIGKILL);
  KillServer();
  Start();
  ledger_.AwaitMore(100);
  ExpectEveryAcknowledgedCommentOnce();
}

}  // namespace
}  // namespace content::testing
