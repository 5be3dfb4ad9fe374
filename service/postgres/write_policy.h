#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/shares.h"
#include "postgres/admission.h"
#include "postgres/coalescer.h"
#include "postgres/connection.h"
#include "postgres/failure.h"
#include "postgres/job.h"
#include "postgres/turns.h"
#include "telemetry/log.h"

namespace content::postgres {

/// How to run a batch of writes.
struct WriteMode {
  /// If true, writes whose key another transaction has locked are skipped and answered with
  /// nullopt. Otherwise the batch waits for the locks.
  bool skip_locked;
  /// An earlier attempt may have been committed.
  bool in_doubt;
};

/// The policy of a Coalescer for writes that each lock a key (group commit).
/// - Writes to one key run on one connection at a time. Writes that arrive meanwhile form the next
///   batch.
/// - Accounts take turns, both for the keys that are ready and for the writes to one key. Writes of
///   one account to one key run in order of arrival. They also share the places of a key (Shares).
///   A turn for a key is one for all of its writes that fit into a batch, and comes when it is the
///   turn of any of their accounts.
/// - A transaction does as many writes as the policy's Limits allow: to any number of keys, but of
///   one group. A write without a group runs alone.
/// - At most kMaxPromptBatches batches of unlocked keys are under way. Their jobs are prompt.
/// - A key that another transaction has locked, or that the work leaves out as if it were, is left
///   out of its batch. A separate job, which is not prompt, then waits for it.
///
/// A job takes every write that it is allowed to take. Not thread-safe: the Coalescer's mutex
/// guards it.
template <class ItemType, class AnswerType, class Connection = postgres::Connection>
class WritePolicy {
 private:
  enum class State {
    kIdle,     // new
    kReady,    // in ready_
    kLocked,   // in locked_: another transaction has locked the key
    kRunning,  // in a batch
  };

 public:
  using Item = ItemType;
  using Answer = AnswerType;
  using Request = PendingRequest<Item, Answer>;

 private:
  struct Queue;
  using Entry = std::pair<const std::string, Queue>*;  // one of queues_
  using KeyQueue = FairQueue<Entry>;

  // The writes to one key. Exists while any of them waits or runs.
  struct Queue {
    explicit Queue(size_t limit) : places(limit) {}

    State state = State::kIdle;
    typename KeyQueue::iterator turn = {};  // in ready_ or locked_, if it is there
    FairQueue<Request> waiting = {};
    Shares places;         // of those that wait
    bool refuses = false;  // since it refused a write; until it is empty
  };
  using Queues = std::map<std::string, Queue>;

 public:
  struct Batch {
    Pace pace;
    std::optional<int> group = std::nullopt;  // of the first write
    std::vector<Entry> keys = {};
    std::vector<Request> requests = {};
    size_t bytes = 0;
  };

  /// Runs writes in one transaction, in this order, and answers each. May throw the exceptions of
  /// Connection; then none was done, or the outcome of all is unknown. The work may change a write
  /// to remember its attempt: the next attempt gets the same object. It must not change the key.
  using Work =
      std::function<BatchAnswers<Answer>(Connection&, const std::vector<Item*>&, WriteMode)>;

  /// Returns the key of a write.
  using KeyOf = const std::string& (*)(const Item&);

  /// Returns the group of a write; nullopt if no other write may share a batch with it. Called with
  /// the Coalescer's mutex held.
  using GroupOf = std::function<std::optional<int>(const Item&)>;

  /// Limits of a batch. Its first write may exceed them.
  struct Limits {
    /// Larger batches save little per write and delay the first one.
    size_t writes = 128;
    /// Limits the sum of `size_of`, if that is set.
    size_t bytes = 0;
    /// Returns the bytes that a write takes.
    size_t (*size_of)(const Item&) = nullptr;
    /// Whether a single write may make its batch wait for another transaction, although its key is
    /// not locked. A batch that runs out of time then runs again, one by one.
    bool may_wait = false;
  };

