#include "api/batch_of_articles.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "content/errors.h"
#include "content/rules.h"

namespace content::api {
namespace {

using Articles = std::vector<std::optional<ArticleAnswer>>;

// The answers to one call, which come one by one, in any order and on any thread.
class Batch {
 public:
  Batch(CallContext call, size_t count, Callback<Articles> done)
      : call_(std::move(call)), articles_(count), missing_(count), done_(std::move(done)) {}

  SteadyTime deadline() const { return call_.deadline; }

  // Also true once the call has been answered: then nothing of it may be touched any more.
  bool IsOver() {
    const std::lock_guard lock(mutex_);
    return !done_ || (call_.cancelled && call_.cancelled());
  }

  void Take(size_t index, absl::StatusOr<ArticleAnswer> article) {
    std::unique_lock lock(mutex_);
    if (!done_) return;
    if (absl::Status status = Add(index, std::move(article)); !status.ok()) {
      return Answer(std::move(lock), std::move(status));
    }
    if (missing_ == 0) Answer(std::move(lock), std::move(articles_));
  }

 private:
  absl::Status Add(size_t index, absl::StatusOr<ArticleAnswer> article) {
    --missing_;
    if (absl::IsNotFound(article.status())) return absl::OkStatus();
    if (!article.ok()) return article.status();
    bytes_ += SizeOf(*article);
    articles_[index] = *std::move(article);
    return bytes_ > kMaxReplyBytes ? ReplyTooLarge() : absl::OkStatus();
  }

  // Not under the lock: whoever gets the answer may end this.
  void Answer(std::unique_lock<std::mutex> lock, absl::StatusOr<Articles> answer) {
    Callback<Articles> done = std::exchange(done_, {});
    lock.unlock();
    std::move(done)(std::move(answer));
  }

  std::mutex mutex_;
  const CallContext call_;
  Articles articles_;
  size_t missing_;
  size_t bytes_ = 0;
  Callback<Articles> done_;  // empty once it has been called
};

}  // namespace

void ReadBatch(ReadCache& reads, CallContext call, const std::vector<std::string>& ids,
               v1::ArticleView view, Callback<Articles> done) {
  const auto batch = std::make_shared<Batch>(std::move(call), ids.size(), std::move(done));
  const CallContext context{.deadline = batch->deadline(),
                            .cancelled = [batch] { return batch->IsOver(); }};
  for (size_t i = 0; i < ids.size() && !batch->IsOver(); ++i) {
    reads.GetArticle(context, ids[i], view, 0, [batch, i](absl::StatusOr<ArticleAnswer> article) {
      batch->Take(i, std::move(article));
    });
  }
}

}  // namespace content::api
