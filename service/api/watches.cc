#include "api/watches.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/checks.h"
#include "base/errors.h"
#include "watch/sources.h"

namespace content::api {
namespace {

constexpr char kResumeTokenRule[] = "is not a resume_token of this service";

class WatchProducer final : public Producer {
 public:
  WatchProducer(watch::Feed& feed, watch::Position start) : watcher_(feed, std::move(start)) {}

  void Next(CallContext call, Callback<Chunk> done) override {
    watcher_.Next(
        std::move(call),
        [done = std::move(done)](absl::StatusOr<std::vector<watch::Message>> messages) mutable {
          if (!messages.ok()) return std::move(done)(messages.status());
          std::move(done)(Chunk{.messages = *std::move(messages)});
        });
  }

 private:
  watch::Watcher watcher_;
};

absl::StatusOr<std::unique_ptr<Producer>> StartWatch(watch::Feed& feed,
                                                     absl::StatusOr<watch::Position> start) {
  if (!start.ok()) return start.status();
  return std::make_unique<WatchProducer>(feed, *std::move(start));
}

}  // namespace

absl::StatusOr<watch::Position> CheckWatchComments(const v1::WatchCommentsRequest& request) {
  Violations violations;
  std::string id = CheckArticleName(request.parent(), "parent", violations);
  if (request.after_revision() < 0) violations.Add("after_revision", "is negative");
  if (request.resume_token().empty()) {
    if (!violations.empty()) return violations.ToStatus();
    return watch::CommentPosition(std::move(id), request.after_revision());
  }
  std::optional<watch::Position> resumed =
      watch::ResumedCommentPosition(std::move(id), request.resume_token());
  if (!resumed) violations.Add("resume_token", kResumeTokenRule);
  if (request.after_revision() > 0) {
    violations.Add("after_revision", "cannot be combined with resume_token");
  }
  if (!violations.empty()) return violations.ToStatus();
  return *std::move(resumed);
}

absl::StatusOr<std::unique_ptr<Producer>> WatchComments(watch::Feed& comments,
                                                        const v1::WatchCommentsRequest& request) {
  return StartWatch(comments, CheckWatchComments(request));
}

absl::StatusOr<watch::Position> CheckWatchArticles(const v1::WatchArticlesRequest& request) {
  if (request.resume_token().empty()) return watch::FirstArticlePosition(request.skip_existing());
  Violations violations;
  std::optional<watch::Position> resumed = watch::ResumedArticlePosition(request.resume_token());
  if (!resumed) violations.Add("resume_token", kResumeTokenRule);
  if (request.skip_existing())
    violations.Add("skip_existing", "cannot be combined with resume_token");
  if (!violations.empty()) return violations.ToStatus();
  return *std::move(resumed);
}

absl::StatusOr<std::unique_ptr<Producer>> WatchArticles(watch::Feed& articles,
                                                        const v1::WatchArticlesRequest& request) {
  return StartWatch(articles, CheckWatchArticles(request));
}

}  // namespace content::api
