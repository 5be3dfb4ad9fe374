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
  /// First names of the articles that they were on, without duplicates. Only for counting: they
  /// need not be the current names.
  std::vector<std::string> articles = {};
  /// Erasure::event_id for the next call.
  std::string event_id = {};
  /// Whether nothing of the author is left.
  bool complete = true;
};

/// An erasure, which takes several calls.
struct Erasure {
  std::string author_id;
  /// The erasure's event in the audit trail; empty until a call has erased something.
  std::string event_id = {};
};

struct VerifyQuery {
  /// If not empty, only this article is verified.
  std::string article_id = {};
  bool repair = false;
  std::string after_key = {};
};

struct VerifiedCounters {
  std::vector<v1::CounterDrift> drifts;
  int64_t article_count = 0;
  /// `after_key` for the next call; empty if every article has been verified.
  std::string next_key = {};
};

struct ForgottenRequests {
  /// Number of days whose requests were forgotten.
  int64_t count = 0;
  /// How long requests are kept, at least.
  absl::Duration retention = absl::ZeroDuration();
};

/// Operations on stored data for operators and for the server's own maintenance. See
/// content/store.h for what all interfaces have in common.
class Upkeep {
 public:
  virtual ~Upkeep() = default;

  /// Answers with one page of the author's comments as moderators see them, in a fixed order.
  virtual void ExportAuthor(CallContext context, std::string author_id, std::string after_key,
                            Callback<Page<v1::Comment>> done) = 0;

  /// Erases some of the author's comments or, if there are none, some of the reports that the
  /// author has made or, if there are none either, the author's id in some events of the audit
  /// trail. Repeat the call until the answer is complete.
  virtual void EraseAuthor(CallContext context, Erasure erasure, Callback<ErasedComments> done) = 0;

  /// Verifies the counters of some articles.
  virtual void VerifyCounters(CallContext context, VerifyQuery query,
                              Callback<VerifiedCounters> done) = 0;

  /// Forgets the requests of the days (UTC) that ended longer ago, by the database's clock, than
  /// the longest retention in use: `retention`, or one that another server has called this with. A
  /// retention is in use until that much time has passed since its last call. Also prepares the
  /// store for the days to come. Answers with the number of days forgotten, 0 if none are left, and
  /// with the longest retention.
  virtual void ForgetRequests(CallContext context, absl::Duration retention,
                              Callback<ForgottenRequests> done) = 0;

  /// Forgets some of the events of the audit trail that are older, by the database's clock, than
  /// the longest retention in use: `retention`, or one that another server has called this with in
  /// the last day. InfiniteDuration forgets none. Answers with the number of events
  /// forgotten, 0 if none are left.
  virtual void ForgetAuditEvents(CallContext context, absl::Duration retention,
                                 Callback<int64_t> done) = 0;

  /// Returns the retention that the last ForgetRequests answered with; zero if none has. Does not
  /// block.
  virtual absl::Duration RequestRetention() = 0;

  /// Shows readers the scheduled article whose publish_time comes first, if it has come by the
  /// database's clock. Skips articles that others have locked. Answers with the time after which
  /// the call should be repeated: until the next article is due, or a second if all that are due
  /// are locked; zero if an article was shown; InfiniteDuration if no article is scheduled.
  virtual void ReleaseNextArticle(CallContext context, Callback<absl::Duration> done) = 0;

  /// Answers OK if the database responds, accepts writes, and has a connection for each kind of
  /// work.
  virtual void Check(CallContext context, Callback<void> done) = 0;

  /// Describes the store without querying the database, so it works while the database cannot be
  /// reached. `database_version` is the version that the last Check found; empty if that failed.
  /// Does not block.
  virtual v1::StoreInfo GetInfo() = 0;
};

}  // namespace content
