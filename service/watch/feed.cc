#include "watch/feed.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "content/errors.h"

namespace content::watch {
namespace {

// The pause after a poll is at least this many times as long as the poll took.
constexpr int kRestsPerPoll = 4;

// Watchers that catch up must leave connections for others.
constexpr int kMaxReads = 8;

// When a refused watcher may retry.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

// Returns whether the failure may be temporary, so that watchers should wait.
bool IsPassing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

// Returns the error that watchers get for a failed read. A deadline that passed was not theirs.
absl::Status Explain(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) ? StoreUnavailable() : status;
}

}  // namespace

// Tasks for the feed's thread. Outlives the feed, because the source may answer later; such answers
// are dropped. Thread-safe.
class Feed::Inbox {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  explicit Inbox(SteadyClock& clock) : clock_(clock) {}

  void Post(Task task) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

  // Waits until there are tasks or `end` is reached, and returns the tasks.
  std::deque<Task> Take(const std::stop_token& stop, SteadyTime end) {
    std::unique_lock lock(mutex_);
    clock_.WaitUntil(end, lock, changed_, stop, [this] { return !tasks_.empty(); });
    return std::exchange(tasks_, {});
  }

  void Close() {
    std::deque<Task> dropped;  // destroyed without the lock: a task may own a callback
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(tasks_);
  }

 private:
  SteadyClock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Task> tasks_;  // Guarded by mutex_.
  bool closed_ = false;     // Guarded by mutex_.
};

Feed::Feed(std::unique_ptr<Source> source, Options options)
    : options_(options),
      clock_(*options.clock),
      source_(std::move(source)),
      inbox_(std::make_shared<Inbox>(clock_)),
      watchers_(options_.max_watchers),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Feed::~Feed() {
  thread_.request_stop();
  thread_.join();
  inbox_->Close();
}

size_t Feed::watcher_count() const {
  const std::lock_guard lock(watchers_mutex_);
  return watchers_.taken();
}

absl::Status Feed::AddWatcher(Account account) {
  if (options_.memory != nullptr && options_.memory->is_short()) return MemoryShort();
  const std::lock_guard lock(watchers_mutex_);
  if (watchers_.HasRoom(account)) {
    watchers_.Take(account);
    return absl::OkStatus();
  }
  return Overloaded(kRetryAfter, watchers_.is_full() ? "the server has too many watchers"
                                                     : "this client has too many watchers");
}

void Feed::RemoveWatcher(Account account) {
  const std::lock_guard lock(watchers_mutex_);
  watchers_.GiveBack(account);
}

void Feed::Wake() {
  if (watcher_count() == 0 || woken_.exchange(true)) return;
  inbox_->Post([] {});
}

void Feed::Stop() {
  inbox_->Post([this] { EndAllWaits(); });
}

void Feed::Next(CallContext call, Position position, std::optional<Progress> progress,
                Callback<SharedBatch> done) {
  Waiter waiter{.call = std::move(call),
                .done = std::move(done),
                .heartbeat_due = clock_.Now() + options_.heartbeat_interval,
                .has_received = progress.has_value()};
  inbox_->Post([this, position = std::move(position), progress = std::move(progress),
                waiter = std::move(waiter)]() mutable {
    if (stopped_) return Answer(waiter, ServerStopping());
    Group group;
    if (progress) {
      group.heartbeat = progress->heartbeat;
      group.wake_count = progress->wake_count;
    }
    group.waiters.push_back(std::move(waiter));
    if (progress && progress->complete) {
      Park(position, std::move(group));
    } else {
      Read(position, std::move(group));
    }
  });
}

// The batch counts as untaken until all its watchers have taken its messages or are gone.
Feed::SharedBatch Feed::Share(Batch batch, int64_t wake_count) {
  int64_t bytes = 0;
  for (const Message& message : batch.messages) bytes += static_cast<int64_t>(message->size());
  untaken_bytes_ += bytes;
  const auto release = [this, inbox = inbox_, bytes](const StampedBatch* taken) {
    delete taken;
    inbox->Post([this, bytes] {
      untaken_bytes_ -= bytes;
      StartReads();
    });
  };
  return {new StampedBatch{std::move(batch), wake_count}, release};
}

Feed::SharedBatch Feed::Heartbeat(std::string cursor, const Group& group) {
  Batch batch{
      .messages = {group.heartbeat}, .cursor = std::move(cursor), .heartbeat = group.heartbeat};
  return std::make_shared<const StampedBatch>(StampedBatch{std::move(batch), group.wake_count});
}

void Feed::Answer(Waiter& waiter, absl::StatusOr<SharedBatch> batch) {
  std::move(waiter.done)(std::move(batch));
}

void Feed::RemoveAnswered(std::vector<Waiter>& waiters) {
  std::erase_if(waiters, [](const Waiter& waiter) { return !waiter.done; });
}

