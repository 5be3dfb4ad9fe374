#include "store/articles/feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "store/columns.h"

namespace content::store {
namespace {

// Maximum number of rows of one read. A watcher that is further behind reads again.
constexpr size_t kMaxChanges = 100;

// $1 position, $2 and $3 time and id (see ArticleCursor), $4 limit. Selects the articles that the
// watcher starts with (`listed`), then those that changed after $1, without those that no reader
// ever saw. There is at least one row: `feed_end` is the last position of the feed, and all other
// columns are NULL if nothing has changed.
std::string SelectArticleChanges() {
  constexpr char kChanges[] = R"sql(
WITH listed AS (
  SELECT s.article_id, true AS listed, s.publish_time AS list_time, 0 AS place
  FROM article_state s
  WHERE $0 AND s.feed_position <= $$1::bigint
    AND (s.publish_time, s.article_id) > ($$2::timestamptz, $$3)
  ORDER BY s.publish_time, s.article_id LIMIT $$4::integer
), changed AS (
  SELECT s.article_id, false AS listed, NULL::timestamptz AS list_time, s.feed_position AS place
  FROM article_state s
  WHERE s.feed_position > $$1::bigint AND (s.ever_readable OR ($0))
  ORDER BY s.feed_position LIMIT $$4::integer
), change AS (
  SELECT * FROM listed UNION ALL SELECT * FROM changed
  ORDER BY listed DESC, list_time, place, article_id LIMIT $$4::integer
)
SELECT article.*, feed.position AS feed_end
FROM article_feed feed
LEFT JOIN (
  SELECT $1, $2 AS former_names, change.listed, change.list_time, change.place, $0 AS readable,
         s.published_position
  FROM change JOIN article_state s USING (article_id) JOIN article a USING (article_id)
) article ON true
ORDER BY article.listed DESC, article.list_time, article.place, article.article_id)sql";
  return absl::Substitute(kChanges, kIsReadable, ArticleColumns(v1::ARTICLE_VIEW_BASIC),
                          kFormerNames);
}

constexpr char kSelectFeedEnd[] = "SELECT position FROM article_feed";

constexpr char kFeedName[] = "the feed of articles";

// Sorts after every id.
constexpr char kAfterAllIds[] = "~";

// The cursor of a watcher that has everything up to this position of the feed.
ArticleCursor CursorAt(int64_t position, Epoch epoch) {
  return {.position = position,
          .time = absl::InfiniteFuture(),
          .known_position = position,
          .epoch = std::move(epoch)};
}

Epoch EpochOf(const postgres::Connection& connection) { return connection.database().ToString(); }

ArticleChangeRecord ReadChange(const postgres::Row& row, const ArticleCursor& after) {
  ArticleChangeRecord record{.change = v1::ARTICLE_CHANGE_UPDATED,
                             .article = ReadArticle(row, v1::ARTICLE_VIEW_BASIC),
                             .cursor = after};
  for (const std::string& name : ReadArray(row["former_names"])) {
    record.former_names.push_back(ArticleName(name));
  }
  if (row["listed"].as<bool>()) {
    record.change = v1::ARTICLE_CHANGE_PUBLISHED;
    record.cursor.time = FromTimestamp(record.article.publish_time());
    record.cursor.article_id = row["article_id"].c_str();
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
  const Epoch epoch = EpochOf(connection);
  if (!after.epoch.empty() && after.epoch != epoch) return EpochEnded(kFeedName);
  const postgres::Result rows =
      connection.Read(statement, after.position, TimeParameter(after.time),
                      after.article_id.empty() ? kAfterAllIds : after.article_id, kMaxChanges);
  const auto feed_end = rows[0]["feed_end"].as<int64_t>();
  if (feed_end < after.position) {
    return RevisionNotReached(kFeedName, after.position, feed_end);
  }
  ArticleChanges changes;
  changes.cursor = CursorAt(feed_end, epoch);
  if (rows[0]["article_id"].is_null()) return changes;
  size_t bytes = 0;
  for (const auto& row : rows) {
    ArticleChangeRecord record = ReadChange(row, after);
    record.cursor.epoch = epoch;
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
  return CursorAt(connection.Read(kSelectFeedEnd)[0]["position"].as<int64_t>(),
                  EpochOf(connection));
}

}  // namespace content::store
