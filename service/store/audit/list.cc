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

// $1 article key, $2 author, $3 person, $4 caller, $5 action, $6 first event, $7 the one after the
// last, $8 limit. Only the filters that are set are in the statement: it has one plan for all
// values. The second conditions are those of the indexes. Every parameter has to be mentioned.
std::string SelectEventPage(const AuditQuery& query) {
  const auto filter = [](bool is_set, absl::string_view condition, absl::string_view parameter) {
    return is_set ? absl::StrCat(condition, " AND ") : absl::StrCat(parameter, " IS NOT NULL AND ");
  };
  const bool has_action = query.action != v1::AUDIT_ACTION_UNSPECIFIED;
  // There are few actions, so PostgreSQL would rather look for one among all events by time,
  // although it may be rare. A range of pairs, and this order, leave it only the index by action.
  const bool is_by_action =
      has_action && query.article_id.empty() && query.author_id.empty() && query.person_id.empty();
  const absl::string_view range =
      is_by_action
          ? "(action, event_id) >= ($5::smallint, $6::uuid) "
            "AND (action, event_id) < ($5::smallint, $7::uuid) ORDER BY action DESC, event_id DESC"
          : "event_id >= $6::uuid AND event_id < $7::uuid ORDER BY event_id DESC";
  return absl::StrCat(
      "SELECT event_id, action, name, revision, comment_id, author_id, outcome, state, "
      "previous_name, item_count, caller, person_id, erased, event_id AS page_key "
      "FROM audit_event WHERE ",
      filter(!query.article_id.empty(), "article_key = $1::bigint", "$1::bigint"),
      filter(!query.author_id.empty(), "author_id = $2::text AND author_id <> ''", "$2::text"),
      filter(!query.person_id.empty(), "person_id = $3::text AND person_id <> ''", "$3::text"),
      filter(!query.caller.empty(), "caller = $4::text AND caller <> ''", "$4::text"),
      filter(has_action && !is_by_action, "action = $5::smallint", "$5::smallint"), range,
      " LIMIT $8::integer");
}

v1::AuditEvent ReadEvent(const postgres::Row& row) {
  v1::AuditEvent event;
  event.set_id(row["event_id"].c_str());
  *event.mutable_create_time() = ToTimestamp(TimeOfUuid(event.id()));
  event.set_action(static_cast<v1::AuditAction>(row["action"].as<int>()));
  event.set_caller(row["caller"].c_str());
  event.set_person_id(row["person_id"].c_str());
  const std::string article = row["name"].c_str();
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
      SelectEventPage(query), article.value(), query.author_id, query.person_id, query.caller,
      static_cast<int>(query.action), first, end, query.page_size + 1);
  return FillPage<v1::AuditEvent>(rows, rows.size(), query.page_size, kMaxReplyBytes, ReadEvent);
}

}  // namespace content::store