void Feed::Join(Group group, Group& into) {
  if (!into.heartbeat) into.heartbeat = std::move(group.heartbeat);
  if (into.failure.ok()) into.failure = std::move(group.failure);
  into.waiters.insert(into.waiters.end(), std::make_move_iterator(group.waiters.begin()),
                      std::make_move_iterator(group.waiters.end()));
}

// Every poll_interval there is a round, which ends the waits that are due and polls. In between,
// the thread runs tasks, and polls after a Wake.
void Feed::Run(const std::stop_token& stop) {
  SteadyTime next_round = clock_.Now();
  while (!stop.stop_requested()) {
    for (Inbox::Task& task : inbox_->Take(stop, NextStep(next_round))) std::move(task)();
    const SteadyTime now = clock_.Now();
    if (now >= next_round) {
      next_round = now + options_.poll_interval;
      EndDueWaits(now);
      poll_wanted_ = true;
    }
    if (now >= next_poll_ && WantsPoll()) {
      next_poll_ = now + options_.poll_pause;
      Poll(now);
    }
  }
}

bool Feed::WantsPoll() const { return !polling_ && (poll_wanted_ || woken_); }

// Nothing is due while nobody waits.
SteadyTime Feed::NextStep(SteadyTime next_round) const {
  const bool is_idle = parked_.empty() && reading_.empty();
  const SteadyTime round = is_idle ? SteadyTime::InfiniteFuture() : next_round;
  return WantsPoll() ? std::min(next_poll_, round) : round;
}

CallContext Feed::ReadContext() const {
  return {.deadline = clock_.Now() + options_.read_timeout, .cancelled = nullptr};
}

void Feed::Park(const Position& position, Group group) {
  if (group.waiters.empty()) return;
  Group& into = parked_[position];
  into.wake_count = std::max(into.wake_count, group.wake_count);
  // The feed was woken while these watchers were away.
  if (into.wake_count < wake_count_) poll_wanted_ = true;
  Join(std::move(group), into);
}

void Feed::Read(const Position& position, Group group) {
  const auto [it, is_new] = reading_.try_emplace(position);
  Join(std::move(group), it->second);
  if (is_new) {
    // Until the read begins, waits end with this: the source is not to blame.
    it->second.failure = Overloaded(kRetryAfter, "too many reads for watchers wait");
    it->second.wake_count = wake_count_;
    pending_reads_.push_back(position);
  }
  StartReads();
}

void Feed::StartReads() {
  while (reads_under_way_ < kMaxReads && untaken_bytes_ < options_.max_untaken_bytes &&
         !pending_reads_.empty()) {
    const Position position = std::move(pending_reads_.front());
    pending_reads_.pop_front();
    const auto group = reading_.find(position);
    if (group->second.waiters.empty()) {
      reading_.erase(group);
      continue;
    }
    group->second.failure = absl::OkStatus();
    group->second.read_deadline = clock_.Now() + options_.read_timeout;
    ++reads_under_way_;
    source_->Read(ReadContext(), position,
                  [this, inbox = inbox_, position](absl::StatusOr<Batch> batch) {
                    inbox->Post([this, position, batch = std::move(batch)]() mutable {
                      TakeRead(position, std::move(batch));
                    });
                  });
  }
}

void Feed::TakeRead(const Position& position, absl::StatusOr<Batch> batch) {
  --reads_under_way_;
  StartReads();
  auto group = reading_.extract(position);
  if (group.empty()) return;  // The feed was stopped.
  if (batch.ok()) {
    TakeBatch(position.key, std::move(group.mapped()), *std::move(batch));
  } else {
    TakeFailure(position, std::move(group.mapped()), Explain(batch.status()));
  }
}

void Feed::TakeBatch(const std::string& key, Group group, Batch batch) {
  if (group.waiters.empty()) return;
  if (!batch.messages.empty()) {
    const SharedBatch shared = Share(std::move(batch), group.wake_count);
    for (Waiter& waiter : group.waiters) Answer(waiter, shared);
    return;
  }
  const Position position{key, batch.cursor};
  group.heartbeat = batch.heartbeat;
  group.failure = absl::OkStatus();
  if (!batch.complete) return Read(position, std::move(group));
  const SharedBatch heartbeat = Heartbeat(batch.cursor, group);
  for (Waiter& waiter : group.waiters) {
    if (!waiter.has_received) Answer(waiter, heartbeat);
  }
  RemoveAnswered(group.waiters);
  Park(position, std::move(group));
}

void Feed::TakeFailure(const Position& position, Group group, const absl::Status& status) {
  for (Waiter& waiter : group.waiters) {
    const bool keeps_waiting = waiter.has_received && IsPassing(status);
    if (!keeps_waiting) Answer(waiter, status);
  }
  RemoveAnswered(group.waiters);
  group.failure = status;
  Park(position, std::move(group));
}

