#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "postgres/connection.h"
#include "postgres/failure.h"
#include "postgres/pool.h"

namespace content::postgres {

/// An answer for each of some keys; nothing: not this time.
template <class Answer>
using Answers = std::vector<std::optional<Answer>>;

/// Reads of one kind. Those that wait for a connection of the pool are done together by the next
/// one that is free, and those with the same key share an answer; who comes alone does not wait. So
/// the busier it is, the less each read costs, and one statement that takes long holds up only the
/// reads that are in it.
///
/// A read whose caller's time is up, or who has gone, is not done. If one read makes a statement
/// fail, the others of its batch are done without it. Thread-safe.
template <class Key, class Answer>
class Batch {
 public:
  /// Answers at least one of these keys, each different. May throw pqxx exceptions.
  using Work = std::function<Answers<Answer>(Connection&, const std::vector<Key>& keys)>;

  /// It must live longer than `pool`, which need not live yet.
  Batch(Pool& pool, Work work) : pool_(pool), work_(std::move(work)) {}

  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Calls `done` on a thread of the pool; if the pool's queue is full at once, on the calling
  /// thread, with RESOURCE_EXHAUSTED.
  void Read(CallContext context, Key key, Callback<Answer> done) {
    if (absl::Status status = pool_.Enter(); !status.ok()) return std::move(done)(status);
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back({std::move(context), std::move(key), std::move(done)});
      if (std::exchange(scheduled_, true)) return;
    }
    Schedule();
  }

 private:
  struct Request {
    CallContext context;
    Key key;
    Callback<Answer> done;
    bool alone = false;  // because a batch with it failed
  };

  // Requests that are answered together.
  struct Round {
    bool begun = false;
    std::vector<Request> requests = {};
    std::vector<Key> keys = {};
    std::vector<size_t> places = {};  // for each request that of its key
    Answers<Answer> answers = {};
  };

  // A larger batch costs hardly less for each, and its first wait for its last.
  static constexpr size_t kMaxRequests = 64;

  void Schedule() {
    auto round = std::make_shared<Round>();
    pool_.RunLater([this, round] { return Begin(round); },
                   [this, round](Connection& connection, bool) {
                     round->answers = work_(connection, round->keys);
                     return absl::OkStatus();
                   },
                   [this, round](absl::Status status) { Finish(*round, status); });
  }

  // Fills the round; answers with how long it is worth the work.
  CallContext Begin(const std::shared_ptr<Round>& round) {
    round->begun = true;
    round->requests = Take();
    CallContext context{.deadline = SteadyTime::InfinitePast(), .cancelled = [round] {
                          return std::all_of(round->requests.begin(), round->requests.end(),
                                             IsGone);
                        }};
    std::map<Key, size_t> known;
    for (const Request& request : round->requests) {
      const auto [place, is_new] = known.try_emplace(request.key, round->keys.size());
      if (is_new) round->keys.push_back(request.key);
      round->places.push_back(place->second);
      context.deadline = std::max(context.deadline, request.context.deadline);
    }
    return context;
  }

  // The next requests that somebody still waits for. If more are left, another connection may begin
  // with them.
  std::vector<Request> Take() {
    std::vector<Request> taken;
    bool more = false;
    {
      const std::lock_guard lock(mutex_);
      while (!waiting_.empty() && taken.size() < kMaxRequests) {
        if (!taken.empty() && (taken.back().alone || waiting_.front().alone)) break;
        taken.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      more = scheduled_ = !waiting_.empty();
    }
    if (more) Schedule();
    pool_.Leave(taken.size());
    std::vector<Request> wanted;
    for (Request& request : taken) {
      if (absl::Status status = CheckCaller(request.context); status.ok()) {
        wanted.push_back(std::move(request));
      } else {
        std::move(request.done)(std::move(status));
      }
    }
    return wanted;
  }

  void Finish(Round& round, const absl::Status& status) {
    if (!round.begun) round.requests = TakeAll();
    if (status.ok()) {
      AnswerAll(round);
    } else if (round.requests.size() > 1 && MayBeOnesFault(status)) {
      for (Request& request : round.requests) request.alone = true;
      PutBack(std::move(round.requests));
    } else {
      for (Request& request : round.requests) std::move(request.done)(status);
    }
  }

  // Only when the pool ends: nothing is scheduled any more.
  std::vector<Request> TakeAll() {
    const std::lock_guard lock(mutex_);
    std::vector<Request> taken(std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    pool_.Leave(taken.size());
    return taken;
  }

  void AnswerAll(Round& round) {
    const bool shared = round.keys.size() < round.requests.size();
    std::vector<Request> unanswered;
    for (size_t i = 0; i < round.requests.size(); ++i) {
      std::optional<Answer>& answer = round.answers[round.places[i]];
      if (!answer) {
        unanswered.push_back(std::move(round.requests[i]));
      } else {
        std::move(round.requests[i].done)(shared ? *answer : *std::move(answer));
      }
    }
    PutBack(std::move(unanswered));
  }

  // Before all others: they have waited longest.
  void PutBack(std::vector<Request> requests) {
    if (requests.empty()) return;
    pool_.EnterAgain(requests.size());
    {
      const std::lock_guard lock(mutex_);
      waiting_.insert(waiting_.begin(), std::make_move_iterator(requests.begin()),
                      std::make_move_iterator(requests.end()));
      if (std::exchange(scheduled_, true)) return;
    }
    Schedule();
  }

  static bool IsGone(const Request& request) {
    return request.context.cancelled && request.context.cancelled();
  }

  Pool& pool_;
  const Work work_;
  std::mutex mutex_;
  std::deque<Request> waiting_;
  bool scheduled_ = false;  // the pool will take what waits
};

}  // namespace content::postgres
