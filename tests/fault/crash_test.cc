// Kills the server and the database in the middle of comment writes. Every comment that was
// acknowledged must be there exactly once, nothing twice, and the counts must be those of the rows.

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/comment_load.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/nodes.h"

namespace content::testing {
namespace {

class CrashTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartServer();
    load_.Start(server_->address());
  }

  void Start() {
    StartServer();
    load_.SetAddress(server_->address());
  }

  void KillServer() {
    load_.SetAddress("");
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
    load_.Stop();
    const CommentLoad::Outcome outcome = load_.Check(server_->address());
    EXPECT_GT(outcome.acknowledged, 0);
    EXPECT_EQ(outcome.lost, 0);
    EXPECT_EQ(outcome.doubled, 0);
    EXPECT_TRUE(outcome.counts_are_right);
  }

 private:
  void StartServer() {
    server_.reset();
    server_.emplace(url_.empty() ? std::vector<std::string>{"--data-dir", data_dir_}
                                 : std::vector<std::string>{"--database-url", url_});
  }

  const std::string url_ = OnCitus() ? NewDatabase() : "";
  // Unless there is a URL.
  const std::string data_dir_ = absl::StrCat(
      ScratchDirectory(), "/", ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::optional<ContentdServer> server_;

 protected:
  CommentLoad load_{/*writers=*/6, /*articles=*/3};
};

TEST_F(CrashTest, TheServerIsKilled) {
  for (int round = 0; round < 3; ++round) {
    load_.AwaitMore(100);
    KillServer();
    Start();
  }
  load_.AwaitMore(100);
  ExpectEveryAcknowledgedCommentOnce();
}

TEST_F(CrashTest, TheDatabaseIsKilled) {
  for (size_t round = 0; round < 3; ++round) {
    load_.AwaitMore(100);
    SignalDatabase(SIGKILL, round);
  }
  load_.AwaitMore(100);
  ExpectEveryAcknowledgedCommentOnce();
}

TEST_F(CrashTest, TheServerAndThenTheDatabaseAreKilled) {
  if (OnCitus()) GTEST_SKIP() << "the server does not run the database";
  load_.AwaitMore(100);
  SignalDatabase(SIGSTOP);  // or it would begin an orderly end when its server dies
  KillServer();
  SignalDatabase(SIGKILL);
  Start();
  load_.AwaitMore(100);
  SignalDatabase(SIGKILL);
  KillServer();
  Start();
  load_.AwaitMore(100);
  ExpectEveryAcknowledgedCommentOnce();
}

}  // namespace
}  // namespace content::testing
