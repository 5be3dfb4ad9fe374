#include "store/write_queue.h"

#include <algorithm>
#include <iterator>

#include "absl/time/time.h"
#include "store/failure.h"

namespace content::store {
namespace {

// A larger batch costs hardly less for each write, and its first waits for its last.
constexpr size_t kMostWrites = 128;

// While one waits for the disk, another works. More would be smaller ones, which cost more.
constexpr int kMostBatches = 2;

}  // namespace

void WriteQueue::Add(CallContext context, CommentChange change, Callback<v1::Comment> done) {
  const std::string name = ArticleOf(change);
  absl::Status status;
  {
    const std::lock_guard lock(mutex_);
    const auto article = articles_.find(name);
    status = pool_.Enter(article == articles_.end() ? 0 : article->second.waiting.size());
    if (status.ok()) Put(name, {std::move(context), std::move(change), std::move(done)});
  }
  if (!status.ok()) std::move(done)(std::move(status));
}

void WriteQueue::Schedule(LockWait wait) {
  auto batch = std::make_shared<Batch>(Batch{.wait = wait});
  pool_.RunLater([this, batch] { return Begin(batch); },
                 [this, batch](Connection& connection, int attempt) {
                   std::vector<const CommentChange*> changes;
                   for (const Write& write : batch->writes) changes.push_back(&write.change);
                   // The attempt before may be going on yet, in a transaction whose connection is
                   // gone: what that comes to has to be waited for.
                   const LockWait lock_wait = attempt > 1 ? LockWait::kWait : batch->wait;
                   batch->answers = work_(connection, changes, lock_wait, attempt);
                   return absl::OkStatus();
                 },
                 [this, batch](absl::Status status) { Finish(*batch, status); },
                 wait == LockWait::kSkip ? Pool::Pace::kPrompt : Pool::Pace::kAny);
}

// Fills the batch; answers with how long it is worth the work.
CallContext WriteQueue::Begin(const std::shared_ptr<Batch>& batch) {
  batch->begun = true;
  {
    const std::lock_guard lock(mutex_);
    batch->wait == LockWait::kSkip ? TakeReady(*batch) : TakeLocked(*batch);
  }
  pool_.Leave(batch->writes.size());
  std::vector<Write> wanted;
  CallContext context{.deadline = absl::InfinitePast()};
  for (Write& write : batch->writes) {
    if (absl::Status status = StillWanted(write.context); !status.ok()) {
      std::move(write.done)(std::move(status));
      continue;
    }
    context.deadline = std::max(context.deadline, write.context.deadline);
    wanted.push_back(std::move(write));
  }
  batch->writes = std::move(wanted);
  context.cancelled = [batch] {
    return std::all_of(batch->writes.begin(), batch->writes.end(), [](const Write& write) {
      return write.context.cancelled && write.context.cancelled();
    });
  };
  return context;
}

void WriteQueue::Finish(Batch& batch, const absl::Status& status) {
  if (!batch.begun) {  // the pool ends, and nothing is begun any more
    for (Write& write : TakeAll()) std::move(write.done)(status);
    return;
  }
  const bool one_by_one = batch.writes.size() > 1 && MayBeOnesFault(status);
  std::vector<std::pair<Write, absl::StatusOr<v1::Comment>>> answered;
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = batch.writes.size(); i-- > 0;) {  // those before go back before those after
      Write& write = batch.writes[i];
      if (one_by_one || (status.ok() && !batch.answers[i])) {
        PutBack(std::move(write), one_by_one);
      } else if (status.ok()) {
        answered.emplace_back(std::move(write), *std::move(batch.answers[i]));
      } else {
        answered.emplace_back(std::move(write), status);
      }
    }
    Release(batch);
  }
  for (auto write = answered.rbegin(); write != answered.rend(); ++write) {
    std::move(write->first.done)(std::move(write->second));
  }
}

// Everything that waits.
std::vector<WriteQueue::Write> WriteQueue::TakeAll() {
  std::vector<Write> all;
  const std::lock_guard lock(mutex_);
  for (auto& [name, article] : articles_) {
    std::move(article.waiting.begin(), article.waiting.end(), std::back_inserter(all));
  }
  articles_.clear();
  ready_.clear();
  locked_.clear();
  pool_.Leave(all.size());
  return all;
}

void WriteQueue::Put(const std::string& name, Write write) {
  Article& article = articles_[name];
  article.waiting.push_back(std::move(write));
  if (!article.is_running && article.waiting.size() == 1) Line(name, article);
}

// Puts an article where it will be taken.
void WriteQueue::Line(const std::string& name, const Article& article) {
  if (article.is_locked) {
    locked_.push_back(name);
    Schedule(LockWait::kWait);
  } else {
    ready_.push_back(name);
    ScheduleReady();
  }
}

void WriteQueue::ScheduleReady() {
  if (ready_.empty() || scheduled_ || running_ == kMostBatches) return;
  scheduled_ = true;
  Schedule(LockWait::kSkip);
}

void WriteQueue::TakeReady(Batch& batch) {
  scheduled_ = false;
  ++running_;
  for (bool room = true; room && !ready_.empty();) {
    const std::string name = ready_.front();
    Article& article = articles_.at(name);
    if (article.waiting.front().alone && !batch.writes.empty()) break;
    ready_.pop_front();
    batch.articles.push_back(name);
    room = TakeWrites(article, batch);
  }
  ScheduleReady();
}

// There is a job for each of these.
void WriteQueue::TakeLocked(Batch& batch) {
  const std::string name = locked_.front();
  locked_.pop_front();
  batch.articles.push_back(name);
  TakeWrites(articles_.at(name), batch);
}

// Whether there is room for more.
bool WriteQueue::TakeWrites(Article& article, Batch& batch) {
  article.is_running = true;
  article.is_locked = false;
  std::deque<Write>& waiting = article.waiting;
  while (!waiting.empty() && batch.writes.size() < kMostWrites) {
    const bool alone = waiting.front().alone;
    if (alone && !batch.writes.empty()) return false;
    batch.writes.push_back(std::move(waiting.front()));
    waiting.pop_front();
    if (alone) return false;
  }
  return batch.writes.size() < kMostWrites;
}

// Before those that came after it. Not `alone`: somebody has locked its article.
void WriteQueue::PutBack(Write write, bool alone) {
  Article& article = articles_.at(ArticleOf(write.change));
  article.is_locked = !alone;
  write.alone = alone;
  article.waiting.push_front(std::move(write));
  pool_.EnterAgain(1);
}

void WriteQueue::Release(const Batch& batch) {
  if (batch.wait == LockWait::kSkip) --running_;
  for (const std::string& name : batch.articles) {
    const auto article = articles_.find(name);
    article->second.is_running = false;
    if (article->second.waiting.empty()) {
      articles_.erase(article);
    } else {
      Line(name, article->second);
    }
  }
  ScheduleReady();
}

}  // namespace content::store
