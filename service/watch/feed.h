#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/memory_guard.h"
#include "base/shares.h"

// Watches: many callers wait for changes, and each change is read once for all of them.
namespace content::watch {

/// A message in wire format, shared by all watchers that receive it.
using Message = std::shared_ptr<const std::string>;

/// What a watcher watches (`key`), and how much of it the watcher has been sent (`cursor`). Only
/// the source interprets the two texts.
struct Position {
  std::string key;
  std::string cursor;

  bool operator<(const Position& other) const {
    return std::tie(key, cursor) < std::tie(other.key, other.cursor);
  }
};

/// Shared, so that a poll of thousands of positions copies them once. Sorted.
using Positions = std::shared_ptr<const std::vector<Position>>;

/// The messages that follow a position.
struct Batch {
  std::vector<Message> messages;
  /// The cursor of a watcher that has been sent `messages`.
  std::string cursor;
  /// Heartbeat for a watcher at `cursor`, which says that there is nothing new.
  Message heartbeat;
  /// If false, more messages can be read at once.
  bool complete = true;
};

/// Something that can be watched. Called by one thread at a time; may answer on any thread.
class Source {
 public:
  virtual ~Source() = default;

  /// Answers with one entry per position: whether there may be something to read. Costs at most one
  /// query.
  virtual void Poll(CallContext call, Positions positions, Callback<std::vector<bool>> done) = 0;

  /// Answers with as many of the messages that follow a position as fit into a batch. Complete
  /// reads of one key return the same cursor unless something happens between them.
  virtual void Read(CallContext call, Position position, Callback<Batch> done) = 0;
};

/// Serves the watchers of a source, and reads once for all watchers at the same position: a
/// thousand watchers of one article cost one query per change.
///
///   Feed feed(NewCommentSource(articles, changes), {});
///   Watcher watcher(feed, CommentPosition("story", 0));
///   watcher.Next(call, [](absl::StatusOr<std::vector<Message>> messages) { ... });
///
/// The feed polls its source at an interval, and soon after Wake. A watcher to which nothing
/// happens gets a heartbeat at an interval. While the source cannot be reached, watchers wait until
/// their heartbeat is due. They then get the error instead, because a heartbeat would say that all
/// is well, and can continue on another server. All intervals use the steady clock.
class Feed {
 public:
  struct Options {
    /// Maximum time between two messages to a watcher.
    absl::Duration heartbeat_interval = absl::Seconds(10);
    /// Time between two polls while somebody waits.
    absl::Duration poll_interval = absl::Milliseconds(250);
    /// Minimum time between two polls, however often the feed is woken. The pause is longer, up to
    /// poll_interval, if the source answers slowly.
    absl::Duration poll_pause = absl::Milliseconds(20);
    /// Time for the source to answer, after which it counts as unreachable.
    absl::Duration read_timeout = absl::Seconds(10);
    /// Maximum number of watchers, which accounts share (Shares); further ones get OVERLOADED.
    size_t max_watchers = 10'000;
    /// While memory is short, new watchers get MEMORY_SHORT. Must outlive the feed. nullptr: it is
    /// never short.
    const MemoryGuard* memory = nullptr;
    /// Nothing is read while this many bytes wait to be taken by watchers. A shared message counts
    /// once. Watchers whose read has not begun when their heartbeat is due get OVERLOADED.
    int64_t max_untaken_bytes = int64_t{256} << 20;
    /// Must outlive the feed.
    SteadyClock* clock = &SteadyClock::System();
  };

  Feed(std::unique_ptr<Source> source, Options options);

  /// All watchers must have been destroyed.
  ~Feed();

  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  /// Tells the feed that something may have happened, so that it polls soon. Cheap, even if called
  /// often. Thread-safe; does not block.
  void Wake();

  /// Ends the wait of every present and future watcher with ServerStopping. Thread-safe.
  void Stop();

  /// Returns the number of watchers that were admitted. Thread-safe.
  size_t watcher_count() const;

 private:
  friend class Watcher;
  class Inbox;

  // A batch that watchers share, with the wake_count_ at which it was read.
  struct StampedBatch : Batch {
    int64_t wake_count = 0;
  };
  using SharedBatch = std::shared_ptr<const StampedBatch>;

  // What a watcher remembers about the last batch that it was sent.
  struct Progress {
    Message heartbeat;
    bool complete;
    int64_t wake_count;
  };

