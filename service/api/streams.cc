#include "api/streams.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/requests.h"

namespace content::api::streams {
namespace {

// So that a message is not too large: one article may have any number of them.
constexpr int kDriftsOfMessage = 1'000;

class Watch final : public Producer {
 public:
  Watch(watch::Feed& feed, watch::Position start) : watcher_(feed, std::move(start)) {}

  void Next(CallContext call, Callback<Chunk> done) override {
    watcher_.Next(std::move(call), [done = std::move(done)](auto messages) mutable {
      if (!messages.ok()) return std::move(done)(messages.status());
      std::move(done)(Chunk{.messages = *std::move(messages)});
    });
  }

 private:
  watch::Watcher watcher_;
};

absl::StatusOr<std::unique_ptr<Producer>> NewWatch(watch::Feed& feed,
                                                   absl::StatusOr<watch::Position> start) {
  if (!start.ok()) return start.status();
  return std::make_unique<Watch>(feed, *std::move(start));
}

// What a long work of the store comes to, batch by batch.
template <class Batch, class Response>
class Work : public Producer {
 public:
  void Next(CallContext call, Callback<Chunk> done) final {
    Ask(std::move(call), [this, done = std::move(done)](absl::StatusOr<Batch> batch) mutable {
      if (!batch.ok()) return std::move(done)(batch.status());
      Chunk chunk;
      for (const Response& response : Tell(*std::move(batch))) {
        chunk.messages.push_back(std::make_shared<const std::string>(response.SerializeAsString()));
        chunk.last = response.complete();
      }
      std::move(done)(std::move(chunk));
    });
  }

 private:
  virtual void Ask(CallContext call, Callback<Batch> done) = 0;

  // At least one message; counts the batch, too.
  virtual std::vector<Response> Tell(Batch batch) = 0;
};

class Export final : public Work<Page<v1::Comment>, v1::ExportAuthorResponse> {
 public:
  Export(Store& store, std::string author_id) : store_(store), author_id_(std::move(author_id)) {}

 private:
  void Ask(CallContext call, Callback<Page<v1::Comment>> done) override {
    store_.ExportAuthor(std::move(call), author_id_, after_key_, std::move(done));
  }

  std::vector<v1::ExportAuthorResponse> Tell(Page<v1::Comment> page) override {
    v1::ExportAuthorResponse response;
    for (v1::Comment& comment : page.items) *response.add_comments() = std::move(comment);
    comment_count_ += response.comments_size();
    response.set_comment_count(comment_count_);
    response.set_complete(page.next_key.empty());
    after_key_ = std::move(page.next_key);
    return {response};
  }

  Store& store_;
  const std::string author_id_;
  std::string after_key_;
  int64_t comment_count_ = 0;
};

class Erasure final : public Work<ErasedComments, v1::EraseAuthorResponse> {
 public:
  Erasure(Store& store, std::string author_id) : store_(store), author_id_(std::move(author_id)) {}

 private:
  void Ask(CallContext call, Callback<ErasedComments> done) override {
    store_.EraseAuthor(std::move(call), author_id_, std::move(done));
  }

  std::vector<v1::EraseAuthorResponse> Tell(ErasedComments erased) override {
    comment_count_ += erased.comment_count;
    articles_.insert(erased.articles.begin(), erased.articles.end());
    v1::EraseAuthorResponse response;
    response.set_comment_count(comment_count_);
    response.set_article_count(static_cast<int64_t>(articles_.size()));
    response.set_complete(erased.complete);
    return {response};
  }

  Store& store_;
  const std::string author_id_;
  int64_t comment_count_ = 0;
  std::set<std::string> articles_;
};

class Verification final : public Work<VerifiedCounters, v1::VerifyCountersResponse> {
 public:
  Verification(Store& store, VerifyQuery query) : store_(store), query_(std::move(query)) {}

 private:
  void Ask(CallContext call, Callback<VerifiedCounters> done) override {
    store_.VerifyCounters(std::move(call), query_, std::move(done));
  }

  std::vector<v1::VerifyCountersResponse> Tell(VerifiedCounters verified) override {
    std::vector<v1::VerifyCountersResponse> responses;
    auto drift = verified.drifts.begin();
    do {
      v1::VerifyCountersResponse& response = responses.emplace_back();
      while (drift != verified.drifts.end() && response.drifts_size() < kDriftsOfMessage) {
        *response.add_drifts() = std::move(*drift++);
      }
      drift_count_ += response.drifts_size();
      response.set_article_count(article_count_);
      response.set_drift_count(drift_count_);
    } while (drift != verified.drifts.end());
    article_count_ += verified.article_count;
    responses.back().set_article_count(article_count_);
    responses.back().set_complete(verified.next_key.empty());
    query_.after_key = std::move(verified.next_key);
    return responses;
  }

  Store& store_;
  VerifyQuery query_;
  int64_t article_count_ = 0;
  int64_t drift_count_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Producer>> WatchComments(watch::Feed& comments,
                                                        const v1::WatchCommentsRequest& request) {
  return NewWatch(comments, Validate(request));
}

absl::StatusOr<std::unique_ptr<Producer>> WatchArticles(watch::Feed& articles,
                                                        const v1::WatchArticlesRequest& request) {
  return NewWatch(articles, Validate(request));
}

absl::StatusOr<std::unique_ptr<Producer>> ExportAuthor(Store& store,
                                                       const v1::ExportAuthorRequest& request) {
  absl::StatusOr<std::string> author_id = Validate(request);
  if (!author_id.ok()) return author_id.status();
  return std::make_unique<Export>(store, *std::move(author_id));
}

absl::StatusOr<std::unique_ptr<Producer>> EraseAuthor(Store& store,
                                                      const v1::EraseAuthorRequest& request) {
  absl::StatusOr<std::string> author_id = Validate(request);
  if (!author_id.ok()) return author_id.status();
  return std::make_unique<Erasure>(store, *std::move(author_id));
}

absl::StatusOr<std::unique_ptr<Producer>> VerifyCounters(Store& store,
                                                         const v1::VerifyCountersRequest& request) {
  absl::StatusOr<VerifyQuery> query = Validate(request);
  if (!query.ok()) return query.status();
  return std::make_unique<Verification>(store, *std::move(query));
}

}  // namespace content::api::streams
