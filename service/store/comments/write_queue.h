#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "postgres/pool.h"
#include "store/comments/batch.h"
#include "store/lock.h"

namespace content::store {

/// Writes of comments that wait for a connection of the pool. The next one that is free takes all
/// it may, and does them in one transaction: the busier it is, the less each write costs, and who
/// comes alone does not wait.
///
/// What is written to an article by one of its names is done in the order it came, and on one
/// connection at a time: what comes meanwhile makes the next batch. An article that another
/// transaction has locked (somebody else's, or a batch with another of its names) is left out, and
/// then waited for by itself, in a job that is not prompt.
///
/// A write whose caller's time is up, or who has gone, is not done. If one makes a batch fail,
/// those of the batch are done one by one. Thread-safe.
class WriteQueue {
 public:
  /// WriteComments, of comment_batch.h.
  using Work = std::function<std::vector<CommentAnswer>(
      postgres::Connection&, const std::vector<const CommentChange*>& changes, LockWait wait,
      bool in_doubt)>;

  /// It must live longer than `pool`, which need not live yet.
  WriteQueue(postgres::Pool& pool, Work work) : pool_(pool), work_(std::move(work)) {}

  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  /// Calls `done` on a thread of the pool; if the pool's queue is full, or half full of writes to
  /// the same article, at once on the calling thread, with RESOURCE_EXHAUSTED.
  void Add(CallContext context, CommentChange change, Callback<v1::Comment> done);

 private:
  struct Write {
    CallContext context;
    CommentChange change;
    Callback<v1::Comment> done;
    bool alone = false;  // because a batch with it failed
  };

  // By one of its names; kept as long as there is something to do for it.
  struct Article {
    std::deque<Write> waiting = {};
    bool is_running = false;
    bool is_locked = false;  // by another transaction
  };

  // Names of articles, in the order in which they are taken.
  using Line = std::deque<std::string>;

  // Writes that are done together.
  struct Batch {
    LockWait wait;
    bool begun = false;
    std::vector<std::string> articles = {};
    std::vector<Write> writes = {};
    std::vector<CommentAnswer> answers = {};
  };

  void Schedule(LockWait wait);
  CallContext Begin(const std::shared_ptr<Batch>& batch);
  void Finish(Batch& batch, const absl::Status& status);
  std::vector<Write> TakeAll();

  // With the mutex held.
  void Put(const std::string& name, Write write);
  void LineUp(const std::string& name, const Article& article);
  void ScheduleReady();
  void TakeReady(Batch& batch);
  void TakeFirst(Line& line, Batch& batch);
  void PutBack(Write write, bool alone);
  void Release(const Batch& batch);

  static bool HasRoom(const Batch& batch, const Article& article);

  postgres::Pool& pool_;
  const Work work_;
  std::mutex mutex_;
  std::map<std::string, Article> articles_;
  // Articles that have writes waiting and none running; each in one of these.
  Line ready_;
  Line locked_;  // and a job for each of these
  // Batches of what is ready: one may be scheduled, and some run.
  bool scheduled_ = false;
  int running_ = 0;
};

}  // namespace content::store