  // A watcher that waits for its next batch.
  struct Waiter {
    CallContext call;
    Callback<SharedBatch> done;  // empty once it has been called
    SteadyTime heartbeat_due;
    bool has_received;  // the watcher has been sent something before
  };

  // The waiters at one position.
  struct Group {
    Message heartbeat;       // nullptr until a waiter has received something
    absl::Status failure;    // not OK: the source could not say whether there is something
    int64_t wake_count = 0;  // wake_count_ when the source was last asked about this position
    SteadyTime read_deadline = SteadyTime::InfinitePast();  // of the read, once it has begun
    std::vector<Waiter> waiters;
  };

  using Groups = std::map<Position, Group>;

  // Counts a new watcher, unless it returns an error: there are too many, in all or of the account,
  // or memory is short.
  absl::Status AddWatcher(Account account);
  void RemoveWatcher(Account account);

  // Calls `done` with the batch that follows `position`: at once if there is one, otherwise as soon
  // as there is, or with a heartbeat when that is due. `progress` is nullopt if the watcher has
  // received nothing yet.
  void Next(CallContext call, Position position, std::optional<Progress> progress,
            Callback<SharedBatch> done);

  CallContext ReadContext() const;
  SharedBatch Share(Batch batch, int64_t wake_count);
  static SharedBatch Heartbeat(std::string cursor, const Group& group);
  static void Answer(Waiter& waiter, absl::StatusOr<SharedBatch> batch);
  static void RemoveAnswered(std::vector<Waiter>& waiters);
  static void Join(Group group, Group& into);

  // These run on the feed's thread.
  void Run(const std::stop_token& stop);
  bool WantsPoll() const;
  SteadyTime NextStep(SteadyTime next_round) const;
  void Park(const Position& position, Group group);
  void Read(const Position& position, Group group);
  void StartReads();
  void TakeRead(const Position& position, absl::StatusOr<Batch> batch);
  void TakeBatch(const std::string& key, Group group, Batch batch);
  void TakeFailure(const Position& position, Group group, const absl::Status& status);
  void Poll(SteadyTime now);
  void TakePoll(const Positions& positions, int64_t wake_count,
                const absl::StatusOr<std::vector<bool>>& has_changes);
  void EndDueWaits(SteadyTime now);
  static void EndDueWaitsOf(Group& group, const std::string& cursor, SteadyTime now);
  void EndAllWaits();

  const Options options_;
  SteadyClock& clock_;
  const std::unique_ptr<Source> source_;
  const std::shared_ptr<Inbox> inbox_;
  mutable std::mutex watchers_mutex_;
  Shares watchers_;                  // Guarded by watchers_mutex_.
  std::atomic<bool> woken_ = false;  // Wake was called since the last poll.

  // Everything below belongs to the feed's thread. The other threads post tasks to the inbox.
  Groups parked_;
  Groups reading_;
  std::deque<Position> pending_reads_;  // of groups in reading_, for one of the kMaxReads slots
  int reads_under_way_ = 0;
  int64_t untaken_bytes_ = 0;
  int64_t wake_count_ = 0;  // several wakes before a poll count as one
  bool poll_wanted_ = false;
  bool polling_ = false;
  SteadyTime poll_began_;
  SteadyTime poll_deadline_;
  SteadyTime next_poll_ = SteadyTime::InfinitePast();  // at the earliest
  bool stopped_ = false;

  std::jthread thread_;  // Last: it uses the other members.
};

/// One watcher of a feed. Not thread-safe.
class Watcher {
 public:
  /// `feed` must outlive the watcher.
  Watcher(Feed& feed, Position start);
  ~Watcher();

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Answers with the next messages, at least one, as soon as there are any. Fails with CANCELLED
  /// or DEADLINE_EXCEEDED soon after the call is cancelled or its deadline has passed.
  ///
  /// The first call asks the feed to admit the watcher, as one of the call's account. If it does
  /// not, this and every later call fail with OVERLOADED or MEMORY_SHORT.
  ///
  /// Must not be called again before the previous call was answered. Between calls, a watcher costs
  /// nothing and misses nothing. It must not be destroyed before the answer; `done` may destroy it.
  /// `done` is called on the feed's thread and must not block.
  void Next(CallContext call, Callback<std::vector<Message>> done);

 private:
  std::vector<Message> Take(const Feed::SharedBatch& batch);

  Feed& feed_;
  Account account_ = kOwnWork;             // set with admission_
  std::optional<absl::Status> admission_;  // nullopt before the first call
  Position position_;
  std::optional<Feed::Progress> progress_;
};

}  // namespace content::watch
