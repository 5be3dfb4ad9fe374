#include "store/articles/feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "store/columns.h"

namespace content::store {
namespace {

// Maximum number of rows of one read. A watcher that is further behind reads again.
constexpr size_t kMaxChanges = 100;

// $1 position, $2 and $3 time and id (see ArticleCursor), $4 now, $5 limit. Selects the articles
// whose time has come (`due`), then those that changed after $1, without those that no reader ever
// saw. There is at least one row: `feed_end` is the last position of the feed, and all other
// columns are NULL if nothing has changed.
std::string SelectArticleChanges() {
  constexpr char kChanges[] = R"sql(
WITH due AS (
  SELECT s.article_id, true AS due, s.publish_time AS due_time, 0 AS place
  FROM article_state s
  WHERE $0 AND s.feed_position <= $$1::bigint
    AND (s.publish_time, s.article_id) > ($$2::timestamptz, $$3)
  ORDER BY s.publish_time, s.article_id LIMIT $$5::integer
), changed AS (
  SELECT s.article_id, false AS due, NULL::timestamptz AS due_time, s.feed_position AS place
  FROM article_state s
  WHERE s.feed_position > $$1::bigint AND (s.ever_readable OR ($0))
  ORDER BY s.feed_position LIMIT $$5::integer
), change AS (
  SELECT * FROM due UNION ALL SELECT * FROM changed
  ORDER BY due DESC, due_time, place, article_id LIMIT $$5::integer
)
SELECT article.*, feed.position AS feed_end
FROM article_feed feed
LEFT JOIN (
  SELECT $1, $2 AS former_names, change.due, change.due_time, change.place, s.retracted,
         s.published_position
  FROM change JOIN article_state s USING (article_id) JOIN article a USING (article_id)
) article ON true
ORDER BY article.due DESC, article.due_time, article.place, article.article_id)sql";
  return absl::Substitute(kChanges, IsReadable("$4"), ArticleColumns(v1::ARTICLE_VIEW_BASIC),
                          kFormerNames);
}

constexpr char kSelectFeedEnd[] = "SELECT position FROM article_feed";

// Sorts after every id.
constexpr char kAfterAllIds[] = "~";

ArticleChangeRecord ReadChange(const postgres::Row& row, const ArticleCursor& after,
                               absl::Time now) {
  ArticleChangeRecord record{.change = v1::ARTICLE_CHANGE_UPDATED,
                             .article = ReadArticle(row, v1::ARTICLE_VIEW_BASIC),
                             .cursor = after};
  for (const std::string& name : ReadArray(row["former_names"])) {
    record.former_names.push_back(ArticleName(name));
  }
  const absl::Time publish_time = FromTimestamp(record.article.publish_time());
  if (row["due"].as<bool>()) {
    record.change = v1::ARTICLE_CHANGE_PUBLISHED;
    record.cursor.time = publish_time;
    record.cursor.article_id = row["article_id"].c_str();
    return record;
  }
  record.cursor.time = now;
  record.cursor.article_id.clear();
  record.cursor.position = row["feed_position"].as<int64_t>();
  if (row["retracted"].as<bool>() || publish_time > now) {
    record.change = v1::ARTICLE_CHANGE_RETRACTED;
    v1::Article retracted;
    retracted.set_name(record.article.name());
    retracted.set_revision(record.article.revision());
    record.article = std::move(retracted);
  } else if (row["published_position"].as<int64_t>() > after.known_position ||
             publish_time > after.known_time) {
    record.change = v1::ARTICLE_CHANGE_PUBLISHED;
  }
  return record;
}

}  // namespace

absl::StatusOr<ArticleChanges> ReadArticleChanges(postgres::Connection& connection,
                                                  const ArticleCursor& after, absl::Time now) {
  static const std::string statement = SelectArticleChanges();
  now = absl::FromUnixMicros(absl::ToUnixMicros(now));
  const postgres::Result rows = connection.Read(
      statement, after.position, TimeParameter(after.time),
      after.article_id.empty() ? kAfterAllIds : after.article_id, TimeParameter(now), kMaxChanges);
  const auto feed_end = rows[0]["feed_end"].as<int64_t>();
  if (feed_end < after.position) {
    return RevisionNotReached("the feed of articles", after.position, feed_end);
  }
  ArticleChanges changes;
  changes.cursor = {
      .position = feed_end, .time = now, .known_position = feed_end, .known_time = now};
  if (rows[0]["article_id"].is_null()) return changes;
  size_t bytes = 0;
  for (const auto& row : rows) {
    ArticleChangeRecord record = ReadChange(row, after, now);
    bytes += record.article.ByteSizeLong();
    for (const std::string& name : record.former_names) bytes += name.size();
    if (bytes > kMaxReplyBytes && !changes.changes.empty()) break;
    changes.changes.push_back(std::move(record));
  }
  changes.complete = rows.size() < kMaxChanges && changes.changes.size() == rows.size();
  if (changes.complete) {
    changes.changes.back().cursor = changes.cursor;
  } else {
    changes.cursor = changes.changes.back().cursor;
  }
  return changes;
}

absl::StatusOr<ArticleCursor> GetArticleCursor(postgres::Connection& connection) {
  const absl::Time now = absl::Now();
  const auto position = connection.Read(kSelectFeedEnd)[0]["position"].as<int64_t>();
  return ArticleCursor{
      .position = position, .time = now, .known_position = position, .known_time = now};
}

}  // namespace content::store
