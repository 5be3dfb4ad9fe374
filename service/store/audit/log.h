#pragma once

#include <cstdint>
#include <string>

#include "base/call.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/comment.pb.h"
#include "postgres/bulk.h"
#include "postgres/transaction.h"
#include "store/article_key.h"
#include "store/lock.h"

namespace content::store {

/// An act, as the audit trail keeps it. Fields that do not apply are empty. Never has texts of
/// articles and comments, display names, or reasons: an erasure would not find them.
struct AuditEvent {
  /// A UUID of version 7 with the time of the act.
  std::string id;
  v1::AuditAction action;
  ArticleKey article = {};
  /// The article's name after the act, without `articles/`.
  std::string article_name = {};
  /// The article's revision after the act.
  int64_t revision = 0;
  std::string comment_id = {};
  std::string author_id = {};
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
  v1::CommentState state = v1::COMMENT_STATE_UNSPECIFIED;
  /// The article's name before the act.
  std::string previous_name = {};
  int64_t item_count = 0;
};

/// Returns an event about an article, as the act has left it.
AuditEvent EventAbout(LockedArticle& article, v1::AuditAction action);

/// The events that a transaction adds to the audit trail: those of the acts that change something.
/// Not thread-safe.
class AuditLog {
 public:
  explicit AuditLog(postgres::Transaction& transaction) : transaction_(transaction) {}

  /// Adds the event of an act. `caller` may be nullptr (CallContext::caller).
  void Add(const Caller* caller, const AuditEvent& event);

  /// Adds the event of an erasure of this author. If an earlier transaction has added it, increases
  /// its count. Names the caller only if that is not the author.
  void AddErasure(const Caller* caller, const AuditEvent& event, const std::string& author_id);

  /// Writes the events that were added. Runs at most one statement.
  void Write() const;

 private:
  void AddRow(const Caller& caller, const AuditEvent& event, bool erased);

  postgres::Transaction& transaction_;
  postgres::Rows<14> rows_;
};

}  // namespace content::store
