#include "store/audit/list.h"

#include <algorithm>
#include <array>
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

// A filter of a query: whether it is set, the column, and the parameter with the value.
struct Filter {
  bool is_set;
  absl::string_view column;
  absl::string_view parameter;
};

// The most selective filters first.
std::array<Filter, 5> FiltersOf(const AuditQuery& query) {
  return {{{!query.article_id.empty(), "article_key", "$1::bigint"},
           {!query.author_id.empty(), "author_id", "$2::text"},
           {!query.person_id.empty(), "person_id", "$3::text"},
           {!query.caller.empty(), "caller", "$4::text"},
           {query.action != v1::AUDIT_ACTION_UNSPECIFIED, "action", "$5::smallint"}}};
}

// The condition that the column's indexes have; empty if they have all rows.
std::string IndexCondition(absl::string_view column) {
  if (column == "article_key" || column == "action") return "";
  return absl::StrCat(column, " <> '' AND ");
}

// The columns that the index of a query begins with, in the parts of the statement that name them.
struct IndexKey {
  std::string columns;
  std::string values;
  std::string order;

  // Whether an index goes on with the filter's column. One caller may have done very much of
  // everything else, so callers have an index with the action. (PostgreSQL would not use one of
  // persons: it prefers the one without the action, and sorts.)
  bool Takes(const Filter& filter) const {
    return columns.empty() || (filter.column == "action" && columns == "caller, ");
  }

  void Add(const Filter& filter) {
    absl::StrAppend(&columns, filter.column, ", ");
    absl::StrAppend(&values, filter.parameter, ", ");
    absl::StrAppend(&order, filter.column, " DESC, ");
  }
};

// $1 article key, $2 author, $3 person, $4 caller, $5 action, $6 first event, $7 the one after the
// last, $8 limit. Every parameter has to be mentioned. Only the filters that are set are in the
// statement, which has one plan for all values. If a column has few values, PostgreSQL would rather
// look for one among all events by time, although it may be rare. A range of rows, and this order,
// leave it only the index that begins with the column.
std::string SelectEventPage(const AuditQuery& query) {
  IndexKey key;
  std::string conditions;
  for (const Filter& filter : FiltersOf(query)) {
    if (!filter.is_set) {
      absl::StrAppend(&conditions, filter.parameter, " IS NOT NULL AND ");
      continue;
    }
    absl::StrAppend(&conditions, IndexCondition(filter.column));
    if (key.Takes(filter)) {
      key.Add(filter);
    } else {
      absl::StrAppend(&conditions, filter.column, " = ", filter.parameter, " AND ");
    }
  }
  return absl::StrCat(
      "SELECT event_id, action, name, revision, comment_id, author_id, outcome, state, "
      "previous_name, item_count, caller, person_id, erased, event_id AS page_key "
      "FROM audit_event WHERE ",
      conditions, "(", key.columns, "event_id) >= (", key.values, "$6::uuid) AND (", key.columns,
      "event_id) < (", key.values, "$7::uuid) ORDER BY ", key.order,
      "event_id DESC LIMIT $8::integer");
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
