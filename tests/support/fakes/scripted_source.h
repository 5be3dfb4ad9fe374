#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "content/errors.h"
#include "watch/feed.h"

namespace content::testing {

/// A source for a feed, controlled by the test. A key has numbered events, each of which is one
/// message, "KEY:NUMBER". A cursor is the number of the last event that was read.
///
/// Reads and polls are answered at once, until Hold. Thread-safe.
class ScriptedSource final : public watch::Source {
 public:
  static constexpr int kBatchSize = 2;

  /// Reads of this key are neither held nor counted.
  static constexpr char kUnheldKey[] = "unheld";

  void Poll(CallContext, watch::Positions positions, Callback<std::vector<bool>> done) override {
    const std::lock_guard lock(mutex_);
    ++poll_count_;
    if (holds_) {
      held_polls_.push_back(std::move(done));
      changed_.notify_all();
      return;
    }
    if (!failure_.ok()) return std::move(done)(failure_);
    std::vector<bool> has_changes;
    for (const watch::Position& position : *positions) {
      has_changes.push_back(event_counts_[position.key] != ParseCursor(position));
    }
    std::move(done)(std::move(has_changes));
  }

  void Read(CallContext, watch::Position position, Callback<watch::Batch> done) override {
    const std::lock_guard lock(mutex_);
    const bool is_held = holds_ && position.key != kUnheldKey;
    if (position.key != kUnheldKey) ++read_count_;
    if (is_held) {
      held_reads_.push_back(std::move(done));
      changed_.notify_all();
      return;
    }
    if (!failure_.ok()) return std::move(done)(failure_);
    const int end = event_counts_[position.key];
    if (end < 0) return std::move(done)(ArticleNotFound(position.key));
    std::move(done)(MakeBatch(position.key, ParseCursor(position), end));
  }

  void SetEvents(const std::string& key, int count) {
    const std::lock_guard lock(mutex_);
    event_counts_[key] = count;
  }

  /// Reads of `key` fail with ARTICLE_NOT_FOUND from now on.
  void Remove(const std::string& key) { SetEvents(key, -1); }

  /// Everything fails with `failure` from now on.
  void SetFailure(absl::Status failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }

  /// From now on the test answers reads and polls.
  void Hold() {
    const std::lock_guard lock(mutex_);
    holds_ = true;
  }

  /// Blocks until at least `count` reads are held, and takes all of them.
  std::vector<Callback<watch::Batch>> AwaitReads(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_reads_.size() >= count; });
    return std::exchange(held_reads_, {});
  }

  /// Blocks until a poll is held, and takes it. There must be only one.
  Callback<std::vector<bool>> AwaitPoll() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !held_polls_.empty(); });
    EXPECT_EQ(held_polls_.size(), 1);
    auto polls = std::exchange(held_polls_, {});
    return std::move(polls.front());
  }

  int read_count() {
    const std::lock_guard lock(mutex_);
    return read_count_;
  }

  int poll_count() {
    const std::lock_guard lock(mutex_);
    return poll_count_;
  }

 private:
  static int ParseCursor(const watch::Position& position) {
    int number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(position.cursor, &number)) << position.cursor;
    return number;
  }

  static watch::Message MakeMessage(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
  }

  static watch::Batch MakeBatch(const std::string& key, int after, int end) {
    const int last = std::min(after + kBatchSize, end);
    watch::Batch batch{.messages = {},
                       .cursor = absl::StrCat(last),
                       .heartbeat = MakeMessage(absl::StrCat("heartbeat at ", last)),
                       .complete = last == end};
    for (int i = after + 1; i <= last; ++i) {
      batch.messages.push_back(MakeMessage(absl::StrCat(key, ":", i)));
    }
    return batch;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::map<std::string, int> event_counts_;
  absl::Status failure_;
  bool holds_ = false;
  std::vector<Callback<watch::Batch>> held_reads_;
  std::vector<Callback<std::vector<bool>>> held_polls_;
  int read_count_ = 0;
  int poll_count_ = 0;
};

}  // namespace content::testing
