#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/call.h"
#include "content/page.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/comment.pb.h"

namespace content {

struct ErasedComments {
  int64_t comment_count = 0;
  /// Keys of the articles they were on, each once. For counting; keys are not current names.
  std::vector<std::string> articles = {};
  /// Whether the author has no comments left.
  bool complete = true;
};

struct VerifyQuery {
  /// Only this article; empty: all.
  std::string article_id = {};
  bool repair = false;
  std::string after_key = {};
};

struct VerifiedCounters {
  std::vector<v1::CounterDrift> drifts;
  int64_t article_count = 0;
  /// The next call's `after_key`; empty if every article has been verified.
  std::string next_key = {};
};

/// What operators and the server's own maintenance do to stored data. content/store.h says what all
/// interfaces have in common.
class Upkeep {
 public:
  virtual ~Upkeep() = default;

  /// One page of the author's comments as moderators see them, in a fixed order.
  virtual void ExportAuthor(CallContext context, std::string author_id, std::string after_key,
                            Callback<Page<v1::Comment>> done) = 0;

  /// Erases some of the author's comments. Repeat the call until the answer is complete.
  virtual void EraseAuthor(CallContext context, std::string author_id,
                           Callback<ErasedComments> done) = 0;

  /// Verifies the counters of some articles.
  virtual void VerifyCounters(CallContext context, VerifyQuery query,
                              Callback<VerifiedCounters> done) = 0;

  /// Forgets a limited number of the requests made before `before`, and answers with that number: 0
  /// if none are left.
  virtual void ForgetRequests(CallContext context, absl::Time before, Callback<int64_t> done) = 0;

  /// OK if the database answers and accepts writes.
  virtual void Check(CallContext context, Callback<void> done) = 0;

  /// Describes the store without asking the database, so it works while that cannot be reached.
  /// `database_version` is what the last Check found; empty if that failed. Does not block.
  virtual v1::StoreInfo GetInfo() = 0;
};

}  // namespace content
