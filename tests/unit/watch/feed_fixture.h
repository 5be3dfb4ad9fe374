#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fakes/scripted_source.h"
#include "watch/feed.h"

namespace content::watch {

using testing::FakeClock;
using testing::ScriptedSource;

/// A watcher's next messages.
using Answer = std::future<absl::StatusOr<std::vector<Message>>>;

inline Answer Ask(Watcher& watcher, CallContext call = {}) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<std::vector<Message>>>>();
  watcher.Next(std::move(call), [answer](absl::StatusOr<std::vector<Message>> messages) {
    answer->set_value(std::move(messages));
  });
  return answer->get_future();
}

inline bool IsPending(const Answer& answer) {
  return answer.wait_for(std::chrono::seconds(0)) == std::future_status::timeout;
}

/// Waits for the messages. A failure is its reason.
inline std::vector<std::string> Texts(Answer answer) {
  const absl::StatusOr<std::vector<Message>> messages = answer.get();
  if (!messages.ok()) return {ReasonOf(messages.status())};
  std::vector<std::string> texts;
  for (const Message& message : *messages) texts.push_back(*message);
  return texts;
}

/// An answer to a read that the source held.
inline Batch OneMessage() {
  const auto message = std::make_shared<const std::string>("message");
  return {.messages = {message}, .cursor = "1", .heartbeat = message};
}

/// A feed with a scripted source, on a clock that only the test advances. Where the feed should
/// act, tests wait for its effect; where it should not, they Settle first.
class FeedTest : public ::testing::Test {
 protected:
  using Strings = std::vector<std::string>;

  /// The default options, on the fake clock.
  Feed::Options MakeOptions() {
    Feed::Options options;
    options.clock = &clock_;
    return options;
  }

  /// Replaces the feed and its source.
  void Open(const Feed::Options& options) {
    auto source = std::make_unique<ScriptedSource>();
    source_ = source.get();
    feed_.emplace(std::move(source), options);
  }

  void SetUp() override { Open(options_); }

  /// A watcher that has been told that there is nothing after `number`.
  std::unique_ptr<Watcher> CaughtUp(const std::string& key, int number) {
    source_->SetEvents(key, number);
    auto watcher = std::make_unique<Watcher>(*feed_, Position{key, absl::StrCat(number)});
    EXPECT_EQ(Texts(Ask(*watcher)), Strings{absl::StrCat("heartbeat at ", number)});
    return watcher;
  }

  /// Returns when the feed's thread has done all work that is due at the current time. It runs at
  /// most a few tasks in a row, and each of these reads takes two.
  void Settle() { Settle(*feed_); }

  static void Settle(Feed& feed) {
    for (int i = 0; i < 3; ++i) {
      Watcher watcher(feed, {ScriptedSource::kUnheldKey, "0"});
      Ask(watcher).wait();
    }
  }

  /// Advances the clock once the feed waits on it.
  void Advance(absl::Duration duration) {
    Settle();
    clock_.Advance(duration);
  }

  FakeClock clock_;
  const Feed::Options options_ = MakeOptions();
  std::optional<Feed> feed_;
  ScriptedSource* source_ = nullptr;  // owned by the feed
};

}  // namespace content::watch