  /// While one batch waits for the disk, another works. With more, batches would be smaller, which
  /// costs more per write. The other connections wait for locked keys or run long jobs.
  static constexpr int kMaxPromptBatches = 2;

  /// Without `group_of`, all writes are of one group.
  WritePolicy(KeyOf key_of, Work work, GroupOf group_of = nullptr)
      : WritePolicy(key_of, std::move(work), std::move(group_of), Limits()) {}
  WritePolicy(KeyOf key_of, Work work, GroupOf group_of, Limits limits)
      : key_of_(key_of), work_(std::move(work)), group_of_(std::move(group_of)), limits_(limits) {}

  absl::Status CheckKey(const Item& item, Account account) {
    const auto entry = queues_.find(key_of_(item));
    if (entry == queues_.end() || entry->second.places.HasRoom(account)) return absl::OkStatus();
    auto& [key, queue] = *entry;
    if (!std::exchange(queue.refuses, true)) {
      log::Warning("too many writes to one key", {{"key", key}, {"waiting", queue.waiting.size()}});
    }
    const absl::string_view whose = queue.places.is_full() ? "" : "of this client ";
    return Overloaded(kAdmissionRetryDelay,
                      absl::StrCat("too many writes ", whose, "to \"", key, "\" are waiting"));
  }

  void Add(Request request, size_t limit_per_key) {
    const Entry entry = &*queues_.try_emplace(key_of_(request.item), limit_per_key).first;
    Queue& queue = entry->second;
    const Account account = request.account;
    queue.places.Take(account);
    queue.waiting.Add(account, std::move(request));
    if (queue.state == State::kIdle) {
      Enqueue(entry, State::kReady);
    } else if (queue.state != State::kRunning) {
      queue.turn = KeysIn(queue.state).Hasten(queue.turn, account);
    }
  }

  int WantedJobs(Pace pace) const {
    if (pace == Pace::kAny) return static_cast<int>(locked_.size());
    return !ready_.empty() && prompt_batches_ < kMaxPromptBatches ? 1 : 0;
  }

  Batch Take(Pace pace) {
    Batch batch{.pace = pace};
    if (pace == Pace::kPrompt) {
      ++prompt_batches_;
      TakeGroup(batch);
    } else if (!locked_.empty()) {
      TakeKey(locked_, locked_.begin(), batch);
    }
    return batch;
  }

  void Release(const Batch& batch, std::vector<Request> again, bool one_by_one) {
    if (batch.pace == Pace::kPrompt) --prompt_batches_;
    for (auto request = again.rbegin(); request != again.rend(); ++request) {
      PutBack(std::move(*request), one_by_one ? State::kReady : State::kLocked);
    }
    for (const auto entry : batch.keys) {
      if (entry->second.waiting.empty()) {
        queues_.erase(queues_.find(entry->first));
      } else {
        Enqueue(entry, entry->second.state == State::kLocked ? State::kLocked : State::kReady);
      }
    }
  }

  bool MayBeCausedByOne(const absl::Status& status) const {
    return MayBeCausedByOneRequest(status) ||
           (limits_.may_wait && absl::IsDeadlineExceeded(status));
  }

  std::vector<Request> TakeAll() {
    std::vector<Request> all;
    for (auto& [key, queue] : queues_) {
      while (!queue.waiting.empty()) all.push_back(TakeNext(queue));
    }
    std::erase_if(queues_, [](const auto& entry) { return entry.second.state != State::kRunning; });
    ready_.TakeAll();
    locked_.TakeAll();
    return all;
  }

