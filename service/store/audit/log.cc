#include "store/audit/log.h"

#include "store/audit/erase.h"

namespace content::store {
namespace {

// comment_id may be ''. Only the event of an erasure can be there already.
const postgres::BulkStatement<14>& InsertEvents() {
  static const postgres::BulkStatement<14> statement(
      R"sql(
INSERT INTO audit_event (event_id, action, article_key, name, revision, comment_id, author_id,
                         outcome, state, previous_name, item_count, caller, person_id, erased)
SELECT n.event_id, n.action, n.article_key, n.name, n.revision, NULLIF(n.comment_id, '')::uuid,
       n.author_id, n.outcome, n.state, n.previous_name, n.item_count, n.caller, n.person_id, n.erased
FROM $rows AS n (event_id, action, article_key, name, revision, comment_id, author_id, outcome,
                 state, previous_name, item_count, caller, person_id, erased)
ON CONFLICT (event_id) DO UPDATE SET item_count = audit_event.item_count + excluded.item_count
)sql",
      {"uuid", "smallint", "bigint", "text", "bigint", "text", "text", "smallint", "smallint",
       "text", "bigint", "text", "text", "boolean"});
  return statement;
}

}  // namespace

AuditEvent EventAbout(LockedArticle& article, v1::AuditAction action) {
  return {.id = article.ids.Next(),
          .action = action,
          .article = article.key,
          .article_name = article.name,
          .revision = article.revision};
}

void AuditLog::Add(const Caller* caller, const AuditEvent& event) {
  AddRow(caller != nullptr ? *caller : Caller(), event, /*erased=*/false);
}

void AuditLog::AddErasure(const Caller* caller, const AuditEvent& event,
                          const std::string& author_id) {
  const bool erases_self = caller != nullptr && (caller->person == author_id ||
                                                 caller->identity == IdentityOfAuthor(author_id));
  AddRow(caller != nullptr && !erases_self ? *caller : Caller(), event, erases_self);
}

void AuditLog::AddRow(const Caller& caller, const AuditEvent& event, bool erased) {
  rows_.Add(event.id, static_cast<int>(event.action), event.article.value(), event.article_name,
            event.revision, event.comment_id, event.author_id, static_cast<int>(event.outcome),
            static_cast<int>(event.state), event.previous_name, event.item_count, caller.identity,
            caller.person, erased);
}

void AuditLog::Write() const {
  if (!rows_.empty()) InsertEvents().Exec(transaction_, rows_);
}

}  // namespace content::store
