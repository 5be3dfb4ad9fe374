#include "store/articles/feed.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "store/columns.h"
#include "store/names.h"

namespace content::store {
namespace {

// Maximum number of rows of one read. A watcher that is further behind reads again.
constexpr size_t kMaxChanges = 100;

// $1 position, $2 and $3 time and key (see ArticleCursor), $4 limit. Selects the articles that the
// watcher starts with (`listed`), then those that changed after $1, without those that no reader
// ever saw. There is at least one row: `feed_end` is the last position of the feed, and all other
// columns are NULL if nothing has changed.
std::string SelectArticleChanges() {
  constexpr char kChanges[] = R"sql(
WITH listed AS (
  SELECT s.bucket, s.article_key, true AS listed, s.publish_time AS list_time, 0 AS place
  FROM article_state s
  WHERE $0 AND s.feed_position <= $$1::bigint
    AND (s.publish_time, s.article_key) > ($$2::timestamptz, $$3::bigint)
  ORDER BY s.publish_time, s.article_key LIMIT $$4::integer
), changed AS (
  SELECT s.bucket, s.article_key, false AS listed, NULL::timestamptz AS list_time, s.feed_position AS place
  FROM article_state s
  WHERE s.feed_position > $$1::bigint AND (s.ever_readable OR ($0))
  ORDER BY s.feed_position LIMIT $$4::integer
), change AS (
  SELECT * FROM listed UNION ALL SELECT * FROM changed
  ORDER BY listed DESC, list_time, place, article_key LIMIT $$4::integer
)
SELECT article.*, feed.position AS feed_end
FROM article_feed feed
LEFT JOIN (
  SELECT $1, change.article_key, change.listed, change.list_time, change.place, $0 AS readable,
         s.published_position
  FROM change JOIN article_state s USING (bucket, article_key)
  JOIN article a USING (bucket, article_key)
) article ON true
ORDER BY article.listed DESC, article.list_time, article.place, article.article_key)sql";
  return absl::Substitute(kChanges, kIsReadable, ArticleColumns(v1::ARTICLE_VIEW_BASIC));
}

constexpr char kSelectFeedEnd[] = "SELECT position FROM article_feed";

// Sorts after every key.
constexpr char kAfterAllKeys[] = "9223372036854775807";

// The cursor of a watcher that has everything up to this position of the feed.
ArticleCursor CursorAt(int64_t position) {
  return {.position = position, .time = absl::InfiniteFuture(), .known_position = position};
}

// The current names of the articles in the rows.
std::map<ArticleKey, std::string> NamesOf(const postgres::Result& rows) {
  std::map<ArticleKey, std::string> names;
  for (const auto& row : rows) names[ReadKey(row["article_key"])] = row["name"].c_str();
  return names;
}

ArticleChangeRecord ReadChange(const postgres::Row& row, const ArticleCursor& after) {
  ArticleChangeRecord record{.change = v1::ARTICLE_CHANGE_UPDATED,
                             .article = ReadArticle(row, v1::ARTICLE_VIEW_BASIC),
                             .cursor = after};
  if (row["listed"].as<bool>()) {
    record.change = v1::ARTICLE_CHANGE_PUBLISHED;
    record.cursor.time = FromTimestamp(record.article.publish_time());
    record.cursor.article_id = row["article_key"].c_str();
    return record;
  }
  record.cursor.time = absl::InfiniteFuture();
  record.cursor.article_id.clear();
  record.cursor.position = row["feed_position"].as<int64_t>();
  if (!row["readable"].as<bool>()) {
    record.change = v1::ARTICLE_CHANGE_RETRACTED;
    v1::Article retracted;
    retracted.set_name(record.article.name());
    retracted.set_revision(record.article.revision());
    record.article = std::move(retracted);
  } else if (row["published_position"].as<int64_t>() > after.known_position) {
    record.change = v1::ARTICLE_CHANGE_PUBLISHED;
  }
  return record;
}

}  // namespace

absl::StatusOr<ArticleChanges> ReadArticleChanges(postgres::Connection& connection,
                                                  const ArticleCursor& after) {
  static const std::string statement = SelectArticleChanges();
  const postgres::Snapshot snapshot(connection);  // names and articles are of one moment
  const postgres::Result rows =
      connection.Read(statement, after.position, TimeParameter(after.time),
                      after.article_id.empty() ? kAfterAllKeys : after.article_id, kMaxChanges);
  const auto feed_end = rows[0]["feed_end"].as<int64_t>();
  if (feed_end < after.position) {
    return RevisionNotReached("the feed of articles", after.position, feed_end);
  }
  ArticleChanges changes;
  changes.cursor = CursorAt(feed_end);
  if (rows[0]["article_key"].is_null()) return changes;
  const NamesByKey former_names = ReadFormerNames(connection, NamesOf(rows));
  size_t bytes = 0;
  for (const auto& row : rows) {
    ArticleChangeRecord record = ReadChange(row, after);
    if (const auto names = former_names.find(ReadKey(row["article_key"]));
        names != former_names.end()) {
      for (const std::string& name : names->second)
        record.former_names.push_back(ArticleName(name));
    }
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
  return CursorAt(connection.Read(kSelectFeedEnd)[0]["position"].as<int64_t>());
}

}  // namespace content::store
