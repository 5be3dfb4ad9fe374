#include "store/changes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/names.h"
#include "store/rows.h"

namespace content::store {
namespace {

// Rows of one read; who is further behind reads again.
constexpr size_t kMostChanges = 100;

// $1 article, $2 now, $3 revision, $4 limit. At least one row if the article is readable: its
// `revision` and `comment_count`, and the columns of a comment that changed after $3 (NULL if there
// is none). All comments of one revision are there, or none.
std::string SelectCommentChanges() {
  constexpr char kChanges[] = R"sql(
SELECT change.*, s.revision, s.comment_count
FROM article_state s
LEFT JOIN LATERAL (
  SELECT $0
  FROM comment c
  WHERE c.article_id = s.article_id AND c.ever_shown AND c.revision > $$3::bigint
  ORDER BY c.revision FETCH FIRST ($$4::integer) ROWS WITH TIES
) change ON true
WHERE $1 AND $2
ORDER BY change.comment_revision, change.comment_id)sql";
  return absl::Substitute(kChanges, kCommentColumns, IsNamed("$1"), IsReadable("$2"));
}

// $1 position, $2 and $3 time and id (see ArticleCursor), $4 the present, $5 limit. At least one
// row: `feed_end`, the feed's last position, and the columns of an article, NULL if nothing has
// changed: first those whose time has come (`due`), then those changed after $1, but for those that
// readers never saw.
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

// Comes after every id.
constexpr char kAfterAllIds[] = "~";

// How many of these, whole revisions only and at least one, are no more than kMaxReplyBytes.
size_t CountFitting(const std::vector<v1::Comment>& comments) {
  size_t bytes = 0;
  size_t fitting = 0;
  for (size_t i = 0; i < comments.size(); ++i) {
    if (i > 0 && comments[i].revision() != comments[i - 1].revision()) fitting = i;
    bytes += comments[i].ByteSizeLong();
    if (bytes > kMaxReplyBytes && fitting > 0) return fitting;
  }
  return comments.size();
}

// Whether there is nothing behind the changes that were taken from these rows.
bool IsComplete(const pqxx::result& rows, size_t taken) {
  const auto count = static_cast<size_t>(rows.size());
  return count < kMostChanges && taken == count;
}

ArticleChangeRecord ReadChange(const pqxx::row& row, const ArticleCursor& after, absl::Time now) {
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

absl::StatusOr<CommentChanges> ReadCommentChanges(Connection& connection,
                                                  const std::string& article_id,
                                                  int64_t after_revision) {
  static const std::string statement = SelectCommentChanges();
  const pqxx::result rows =
      connection.Read(statement, article_id, NowParameter(), after_revision, kMostChanges);
  if (rows.empty()) return ArticleNotFound(ArticleName(article_id));
  CommentChanges changes;
  changes.article_revision = rows[0]["revision"].as<int64_t>();
  changes.comment_count = rows[0]["comment_count"].as<int64_t>();
  if (changes.article_revision < after_revision) {
    return RevisionNotReached(ArticleName(article_id), after_revision, changes.article_revision);
  }
  if (rows[0]["comment_id"].is_null()) return changes;
  for (const auto& row : rows) changes.comments.push_back(ReadComment(row, Audience::kReaders));
  changes.comments.resize(CountFitting(changes.comments));
  changes.complete = IsComplete(rows, changes.comments.size());
  if (!changes.complete) changes.article_revision = changes.comments.back().revision();
  return changes;
}

absl::StatusOr<ArticleChanges> ReadArticleChanges(Connection& connection,
                                                  const ArticleCursor& after, absl::Time now) {
  static const std::string statement = SelectArticleChanges();
  now = absl::FromUnixMicros(absl::ToUnixMicros(now));
  const pqxx::result rows = connection.Read(
      statement, after.position, TimeParameter(after.time),
      after.article_id.empty() ? kAfterAllIds : after.article_id, TimeParameter(now), kMostChanges);
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
    if (bytes > kMaxReplyBytes && !changes.changes.empty()) break;
    changes.changes.push_back(std::move(record));
  }
  changes.complete = IsComplete(rows, changes.changes.size());
  if (changes.complete) {
    changes.changes.back().cursor = changes.cursor;
  } else {
    changes.cursor = changes.changes.back().cursor;
  }
  return changes;
}

absl::StatusOr<ArticleCursor> GetArticleCursor(Connection& connection) {
  const absl::Time now = absl::Now();
  const auto position = connection.Read(kSelectFeedEnd)[0]["position"].as<int64_t>();
  return ArticleCursor{
      .position = position, .time = now, .known_position = position, .known_time = now};
}

}  // namespace content::store
