#include "api/batch_of_articles.h"

#include <memory>
#include <mutex>
#include <utility>

#include "base/errors.h"
#include "content/errors.h"
#include "content/rules.h"

namespace content::api {
namespace {

using Articles = std::vector<std::optional<ArticleAnswer>>;

// Collects the answers to one call, which arrive one by one, in any order and on any thread.
class Collector {
 public:
  Collector(CallContext call, size_t count, Callback<Articles> done)
      : call_(std::move(call)), articles_(count), unanswered_(count), done_(std::move(done)) {}

  // Returns whether further answers are useless: the call was answered, or its caller has given up.
  bool IsOver() {
    const std::lock_guard lock(mutex_);
    return !done_ || call_.is_cancelled();
  }

  // Returns the caller's account. Once the call was answered, nothing more is read for it.
  Account account() {
    const std::lock_guard lock(mutex_);
    return done_ ? call_.account() : kOwnWork;
  }

  // Returns whether to read another article. If the caller no longer waits, answers the call: there
  // may be no read under way that would.
  bool Continue(SteadyTime now) {
    std::unique_lock lock(mutex_);
    if (!done_) return false;
    absl::Status status = CheckCaller(call_, now);
    if (status.ok()) return true;
    Answer(std::move(lock), std::move(status));
    return false;
  }

  void Take(size_t index, absl::StatusOr<ArticleAnswer> article) {
    std::unique_lock lock(mutex_);
    if (!done_) return;
    if (absl::Status status = Add(index, std::move(article)); !status.ok()) {
      return Answer(std::move(lock), std::move(status));
    }
    if (unanswered_ == 0) Answer(std::move(lock), std::move(articles_));
  }

 private:
  absl::Status Add(size_t index, absl::StatusOr<ArticleAnswer> article) {
    --unanswered_;
    if (absl::IsNotFound(article.status())) return absl::OkStatus();
    if (!article.ok()) return article.status();
    bytes_ += EncodedSize(*article);
    articles_[index] = *std::move(article);
    return bytes_ > kMaxReplyBytes ? ReplyTooLarge() : absl::OkStatus();
  }

  // Releases the lock first, because `done_` may run anything.
  void Answer(std::unique_lock<std::mutex> lock, absl::StatusOr<Articles> answer) {
    Callback<Articles> done = std::move(done_);
    lock.unlock();
    std::move(done)(std::move(answer));
  }

  std::mutex mutex_;
  // All guarded by mutex_.
  const CallContext call_;  // Valid until the call is answered.
  Articles articles_;
  size_t unanswered_;
  size_t bytes_ = 0;
  Callback<Articles> done_;  // Empty once the call was answered.
};

}  // namespace

void ReadBatch(ReadCache& cache, CallContext call, const std::vector<std::string>& ids,
               v1::ArticleView view, Callback<Articles> done, const SteadyClock& clock) {
  const SteadyTime deadline = call.deadline;
  const std::shared_ptr<CallTrace> trace = call.trace;
  const auto collector = std::make_shared<Collector>(std::move(call), ids.size(), std::move(done));
  // The first function keeps the collector for the second, whose copies then cost no allocation.
  const CallContext context{.deadline = deadline,
                            .cancelled = [collector] { return collector->IsOver(); },
                            .account_of = [caller = collector.get()] { return caller->account(); },
                            .trace = trace};
  for (size_t i = 0; i < ids.size() && collector->Continue(clock.Now()); ++i) {
    cache.GetArticle(context, ids[i], view, 0,
                     [collector, i](absl::StatusOr<ArticleAnswer> article) {
                       collector->Take(i, std::move(article));
                     });
  }
}

}  // namespace content::api