void Feed::Poll(SteadyTime now) {
  if (woken_.exchange(false)) ++wake_count_;
  poll_wanted_ = false;
  if (parked_.empty()) return;
  polling_ = true;
  poll_began_ = now;
  poll_deadline_ = now + options_.read_timeout;
  std::vector<Position> parked;
  parked.reserve(parked_.size());
  for (const auto& [position, group] : parked_) parked.push_back(position);
  const auto positions = std::make_shared<const std::vector<Position>>(std::move(parked));
  source_->Poll(ReadContext(), positions,
                [this, inbox = inbox_, positions,
                 wake_count = wake_count_](absl::StatusOr<std::vector<bool>> has_changes) {
                  inbox->Post([this, positions, wake_count, has_changes = std::move(has_changes)] {
                    TakePoll(positions, wake_count, has_changes);
                  });
                });
}

void Feed::TakePoll(const Positions& positions, int64_t wake_count,
                    const absl::StatusOr<std::vector<bool>>& has_changes) {
  polling_ = false;
  const SteadyTime answered = clock_.Now();
  const absl::Duration rest = kRestsPerPoll * (answered - poll_began_);
  next_poll_ = std::max(next_poll_, answered + std::min(rest, options_.poll_interval));
  for (size_t i = 0; i < positions->size(); ++i) {
    const Position& position = (*positions)[i];
    const auto it = parked_.find(position);
    if (it == parked_.end()) continue;
    if (!has_changes.ok()) {
      it->second.failure = Explain(has_changes.status());
    } else if ((*has_changes)[i]) {
      Read(position, std::move(parked_.extract(it).mapped()));
    } else {
      it->second.failure = absl::OkStatus();
      it->second.wake_count = wake_count;
    }
  }
}

void Feed::EndDueWaits(SteadyTime now) {
  const bool poll_hangs = polling_ && now >= poll_deadline_;
  for (auto& [position, group] : parked_) {
    if (poll_hangs) group.failure = StoreUnavailable();
    EndDueWaitsOf(group, position.cursor, now);
  }
  std::erase_if(parked_, [](const auto& entry) { return entry.second.waiters.empty(); });
  // A group whose read hangs stays until the read is answered, even without waiters.
  for (auto& [position, group] : reading_) {
    const bool has_begun = group.read_deadline != SteadyTime::InfinitePast();
    if (has_begun && now >= group.read_deadline) group.failure = StoreUnavailable();
    EndDueWaitsOf(group, position.cursor, now);
  }
}

void Feed::EndDueWaitsOf(Group& group, const std::string& cursor, SteadyTime now) {
  SharedBatch heartbeat;  // made when it is first needed
  for (Waiter& waiter : group.waiters) {
    if (const absl::Status status = CheckCaller(waiter.call, now); !status.ok()) {
      Answer(waiter, status);
    } else if (now < waiter.heartbeat_due || now < group.read_deadline) {
      continue;
    } else if (!group.failure.ok()) {
      Answer(waiter, group.failure);
    } else {
      if (!heartbeat) heartbeat = Heartbeat(cursor, group);
      Answer(waiter, heartbeat);
    }
  }
  RemoveAnswered(group.waiters);
}

void Feed::EndAllWaits() {
  stopped_ = true;
  pending_reads_.clear();
  for (Groups* const groups : {&parked_, &reading_}) {
    for (auto& [position, group] : std::exchange(*groups, {})) {
      for (Waiter& waiter : group.waiters) Answer(waiter, ServerStopping());
    }
  }
}

Watcher::Watcher(Feed& feed, Position start) : feed_(feed), position_(std::move(start)) {}

Watcher::~Watcher() {
  if (admission_ && admission_->ok()) feed_.RemoveWatcher(account_);
}

void Watcher::Next(CallContext call, Callback<std::vector<Message>> done) {
  if (!admission_) {
    account_ = call.account();
    admission_ = feed_.AddWatcher(account_);
  }
  if (!admission_->ok()) return std::move(done)(*admission_);
  feed_.Next(std::move(call), position_, progress_,
             [this, done = std::move(done)](absl::StatusOr<Feed::SharedBatch> batch) mutable {
               if (!batch.ok()) return std::move(done)(batch.status());
               std::move(done)(Take(*batch));
             });
}

// Each message keeps the whole batch alive, which counts as untaken until its last message is gone.
std::vector<Message> Watcher::Take(const Feed::SharedBatch& batch) {
  position_.cursor = batch->cursor;
  progress_ = {batch->heartbeat, batch->complete, batch->wake_count};
  std::vector<Message> messages;
  messages.reserve(batch->messages.size());
  for (const Message& message : batch->messages) messages.emplace_back(batch, message.get());
  return messages;
}

}  // namespace content::watch