  BatchAnswers<Answer> Run(Connection& connection, std::vector<Request>& requests, Pace pace,
                           bool in_doubt) const {
    std::vector<Item*> items;
    items.reserve(requests.size());
    for (Request& request : requests) items.push_back(&request.item);
    // An attempt in doubt may still be running in a transaction whose connection was lost, so this
    // one must wait for its locks.
    const bool skip_locked = pace == Pace::kPrompt && !in_doubt;
    BatchAnswers<Answer> answers = work_(connection, items, {skip_locked, in_doubt});
    const bool all_answered = std::all_of(answers.begin(), answers.end(),
                                          [](const auto& answer) { return answer.has_value(); });
    if (!skip_locked && !all_answered) FailInvariant("a write has no answer");
    return answers;
  }

 private:
  KeyQueue& KeysIn(State state) { return state == State::kLocked ? locked_ : ready_; }

  // A key waits as one of the account whose turn is first, of those that have a write in its next
  // batch. So a greedy account does not delay the writes of others to the same key.
  void Enqueue(Entry entry, State state) {
    Queue& queue = entry->second;
    queue.state = state;
    KeyQueue& keys = KeysIn(state);
    Account first = queue.waiting.front().account;
    size_t count = 0;
    for (auto write = queue.waiting.begin(); write != queue.waiting.end() && count < limits_.writes;
         ++write, ++count) {
      if (keys.IsBefore(write->second.account, first)) first = write->second.account;
    }
    queue.turn = keys.Add(first, entry);
  }

  size_t SizeOf(const Request& request) const {
    return limits_.size_of == nullptr ? 0 : limits_.size_of(request.item);
  }

  bool HasRoom(const Batch& batch, const Entry& entry) const {
    const Request& next = entry->second.waiting.front();
    if (!MayJoin(next, batch.requests, limits_.writes)) return false;
    return batch.requests.empty() || batch.bytes + SizeOf(next) <= limits_.bytes;
  }

  // Returns the group of the key's next write.
  std::optional<int> GroupOfNext(const Entry& entry) const {
    return group_of_ ? group_of_(entry->second.waiting.front().item) : 0;
  }

  // Returns whether the key's next write may join the batch, if there is room for it.
  bool IsOfGroup(const Batch& batch, const Entry& entry) const {
    return batch.requests.empty() || (batch.group && GroupOfNext(entry) == batch.group);
  }

  // Takes the first key that is ready, and those of the same group.
  void TakeGroup(Batch& batch) {
    if (ready_.empty()) return;
    TakeKey(ready_, ready_.begin(), batch);
    for (auto next = ready_.begin();
         batch.group && next != ready_.end() && HasRoom(batch, next->second);) {
      const auto key = next++;
      if (IsOfGroup(batch, key->second)) TakeKey(ready_, key, batch);
    }
  }

  // Takes one of `keys`, and as many of its writes as may join the batch.
  void TakeKey(KeyQueue& keys, typename KeyQueue::iterator key, Batch& batch) {
    const auto entry = keys.Take(key);
    batch.keys.push_back(entry);
    Queue& queue = entry->second;
    queue.state = State::kRunning;
    if (batch.requests.empty()) batch.group = GroupOfNext(entry);
    while (!queue.waiting.empty() && HasRoom(batch, entry) && IsOfGroup(batch, entry)) {
      batch.bytes += SizeOf(queue.waiting.front());
      batch.requests.push_back(TakeNext(queue));
    }
    if (queue.waiting.empty()) queue.refuses = false;
  }

  static Request TakeNext(Queue& queue) {
    Request next = queue.waiting.Take();
    queue.places.GiveBack(next.account);
    return next;
  }

  void PutBack(Request request, State state) {
    const auto entry = queues_.find(key_of_(request.item));
    if (entry == queues_.end() || entry->second.state == State::kIdle) {
      FailInvariant("a write came back from a batch that did not have its key");
    }
    entry->second.state = state;
    entry->second.places.Take(request.account);
    entry->second.waiting.PutBack(std::move(request));
  }

  KeyOf key_of_;
  Work work_;
  GroupOf group_of_;
  Limits limits_;
  Queues queues_;
  KeyQueue ready_;
  KeyQueue locked_;  // a job is scheduled for each
  int prompt_batches_ = 0;
};

}  // namespace content::postgres
