#include "watch/feed.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/clock.h"
#include "content/errors.h"

namespace content::watch {
namespace {

// After a poll the source is left alone for so many times as long as it took.
constexpr int kRestsPerPoll = 4;

// So that watchers who catch up leave the store's connections to others too.
constexpr int kMostReads = 8;

// Whether waiting may help.
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

// A failed read as watchers get it: the deadline was not theirs.
absl::Status Explain(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) ? StoreUnavailable() : status;
}

}  // namespace

// What the feed's thread is to do. Outlives the feed: answers of the store may come late, and are
// dropped then.
class Feed::Inbox {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  void Post(Task task) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    tasks_.push_back(std::move(task));
    wake_.notify_one();
  }

  // Waits until there is something to do, or `until`.
  std::deque<Task> Take(const std::stop_token& stop, SteadyTime until) {
    std::unique_lock lock(mutex_);
    SteadyClock::System().WaitUntil(until, lock, wake_, stop, [this] { return !tasks_.empty(); });
    return std::exchange(tasks_, {});
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    tasks_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Task> tasks_;
  bool closed_ = false;
};

Feed::Feed(std::unique_ptr<Source> source, Options options)
    : options_(options),
      source_(std::move(source)),
      inbox_(std::make_shared<Inbox>()),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Feed::~Feed() {
  thread_.request_stop();
  thread_.join();
  inbox_->Close();
}

void Feed::Wake() {
  if (watchers_ == 0 || woken_.exchange(true)) return;
  inbox_->Post([] {});
}

void Feed::Stop() {
  inbox_->Post([this] { EndAll(); });
}

void Feed::Await(CallContext call, Position position, SharedBatch last,
                 Callback<SharedBatch> done) {
  Waiter waiter{.call = std::move(call),
                .done = std::move(done),
                .heartbeat_due = SteadyNow() + options_.heartbeat_interval,
                .greeted = last != nullptr};
  inbox_->Post([this, position = std::move(position), last = std::move(last),
                waiter = std::move(waiter)]() mutable {
    if (stopped_) return Answer(waiter, ServerStopping());
    Group group;
    if (last) {
      group.heartbeat = last->heartbeat;
      group.wakes = last->wakes;
    }
    group.waiters.push_back(std::move(waiter));
    if (last && last->complete) {
      Park(position, std::move(group));
    } else {
      Read(position, std::move(group), absl::Now());
    }
  });
}

Feed::SharedBatch Feed::Heartbeat(std::string cursor, const Group& group) {
  Batch batch{
      .messages = {group.heartbeat}, .cursor = std::move(cursor), .heartbeat = group.heartbeat};
  return std::make_shared<const Sent>(Sent{std::move(batch), group.wakes});
}

