#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/call.h"

// Watching: many callers wait for changes, and each change is read once for all who wait for it.
namespace content::watch {

/// A message as it goes over the wire; everybody who is sent it shares it.
using Message = std::shared_ptr<const std::string>;

/// Where a watcher stands: what it watches, and how much of that it has been sent. What the two
/// texts hold is the source's business.
struct Position {
  std::string key;
  std::string cursor;

  bool operator<(const Position& other) const {
    return std::tie(key, cursor) < std::tie(other.key, other.cursor);
  }
};

/// What comes after a position.
struct Batch {
  std::vector<Message> messages;
  /// Of those who have been sent this.
  std::string cursor;
  /// Tells those who stand at `cursor` that there is nothing new.
  Message heartbeat;
  /// Whether this was everything; otherwise more can be read at once.
  bool complete = true;
};

/// What is watched. Called from one thread at a time; answers may come on any.
class Source {
 public:
  virtual ~Source() = default;

  /// For each position whether there may be something to read. One query, or none, for all.
  virtual void Poll(CallContext call, std::vector<Position> positions,
                    Callback<std::vector<bool>> done) = 0;

  /// What comes after a position, as much as fits into a batch. Positions that were read with the
  /// same `now`, and are complete, have the same cursor unless something happened between the
  /// reads.
  virtual void Read(CallContext call, Position position, absl::Time now, Callback<Batch> done) = 0;
};

/// Keeps those who watch a source, and has it read for all who stand at the same position at once:
/// a thousand who watch one article cost one query for each of its changes.
///
/// The source is asked now and again whether anything has happened, and at once if the feed is
/// woken. Those for whom nothing has get a heartbeat from time to time. When the source cannot be
/// reached they wait on, until a heartbeat is due, which would say that all is well: then they get
/// the error, and can go on elsewhere.
class Feed {
 public:
  struct Options {
    /// How long a watcher is left without a message.
    absl::Duration heartbeat_interval = absl::Seconds(10);
    /// How often the source is asked whether anything has happened.
    absl::Duration poll_interval = absl::Milliseconds(250);
    /// How long it is left alone in between at least, however often the feed is woken; longer, up
    /// to poll_interval, if it takes long to answer: a feed in which many wait is no burden.
    absl::Duration poll_pause = absl::Milliseconds(20);
    /// How long the source may take to answer before it counts as out of reach.
    absl::Duration read_timeout = absl::Seconds(10);
  };

  Feed(std::unique_ptr<Source> source, Options options);

  /// There must be no Watcher any more.
  ~Feed();

  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  /// Tells that something may have happened, so that it is found soon. Costs next to nothing if it
  /// comes often, or if nobody watches. Thread-safe; does not block.
  void Wake();

  /// Ends the wait of every watcher, of those to come too, with ServerStopping. Thread-safe.
  void Stop();

  /// How many there are. Thread-safe.
  int64_t watcher_count() const { return watchers_; }

 private:
  friend class Watcher;
  class Inbox;

  // A batch as it is sent, and how often the feed had been woken when it was read.
  struct Sent : Batch {
    int64_t wakes = 0;
  };
  using SharedBatch = std::shared_ptr<const Sent>;

  // Somebody who waits for the next batch.
  struct Waiter {
    CallContext call;
    Callback<SharedBatch> done;  // empty once it has been answered
    SteadyTime heartbeat_due;
    bool greeted;  // has been sent something before
  };

  // Those who stand at the same position.
  struct Group {
    Message heartbeat;     // none while nobody here has been greeted
    absl::Status failure;  // why it is not known whether there is news
    int64_t wakes = 0;     // how often the feed had been woken when this was last looked at
    // When the read should have been answered, if there is one: until then nobody need worry.
    SteadyTime read_ends = SteadyTime::InfinitePast();
    std::vector<Waiter> waiters;
  };

  using Groups = std::map<Position, Group>;

  // A read that is to be made.
  struct Wish {
    Position position;
    absl::Time now;
  };

  // Calls `done` with what comes after `position`: at once if there is anything, otherwise when
  // there is, or when a heartbeat is due. `last` is what was sent before, nullptr at the start.
  void Await(CallContext call, Position position, SharedBatch last, Callback<SharedBatch> done);

  CallContext ReadContext() const;
  static SharedBatch Heartbeat(std::string cursor, const Group& group);
  static void Answer(Waiter& waiter, absl::StatusOr<SharedBatch> batch);
  static void RemoveAnswered(std::vector<Waiter>& waiters);
  static void Join(Group group, Group& into);

  // The rest runs on the feed's thread, and the members below belong to it.
  void Run(const std::stop_token& stop);
  void Park(const Position& position, Group group);
  void Read(const Position& position, Group group, absl::Time now);
  void StartReads();
  void TakeRead(const Position& position, absl::StatusOr<Batch> batch);
  void TakeBatch(const std::string& key, Group group, Batch batch);
  void TakeFailure(const Position& position, Group group, const absl::Status& status);
  void Poll(SteadyTime now);
  void TakePoll(const std::vector<Position>& positions, absl::Time now, int64_t wakes,
                const absl::StatusOr<std::vector<bool>>& news);
  void EndWaits(SteadyTime now);
  static void EndWaits(SteadyTime now, const absl::StatusOr<SharedBatch>& nothing_new,
                       Group& group);
  void EndAll();

  const Options options_;
  const std::unique_ptr<Source> source_;
  std::atomic<int64_t> watchers_ = 0;
  std::atomic<bool> woken_ = false;
  const std::shared_ptr<Inbox> inbox_;

  Groups parked_;
  Groups reading_;
  std::deque<Wish> wishes_;  // the reads, for those in `reading_`, that have not begun
  int reads_under_way_ = 0;
  int64_t wakes_ = 0;  // how often the feed has been woken; often in a short time is once
  bool poll_wanted_ = false;
  bool polling_ = false;
  SteadyTime poll_began_;
  SteadyTime poll_ends_;                               // when it should have been answered
  SteadyTime next_poll_ = SteadyTime::InfinitePast();  // at the earliest
  bool stopped_ = false;

  std::jthread thread_;
};

/// One who watches. Not thread-safe.
class Watcher {
 public:
  /// `feed` must outlive it.
  Watcher(Feed& feed, Position start);
  ~Watcher();

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Answers with what is to be sent next, at least one message, when there is something; shortly
  /// after the call was cancelled or its deadline has passed, with that. Called again only when the
  /// last answer has been given: who does not ask costs nothing, and misses nothing. The watcher
  /// must live until the answer is given; `done` may end it. `done` is called on the feed's thread
  /// and must not block.
  void Next(CallContext call, Callback<std::vector<Message>> done);

 private:
  Feed& feed_;
  Position position_;
  Feed::SharedBatch last_;
};

}  // namespace content::watch
