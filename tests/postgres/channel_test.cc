#include "postgres/channel.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/detour.h"
#include "postgres/dsn.h"
#include "postgres/known_database.h"
#include "support/await_that.h"
#include "support/database.h"

namespace content::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One end of a channel.
class Peer {
 public:
  explicit Peer(const std::string& url, absl::Duration lifetime = absl::InfiniteDuration())
      : database_(std::make_shared<KnownDatabase>(*CompleteDsn(url))),
        channel_(
            database_, "test_channel", lifetime, [this] { return TakePayloads(); },
            [this](absl::string_view payload, const DatabaseId& from) { Receive(payload, from); }) {
  }

  void Send(std::vector<std::string> payloads) {
    {
      const std::lock_guard lock(mutex_);
      for (std::string& payload : payloads) unsent_.push_back(std::move(payload));
    }
    channel_.Wake();
  }

  // Waits for `count` payloads, and returns what it has received.
  std::vector<std::string> Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return received_.size() >= count; });
    return received_;
  }

 private:
  std::vector<std::string> TakePayloads() {
    const std::lock_guard lock(mutex_);
    return std::exchange(unsent_, {});
  }

  void Receive(absl::string_view payload, const DatabaseId& from) {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(from.ToString(), database_->id().ToString());
    received_.emplace_back(payload);
    changed_.notify_all();
  }

  const std::shared_ptr<KnownDatabase> database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> unsent_;    // Guarded by mutex_.
  std::vector<std::string> received_;  // Guarded by mutex_.
  Channel channel_;
};

// Waits until this many sessions listen. They take their name in the statement that listens.
void AwaitListeners(const std::string& url, int count) {
  while (testing::Query(url,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                        "AND application_name LIKE '% notifications' "
                        "AND state = 'idle'") != absl::StrCat(count)) {
  }
}

TEST(ChannelTest, EveryoneReceivesWhatIsSent) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  Peer first(url);
  Peer second(url);
  AwaitListeners(url, 2);
  const std::string longest(Channel::kMaxPayloadBytes, 'x');
  first.Send({"a", "it's \"b\"", longest});
  EXPECT_THAT(second.Await(3), ElementsAre("a", "it's \"b\"", longest));
  EXPECT_THAT(first.Await(3), ElementsAre("a", "it's \"b\"", longest));
  second.Send({"c"});
  EXPECT_EQ(first.Await(4).back(), "c");
}

// Commits wait for this standby, which does not exist.
class MissingStandby {
 public:
  explicit MissingStandby(const std::string& url) : url_(url) { Set("'nobody'", "nobody"); }
  ~MissingStandby() { Set("DEFAULT", ""); }

  MissingStandby(const MissingStandby&) = delete;
  MissingStandby& operator=(const MissingStandby&) = delete;

 private:
  void Set(const std::string& value, const std::string& effect) {
    testing::Query(url_, absl::StrCat("ALTER SYSTEM SET synchronous_standby_names = ", value));
    testing::Query(url_, "SELECT pg_reload_conf()");
    testing::AwaitThat(
        [&] { return testing::Query(url_, "SHOW synchronous_standby_names") == effect; });
  }

  const std::string url_;
};

TEST(ChannelTest, SendingDoesNotWaitForTheCommit) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  Peer peer(url);
  AwaitListeners(url, 1);
  const MissingStandby standby(url);
  peer.Send({"a"});
  EXPECT_THAT(peer.Await(1), ElementsAre("a"));
}

TEST(ChannelTest, SendsWhatWaitedWhenItsConnectionIsThereAgain) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  testing::Session listener(url);
  Peer sender(url);
  AwaitListeners(url, 1);
  {
    const testing::Outage outage(url);
    sender.Send({"a"});
  }
  AwaitListeners(url, 1);
  Peer receiver(url);
  AwaitListeners(url, 2);
  sender.Send({"b"});
  EXPECT_THAT(receiver.Await(1), ElementsAre("b"));
}

TEST(ChannelTest, SendsAndReceivesWhileANewConnectionIsBeingOpened) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  const Detour detour(url);
  Peer peer(detour.url(), absl::Milliseconds(20));
  AwaitListeners(url, 1);
  detour.Begin();
  const int opening = detour.Accept();
  peer.Send({"a"});
  EXPECT_THAT(peer.Await(1), ElementsAre("a"));
  EXPECT_TRUE(Waits(opening)) << "it has been waited for";
  close(opening);
}

// While it lives, no thread can be started: none has room for its stack.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t attributes = before_;
    pthread_attr_setstacksize(&attributes, size_t{1} << 62);
    pthread_setattr_default_np(&attributes);
  }
  ~NoMoreThreads() { pthread_setattr_default_np(&before_); }

  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;

 private:
  pthread_attr_t before_ = {};
};

// What is written to standard error meanwhile.
class StandardError {
 public:
  StandardError() {
    EXPECT_EQ(pipe(pipe_.data()), 0);
    dup2(pipe_[1], STDERR_FILENO);
  }
  ~StandardError() {
    dup2(before_, STDERR_FILENO);
    for (const int fd : {before_, pipe_[0], pipe_[1]}) close(fd);
  }

  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;

  std::string AwaitText() const {
    std::array<char, 4096> text;
    return {text.data(), static_cast<size_t>(read(pipe_[0], text.data(), text.size()))};
  }

 private:
  const int before_ = dup(STDERR_FILENO);
  std::array<int, 2> pipe_ = {};
};

TEST(ChannelTest, KeepsItsConnectionIfTheSystemHasNoThreadToOpenAnother) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  Peer peer(url, absl::Milliseconds(100));
  AwaitListeners(url, 1);
  {
    const StandardError standard_error;
    const NoMoreThreads no_more_threads;
    EXPECT_THAT(standard_error.AwaitText(), HasSubstr("database connection not renewed"));
  }
  peer.Send({"a"});
  EXPECT_THAT(peer.Await(1), ElementsAre("a"));
}

TEST(ChannelTest, ANewConnectionTakesOverAfterTheLifetime) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  Peer receiver(url, absl::Milliseconds(20));
  std::set<std::string> sessions;
  testing::AwaitThat([&] {
    sessions.insert(testing::Query(
        url,
        "SELECT max(pid) FROM pg_stat_activity WHERE application_name LIKE '% notifications' "
        "AND datname = current_database()"));
    return sessions.size() >= 4;
  });
  Peer sender(url);
  sender.Send({"text"});
  EXPECT_EQ(receiver.Await(1)[0], "text");
}

}  // namespace
}  // namespace content::postgres
