// The real binary on a machine whose clock is set.

#include "absl/time/clock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using Content = v1::ContentService::Stub;
using CommentStream = Stream<v1::WatchCommentsResponse>;

// More than there are workers in any pool.
constexpr int kCallsAtOnce = 16;

// The system clock of a contentd that is started with its environment (support/clock_shim.cc).
class SystemClock {
 public:
  SystemClock() : file_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) { Step({}); }
  ~SystemClock() { close(file_); }

  SystemClock(const SystemClock&) = delete;
  SystemClock& operator=(const SystemClock&) = delete;

  std::vector<std::string> Environment() const {
    const char* const asan = std::getenv("ASAN_OPTIONS");
    return {absl::StrCat("CLOCK_SHIM=", path_), absl::StrCat("LD_PRELOAD=", CLOCK_SHIM),
            // AddressSanitizer otherwise refuses to run unless it is loaded first.
            absl::StrCat("ASAN_OPTIONS=verify_asan_link_order=0:", asan == nullptr ? "" : asan)};
  }

  // Sets it ahead of the time of this process.
  void Step(std::chrono::seconds by) {
    const int64_t seconds = by.count();
    ASSERT_EQ(pwrite(file_, &seconds, sizeof seconds, 0), sizeof seconds);
  }

 private:
  const std::string path_ = ScratchDirectory() + "/clock";
  const int file_;
};

class ClockTest : public ::testing::Test {
 protected:
  // Articles are published a day ago, so that a clock that is set back still shows them.
  void Publish(const std::string& id) {
    v1::Article article = MakeArticle(id);
    *article.mutable_publish_time() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
        absl::ToUnixMicros(absl::Now() - absl::Hours(24)));
    ASSERT_TRUE(client_.Publish(article).ok());
  }

  // A read that no cache answers.
  grpc::Status List() {
    v1::ListArticlesResponse response;
    return Client::Call(&Content::ListArticles, client_.content(), v1::ListArticlesRequest(),
                        response);
  }

  grpc::Status Get(const std::string& id) {
    v1::GetArticleRequest request;
    request.set_name("articles/" + id);
    v1::GetArticleResponse response;
    return Client::Call(&Content::GetArticle, client_.content(), request, response);
  }

  grpc::Status Write(const std::string& id) {
    return client_.Create(MakeCommentRequest(id, "text"));
  }

  // Many calls of each kind at once, so that every worker of the server has something to do.
  std::vector<grpc::Status> CallAll() {
    std::vector<std::future<grpc::Status>> calls;
    for (int i = 0; i < kCallsAtOnce; ++i) {
      calls.push_back(std::async(std::launch::async, [this] { return List(); }));
      calls.push_back(std::async(std::launch::async, [this] { return Get("busy"); }));
      calls.push_back(std::async(std::launch::async,
                                 [this, i] { return Write(i % 2 == 0 ? "busy" : "other"); }));
    }
    std::vector<grpc::Status> statuses;
    for (auto& call : calls) statuses.push_back(call.get());
    return statuses;
  }

  // After this, every worker has lost its connection and has failed to get another one.
  void BreakConnections() {
    const Outage outage(url_);
    AwaitHealth(client_, grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    CallAll();
  }

  std::unique_ptr<CommentStream> WatchQuiet() {
    v1::WatchCommentsRequest request;
    request.set_parent("articles/quiet");
    auto stream =
        std::make_unique<CommentStream>(&Content::WatchComments, client_.content(), request);
    EXPECT_TRUE(stream->Read());
    return stream;
  }

  // The watch gets a comment, and then a heartbeat. (While the database was away, it got neither.)
  void ExpectAlive(CommentStream& watch) {
    const int64_t count = ++quiet_comments_;
    EXPECT_TRUE(Write("quiet").ok());
    std::optional<v1::WatchCommentsResponse> message;
    do {
      message = watch.Read();
      ASSERT_TRUE(message) << watch.Finish().error_message();
    } while (message->comment_count() < count);
    EXPECT_EQ(message->comments_size(), 1);
    message = watch.Read();
    ASSERT_TRUE(message) << watch.Finish().error_message();
    EXPECT_EQ(message->comments_size(), 0);
  }

  const std::string url_ = NewDatabase();
  SystemClock clock_;
  ContentdServer server_{{"--database-url", url_}, clock_.Environment()};
  Client client_{server_.address()};
  int64_t quiet_comments_ = 0;
};

TEST_F(ClockTest, SettingTheClockStallsNothing) {
  AwaitServing(client_);
  for (const char* id : {"busy", "other", "quiet"}) Publish(id);
  std::atomic<bool> done = false;
  const std::jthread load([&] {
    while (!done) {
      Get("busy");
      Write("busy");
    }
  });
  BreakConnections();
  AwaitServing(client_);
  for (const std::chrono::seconds step :
       {std::chrono::seconds(std::chrono::minutes(-10)),
        std::chrono::seconds(std::chrono::hours(48)), std::chrono::seconds(0)}) {
    SCOPED_TRACE(absl::StrCat("set by ", step.count(), " s"));
    const auto watch = WatchQuiet();
    clock_.Step(step);
    BreakConnections();
    AwaitServing(client_);
    for (const grpc::Status& status : CallAll()) {
      EXPECT_TRUE(status.ok()) << status.error_message();
    }
    ExpectAlive(*watch);
    if (HasFailure()) break;
  }
  done = true;
}

}  // namespace
}  // namespace content::testing
