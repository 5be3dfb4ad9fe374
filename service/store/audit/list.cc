#include "store/audit/list.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "content/uuid.h"
#include "store/columns.h"

namespace content::store {
namespace {

// $1 article key, $2 author, $3 person, $4 caller, $5 action, each 0 or empty for any; $6 first
// event, $7 the one after the last, $8 limit. `leading` is the condition whose index is read.
std::string SelectPage(absl::string_view leading) {
  return absl::StrCat(R"sql(
SELECT event_id, action, article_name, revision, comment_id, author_id, outcome, state, previous_name,
       item_count, caller, person_id, erased, event_id AS page_key
FROM audit_event
WHERE )sql",
                      leading, R"sql(
  AND ($1::bigint = 0 OR article_key = $1::bigint)
  AND ($2::text = '' OR author_id = $2::text)
  AND ($3::text = '' OR person_id = $3::text)
  AND ($4::text = '' OR caller = $4::text)
  AND ($5::smallint = 0 OR action = $5::smallint)
  AND event_id >= $6::uuid AND event_id < $7::uuid
ORDER BY event_id DESC LIMIT $8::integer
)sql");
}

// Returns the statement that reads the index of one filter, probably the one that fewest events
// match.
const std::string& StatementFor(const AuditQuery& query) {
  static const std::string by_author = SelectPage("author_id = $2::text AND author_id <> ''");
  static const std::string by_person = SelectPage("person_id = $3::text AND person_id <> ''");
  static const std::string by_article = SelectPage("article_key = $1::bigint");
  static const std::string by_action = SelectPage("action = $5::smallint");
  static const std::string by_caller = SelectPage("caller = $4::text AND caller <> ''");
  static const std::string by_time = SelectPage("true");
  if (!query.author_id.empty()) return by_author;
  if (!query.person_id.empty()) return by_person;
  if (!query.article_id.empty()) return by_article;
  if (query.action != v1::AUDIT_ACTION_UNSPECIFIED) return by_action;
  return query.caller.empty() ? by_time : by_caller;
}

v1::AuditEvent ReadEvent(const postgres::Row& row) {
  v1::AuditEvent event;
  event.set_id(row["event_id"].c_str());
  *event.mutable_create_time() = ToTimestamp(TimeOfUuid(event.id()));
  event.set_action(static_cast<v1::AuditAction>(row["action"].as<int>()));
  event.set_caller(row["caller"].c_str());
  event.set_person_id(row["person_id"].c_str());
  const std::string article = row["article_name"].c_str();
  if (!article.empty()) event.set_article(ArticleName(article));
  if (!row["comment_id"].is_null()) {
    event.set_comment(CommentName(article, row["comment_id"].c_str()));
  }
  event.set_author_id(row["author_id"].c_str());
  event.set_revision(row["revision"].as<int64_t>());
  event.set_outcome(static_cast<v1::PublishOutcome>(row["outcome"].as<int>()));
  event.set_state(static_cast<v1::CommentState>(row["state"].as<int>()));
  const std::string previous = row["previous_name"].c_str();
  if (!previous.empty()) event.set_previous_name(ArticleName(previous));
  event.set_item_count(row["item_count"].as<int64_t>());
  event.set_erased(row["erased"].as<bool>());
  return event;
}

}  // namespace

absl::StatusOr<Page<v1::AuditEvent>> ListAuditEvents(postgres::Connection& connection,
                                                     ArticleNames& names, const AuditQuery& query) {
  ArticleKey article;
  if (!query.article_id.empty()) {
    const auto key = names.Find(connection, query.article_id);
    if (!key) return ArticleNotFound(ArticleName(query.article_id));
    article = *key;
  }
  const std::string first = FirstUuidAt(query.start_time);
  std::string end = FirstUuidAt(query.end_time);
  if (!query.after_key.empty()) end = std::min(end, query.after_key);
  const postgres::Result rows = connection.Read(
      StatementFor(query), article.value(), query.author_id, query.person_id, query.caller,
      static_cast<int>(query.action), first, end, query.page_size + 1);
  return FillPage<v1::AuditEvent>(rows, rows.size(), query.page_size, kMaxReplyBytes, ReadEvent);
}

}  // namespace content::store