void Feed::Answer(Waiter& waiter, absl::StatusOr<SharedBatch> batch) {
  std::exchange(waiter.done, {})(std::move(batch));
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

void Feed::Run(const std::stop_token& stop) {
  SteadyTime next_round = SteadyNow();
  while (!stop.stop_requested()) {
    const bool in_a_hurry = poll_wanted_ || woken_;
    const SteadyTime until = in_a_hurry ? std::min(next_poll_, next_round) : next_round;
    for (Inbox::Task& task : inbox_->Take(stop, until)) std::move(task)();
    const SteadyTime now = SteadyNow();
    if (now >= next_round) {
      next_round = now + options_.poll_interval;
      EndWaits(now);
      poll_wanted_ = true;
    }
    if (now >= next_poll_ && (poll_wanted_ || woken_)) {
      next_poll_ = now + options_.poll_pause;
      Poll(now);
    }
  }
}

CallContext Feed::ReadContext() const {
  return {.deadline = SteadyNow() + options_.read_timeout, .cancelled = nullptr};
}

void Feed::Park(const Position& position, Group group) {
  if (group.waiters.empty()) return;
  Group& into = parked_[position];
  into.wakes = std::max(into.wakes, group.wakes);
  if (into.wakes < wakes_) poll_wanted_ = true;  // the feed was woken while they were away
  Join(std::move(group), into);
}

void Feed::Read(const Position& position, Group group, absl::Time now) {
  const auto [it, is_new] = reading_.try_emplace(position);
  Join(std::move(group), it->second);
  if (is_new) {
    it->second.read_ends = SteadyNow() + options_.read_timeout;
    it->second.wakes = wakes_;
    wishes_.push_back({position, now});
  }
  StartReads();
}

void Feed::StartReads() {
  while (reads_under_way_ < kMostReads && !wishes_.empty()) {
    const Wish wish = std::move(wishes_.front());
    wishes_.pop_front();
    ++reads_under_way_;
    source_->Read(ReadContext(), wish.position, wish.now,
                  [this, inbox = inbox_, position = wish.position](absl::StatusOr<Batch> batch) {
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
  if (group.empty()) return;  // stopped
  if (batch.ok()) {
    TakeBatch(position.key, std::move(group.mapped()), *std::move(batch));
  } else {
    TakeFailure(position, std::move(group.mapped()), Explain(batch.status()));
  }
}

void Feed::TakeBatch(const std::string& key, Group group, Batch batch) {
  if (group.waiters.empty()) return;
  if (!batch.messages.empty()) {
    const auto shared = std::make_shared<const Sent>(Sent{std::move(batch), group.wakes});
    for (Waiter& waiter : group.waiters) Answer(waiter, shared);
    return;
  }
  const Position position{key, batch.cursor};
  group.heartbeat = batch.heartbeat;
  group.failure = absl::OkStatus();
  if (!batch.complete) return Read(position, std::move(group), absl::Now());
  const SharedBatch heartbeat = Heartbeat(batch.cursor, group);
  for (Waiter& waiter : group.waiters) {
    if (!waiter.greeted) Answer(waiter, heartbeat);
  }
  RemoveAnswered(group.waiters);
  Park(position, std::move(group));
}

void Feed::TakeFailure(const Position& position, Group group, const absl::Status& status) {
  for (Waiter& waiter : group.waiters) {
    const bool waits_on = waiter.greeted && IsPassing(status);
    if (!waits_on) Answer(waiter, status);
  }
  RemoveAnswered(group.waiters);
  group.failure = status;
  Park(position, std::move(group));
}

void Feed::Poll(SteadyTime now) {
  if (woken_.exchange(false)) {
    ++wakes_;
    poll_wanted_ = true;
  }
  if (polling_) return;
  poll_wanted_ = false;
  if (parked_.empty()) return;
  polling_ = true;
  poll_began_ = now;
  poll_ends_ = now + options_.read_timeout;
  std::vector<Position> positions;
  for (const auto& [position, group] : parked_) positions.push_back(position);
  source_->Poll(ReadContext(), positions,
                [this, inbox = inbox_, positions, now = absl::Now(),
                 wakes = wakes_](absl::StatusOr<std::vector<bool>> news) {
                  inbox->Post([this, positions, now, wakes, news = std::move(news)] {
                    TakePoll(positions, now, wakes, news);
                  });
                });
}

void Feed::TakePoll(const std::vector<Position>& positions, absl::Time now, int64_t wakes,
                    const absl::StatusOr<std::vector<bool>>& news) {
  polling_ = false;
  const SteadyTime answered = SteadyNow();
  const absl::Duration rest = kRestsPerPoll * (answered - poll_began_);
  next_poll_ = std::max(next_poll_, answered + std::min(rest, options_.poll_interval));
  for (size_t i = 0; i < positions.size(); ++i) {
    const auto it = parked_.find(positions[i]);
    if (it == parked_.end()) continue;
    if (!news.ok()) {
      it->second.failure = Explain(news.status());
    } else if ((*news)[i]) {
      Read(positions[i], std::move(parked_.extract(it).mapped()), now);
    } else {
      it->second.failure = absl::OkStatus();
      it->second.wakes = wakes;
    }
  }
}

void Feed::EndWaits(SteadyTime now) {
  const bool poll_hangs = polling_ && now >= poll_ends_;
  for (auto& [position, group] : parked_) {
    if (poll_hangs) group.failure = StoreUnavailable();
    EndWaits(now, Heartbeat(position.cursor, group), group);
  }
  std::erase_if(parked_, [](const auto& entry) { return entry.second.waiters.empty(); });
  // What a read that hangs answers when it comes is for those who are left.
  for (auto& [position, group] : reading_) EndWaits(now, StoreUnavailable(), group);
}

void Feed::EndWaits(SteadyTime now, const absl::StatusOr<SharedBatch>& nothing_new, Group& group) {
  for (Waiter& waiter : group.waiters) {
    if (waiter.call.cancelled && waiter.call.cancelled()) {
      Answer(waiter, Cancelled());
    } else if (now >= waiter.call.deadline) {
      Answer(waiter, DeadlineExceeded());
    } else if (now >= waiter.heartbeat_due && now >= group.read_ends) {
      Answer(waiter, group.failure.ok() ? nothing_new : group.failure);
    }
  }
  RemoveAnswered(group.waiters);
}

void Feed::EndAll() {
  stopped_ = true;
  wishes_.clear();
  for (Groups* const groups : {&parked_, &reading_}) {
    for (auto& [position, group] : std::exchange(*groups, {})) {
      for (Waiter& waiter : group.waiters) Answer(waiter, ServerStopping());
    }
  }
}

Watcher::Watcher(Feed& feed, Position start) : feed_(feed), position_(std::move(start)) {
  ++feed_.watchers_;
}

Watcher::~Watcher() { --feed_.watchers_; }

void Watcher::Next(CallContext call, Callback<std::vector<Message>> done) {
  feed_.Await(std::move(call), position_, last_,
              [this, done = std::move(done)](absl::StatusOr<Feed::SharedBatch> batch) mutable {
                if (!batch.ok()) return std::move(done)(batch.status());
                last_ = *std::move(batch);
                position_.cursor = last_->cursor;
                std::move(done)(last_->messages);
              });
}

}  // namespace content::watch
