#include "store/comments/write_queue.h"

#include <algorithm>
#include <iterator>

#include "absl/time/time.h"
#include "postgres/failure.h"

namespace content::store {
namespace {

// A larger batch costs hardly less for each write, and its first waits for its last.
constexpr size_t kMostWrites = 128;

// While one waits for the disk, another works. More would be smaller ones, which cost more. What
// other connections there are wait for locked articles, or do what takes long.
constexpr int kMostBatches = 2;

}  // namespace

void WriteQueue::Add(CallContext context, CommentChange change, Callback<v1::Comment> done) {
  const std::string name = ArticleOf(change);
  std::unique_lock lock(mutex_);
  const auto article = articles_.find(name);
  const size_t alike = article == articles_.end() ? 0 : article->second.waiting.size();
  absl::Status status = pool_.Enter(alike);
  if (status.ok()) return Put(name, {std::move(context), std::move(change), std::move(done)});
  lock.unlock();
  std::move(done)(std::move(status));
}

void WriteQueue::Schedule(LockWait wait) {
  auto batch = std::make_shared<Batch>(Batch{.wait = wait});
  pool_.RunLater(
      [this, batch] { return Begin(batch); },
      [this, batch](postgres::Connection& connection, bool in_doubt) {
        std::vector<const CommentChange*> changes;
        for (const Write& write : batch->writes) changes.push_back(&write.change);
        // The attempt in doubt may be going on yet, in a transaction whose connection
        // is gone: what that comes to has to be waited for.
        const LockWait lock_wait = in_doubt ? LockWait::kWait : batch->wait;
        batch->answers = work_(connection, changes, lock_wait, in_doubt);
        return absl::OkStatus();
      },
      [this, batch](const absl::Status& status) { Finish(*batch, status); },
      wait == LockWait::kSkip ? postgres::Pool::Pace::kPrompt : postgres::Pool::Pace::kAny);
}

// Fills the batch; answers with how long it is worth the work.
CallContext WriteQueue::Begin(const std::shared_ptr<Batch>& batch) {
  batch->begun = true;
  {
    const std::lock_guard lock(mutex_);
    batch->wait == LockWait::kSkip ? TakeReady(*batch) : TakeFirst(locked_, *batch);
  }
  pool_.Leave(batch->writes.size());
  std::vector<Write> wanted;
  CallContext context{.deadline = SteadyTime::InfinitePast()};
  for (Write& write : batch->writes) {
    if (absl::Status status = CheckCaller(write.context); !status.ok()) {
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
  const bool one_by_one = batch.writes.size() > 1 && postgres::MayBeOnesFault(status);
  if (!status.ok()) batch.answers.assign(batch.writes.size(), status);
  const auto comes_back = [&](size_t i) { return one_by_one || !batch.answers[i]; };
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = batch.writes.size(); i-- > 0;) {  // the first of them will be the first again
      if (comes_back(i)) PutBack(std::move(batch.writes[i]), one_by_one);
    }
    Release(batch);
  }
  for (size_t i = 0; i < batch.writes.size(); ++i) {
    if (!comes_back(i)) std::move(batch.writes[i].done)(*std::move(batch.answers[i]));
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
  if (!article.is_running && article.waiting.size() == 1) LineUp(name, article);
}

// Puts an article where it will be taken.
void WriteQueue::LineUp(const std::string& name, const Article& article) {
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
  while (!ready_.empty() && HasRoom(batch, articles_.at(ready_.front()))) TakeFirst(ready_, batch);
  ScheduleReady();
}

// Takes an article, and of what waits for it as much as there is room for.
void WriteQueue::TakeFirst(Line& line, Batch& batch) {
  Article& article = articles_.at(line.front());
  batch.articles.push_back(std::move(line.front()));
  line.pop_front();
  article.is_running = true;
  article.is_locked = false;
  while (!article.waiting.empty() && HasRoom(batch, article)) {
    batch.writes.push_back(std::move(article.waiting.front()));
    article.waiting.pop_front();
  }
}

// Whether the next write to the article may be in the batch.
bool WriteQueue::HasRoom(const Batch& batch, const Article& article) {
  if (batch.writes.empty()) return true;
  const bool alone = batch.writes.back().alone || article.waiting.front().alone;
  return !alone && batch.writes.size() < kMostWrites;
}

// Before those that came after it. Not `alone`: another transaction has locked its article.
void WriteQueue::PutBack(Write write, bool alone) {
  Article& article = articles_.at(ArticleOf(write.change));
  article.is_locked = !alone;
  write.alone |= alone;
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
      LineUp(name, article->second);
    }
  }
  ScheduleReady();
}

}  // namespace content::store
