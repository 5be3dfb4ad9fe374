#include "api/upkeep.h"

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "api/answers.h"
#include "api/checks.h"
#include "api/log_level.h"
#include "base/errors.h"
#include "content/rules.h"
#include "google/protobuf/util/time_util.h"

namespace content::api {
namespace {

using google::protobuf::util::TimeUtil;

// Bounds the size of a message: one article may have any number of drifts.
constexpr int kMaxDriftsPerMessage = 1'000;

// Reports on work that the store does batch by batch.
template <class Batch, class Response>
class BatchProducer : public Producer {
 public:
  void Next(CallContext call, Callback<Chunk> done) final {
    AskForBatch(std::move(call),
                [this, done = std::move(done)](absl::StatusOr<Batch> batch) mutable {
                  if (!batch.ok()) return std::move(done)(batch.status());
                  Chunk chunk;
                  for (const Response& response : Report(*std::move(batch))) {
                    chunk.messages.push_back(Serialize(response));
                    chunk.last = response.complete();
                  }
                  std::move(done)(std::move(chunk));
                });
  }

 private:
  virtual void AskForBatch(CallContext call, Callback<Batch> done) = 0;

  // Returns at least one message about this batch, with the totals so far.
  virtual std::vector<Response> Report(Batch batch) = 0;
};

class ExportProducer final : public BatchProducer<Page<v1::Comment>, v1::ExportAuthorResponse> {
 public:
  ExportProducer(Upkeep& upkeep, std::string author_id)
      : upkeep_(upkeep), author_id_(std::move(author_id)) {}

 private:
  void AskForBatch(CallContext call, Callback<Page<v1::Comment>> done) override {
    upkeep_.ExportAuthor(std::move(call), author_id_, after_key_, std::move(done));
  }

  std::vector<v1::ExportAuthorResponse> Report(Page<v1::Comment> page) override {
    v1::ExportAuthorResponse response;
    for (v1::Comment& comment : page.items) *response.add_comments() = std::move(comment);
    comment_count_ += response.comments_size();
    response.set_comment_count(comment_count_);
    response.set_complete(page.next_key.empty());
    after_key_ = std::move(page.next_key);
    return {response};
  }

  Upkeep& upkeep_;
  const std::string author_id_;
  std::string after_key_;
  int64_t comment_count_ = 0;
};

class ErasureProducer final : public BatchProducer<ErasedComments, v1::EraseAuthorResponse> {
 public:
  ErasureProducer(Upkeep& upkeep, std::string author_id)
      : upkeep_(upkeep), erasure_{.author_id = std::move(author_id)} {}

 private:
  void AskForBatch(CallContext call, Callback<ErasedComments> done) override {
    upkeep_.EraseAuthor(std::move(call), erasure_, std::move(done));
  }

  std::vector<v1::EraseAuthorResponse> Report(ErasedComments erased) override {
    erasure_.event_id = std::move(erased.event_id);
    comment_count_ += erased.comment_count;
    articles_.insert(erased.articles.begin(), erased.articles.end());
    v1::EraseAuthorResponse response;
    response.set_comment_count(comment_count_);
    response.set_article_count(static_cast<int64_t>(articles_.size()));
    response.set_complete(erased.complete);
    return {response};
  }

  Upkeep& upkeep_;
  Erasure erasure_;
  int64_t comment_count_ = 0;
  std::set<std::string> articles_;
};

class VerificationProducer final
    : public BatchProducer<VerifiedCounters, v1::VerifyCountersResponse> {
 public:
  VerificationProducer(Upkeep& upkeep, VerifyQuery query)
      : upkeep_(upkeep), query_(std::move(query)) {}

 private:
  void AskForBatch(CallContext call, Callback<VerifiedCounters> done) override {
    upkeep_.VerifyCounters(std::move(call), query_, std::move(done));
  }

  std::vector<v1::VerifyCountersResponse> Report(VerifiedCounters verified) override {
    std::vector<v1::VerifyCountersResponse> responses;
    auto drift = verified.drifts.begin();
    do {
      v1::VerifyCountersResponse& response = responses.emplace_back();
      while (drift != verified.drifts.end() && response.drifts_size() < kMaxDriftsPerMessage) {
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

  Upkeep& upkeep_;
  VerifyQuery query_;
  int64_t article_count_ = 0;
  int64_t drift_count_ = 0;
};

absl::StatusOr<std::string> CheckAuthorId(absl::string_view author_id) {
  Violations violations;
  CheckAuthorIdToFind(author_id, "author_id", violations);
  if (!violations.empty()) return violations.ToStatus();
  return std::string(author_id);
}

}  // namespace

absl::StatusOr<std::string> CheckExportAuthor(const v1::ExportAuthorRequest& request) {
  return CheckAuthorId(request.author_id());
}

absl::StatusOr<std::unique_ptr<Producer>> ExportAuthor(Upkeep& upkeep,
                                                       const v1::ExportAuthorRequest& request) {
  absl::StatusOr<std::string> author_id = CheckExportAuthor(request);
  if (!author_id.ok()) return author_id.status();
  return std::make_unique<ExportProducer>(upkeep, *std::move(author_id));
}

absl::StatusOr<std::string> CheckEraseAuthor(const v1::EraseAuthorRequest& request) {
  return CheckAuthorId(request.author_id());
}

absl::StatusOr<std::unique_ptr<Producer>> EraseAuthor(Upkeep& upkeep,
                                                      const v1::EraseAuthorRequest& request) {
  absl::StatusOr<std::string> author_id = CheckEraseAuthor(request);
  if (!author_id.ok()) return author_id.status();
  return std::make_unique<ErasureProducer>(upkeep, *std::move(author_id));
}

absl::StatusOr<VerifyQuery> CheckVerifyCounters(const v1::VerifyCountersRequest& request) {
  Violations violations;
  VerifyQuery query{.repair = request.repair()};
  if (!request.name().empty()) {
    query.article_id = CheckArticleName(request.name(), "name", violations);
  }
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

absl::StatusOr<std::unique_ptr<Producer>> VerifyCounters(Upkeep& upkeep,
                                                         const v1::VerifyCountersRequest& request) {
  absl::StatusOr<VerifyQuery> query = CheckVerifyCounters(request);
  if (!query.ok()) return query.status();
  return std::make_unique<VerificationProducer>(upkeep, *std::move(query));
}

void GetServerInfo(const ServerParts& server, CallContext, v1::GetServerInfoRequest,
                   Callback<v1::GetServerInfoResponse> done) {
  v1::GetServerInfoResponse info = server.info;
  const auto longest = absl::ToInt64Milliseconds(server.upkeep.RequestRetention());
  if (longest > TimeUtil::DurationToMilliseconds(info.request_retention())) {
    *info.mutable_request_retention() = TimeUtil::MillisecondsToDuration(longest);
  }
  info.set_watcher_count(
      static_cast<int64_t>(server.comments.watcher_count() + server.articles.watcher_count()));
  *info.mutable_store() = server.upkeep.GetInfo();
  *info.mutable_cache() = server.cache.GetInfo();
  info.mutable_memory()->set_byte_limit(server.memory.limit());
  info.mutable_memory()->set_byte_count(server.memory.ReadUsed());
  info.mutable_memory()->set_is_short(server.memory.is_short());
  *info.mutable_log() = CurrentLogInfo();
  std::move(done)(std::move(info));
}

}  // namespace content::api
