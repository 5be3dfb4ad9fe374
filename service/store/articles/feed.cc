#include "store/articles/feed.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "postgres/bulk.h"
#include "store/columns.h"
#include "store/names.h"
#include "telemetry/log.h"

namespace content::store {
namespace {

// Maximum number of rows of one read. A watcher that is further behind reads again.
constexpr size_t kMaxChanges = 100;

// $1 number of positions to take.
constexpr char kTakePositions[] =
    "UPDATE article_feed SET position = position + $1::bigint RETURNING position";

// $1 positions (array).
constexpr char kDeleteChanges[] = "DELETE FROM article_change WHERE position = ANY ($1::bigint[])";

const postgres::BulkStatement<2>& InsertChanges() {
  static const auto statement = postgres::BulkStatement<2>::Insert(
      "article_change", {{{"position", "bigint"}, {"article_key", "bigint"}}});
  return statement;
}

// $1 position, $2 limit. Selects the places of articles that changed after $1. There is at least
// one row: `feed_end` is the last position of the feed, and the other columns are NULL if nothing
// has changed. Both tables are read in one snapshot: a position that was taken before `feed_end`
// was committed before it.
constexpr char kSelectPlaces[] = R"sql(
SELECT feed.position AS feed_end, change.position, change.article_key
FROM article_feed feed
LEFT JOIN LATERAL (
  SELECT c.position, c.article_key FROM article_change c WHERE c.position > $1::bigint
  ORDER BY c.position LIMIT $2::integer
) change ON true
ORDER BY change.position
)sql";

// $1 buckets, $2 article keys (arrays). The columns of an article without text are NULL.
std::string SelectArticles() {
  return absl::StrCat(
      "SELECT ", ArticleColumns(v1::ARTICLE_VIEW_BASIC), ", s.article_key, ", kIsReadable,
      " AS readable, s.ever_readable, s.published_position, a.article_key IS NOT NULL AS has_text "
      "FROM article_state s LEFT JOIN article a USING (bucket, article_key) "
      "WHERE s.bucket = ANY ($1::smallint[]) AND s.article_key = ANY ($2::bigint[])");
}

constexpr char kSelectFeedEnd[] = "SELECT position FROM article_feed";

constexpr char kFeedName[] = "the feed of articles";

Epoch EpochOf(const postgres::Connection& connection) { return connection.database().ToString(); }

// The cursor of a watcher that has everything up to this position of the feed.
ArticleCursor CursorAt(int64_t position, Epoch epoch) {
  return {.position = position, .known_position = position, .epoch = std::move(epoch)};
}

std::vector<FeedPlace> ReadPlaces(const postgres::Result& rows) {
  std::vector<FeedPlace> places;
  if (rows[0]["position"].is_null()) return places;
  for (const auto& row : rows) {
    places.push_back({ReadKey(row["article_key"]), row["position"].as<int64_t>()});
  }
  return places;
}

// An article with what the feed needs to know of it.
struct FeedArticle {
  int64_t position;
  int64_t published_position;
  bool readable;
  bool ever_readable;
  std::optional<ArticleChangeRecord> record;  // nullopt if it has no text
};

using FeedArticles = std::map<ArticleKey, FeedArticle>;

FeedArticle ReadFeedArticle(const postgres::Row& row) {
  FeedArticle article = {.position = row["feed_position"].as<int64_t>(),
                         .published_position = row["published_position"].as<int64_t>(),
                         .readable = row["readable"].as<bool>(),
                         .ever_readable = row["ever_readable"].as<bool>(),
                         .record = std::nullopt};
  if (row["has_text"].as<bool>()) {
    article.record = {.article = ReadArticle(row, v1::ARTICLE_VIEW_BASIC), .cursor = {}};
  }
  return article;
}

void ReadFormerNamesOf(postgres::Connection& connection, FeedArticles& articles) {
  std::map<ArticleKey, std::string> current_names;
  for (const auto& [key, article] : articles) {
    if (!article.record) continue;
    current_names[key] = ParseArticleName(article.record->article.name()).value();
  }
  for (const auto& [key, names] : ReadFormerNames(connection, current_names)) {
    for (const std::string& name : names) {
      articles.at(key).record->former_names.push_back(ArticleName(name));
    }
  }
}

FeedArticles ReadFeedArticles(postgres::Connection& connection,
                              const std::vector<FeedPlace>& places) {
  static const std::string statement = SelectArticles();
  FeedArticles articles;
  if (places.empty()) return articles;
  std::vector<ArticleKey> keys;
  keys.reserve(places.size());
  for (const FeedPlace& place : places) keys.push_back(place.key);
  const postgres::Snapshot snapshot(connection);  // names and articles are of one moment
  for (const auto& row : connection.Read(statement, BucketsParameter(keys), KeysParameter(keys))) {
    articles.emplace(ReadKey(row["article_key"]), ReadFeedArticle(row));
  }
  ReadFormerNamesOf(connection, articles);
  return articles;
}

// Returns the change for a watcher with this cursor; nullopt if it need not hear of it. A watcher
// that starts with all articles only wants those that readers see.
std::optional<ArticleChangeRecord> ToChange(ArticleKey key, FeedArticle article,
                                            const ArticleCursor& after) {
  if (!article.record) {
    log::Error("article damaged", {{"article_key", key.value()}});
    return std::nullopt;
  }
  const bool is_listed = article.position <= after.start_position;
  if (!article.readable && (is_listed || !article.ever_readable)) return std::nullopt;
  ArticleChangeRecord record = *std::move(article.record);
  if (!article.readable) {
    record.change = v1::ARTICLE_CHANGE_RETRACTED;
    v1::Article retracted;
    retracted.set_name(record.article.name());
    retracted.set_revision(record.article.revision());
    record.article = std::move(retracted);
  } else {
    record.change = article.published_position > after.known_position ? v1::ARTICLE_CHANGE_PUBLISHED
                                                                      : v1::ARTICLE_CHANGE_UPDATED;
  }
  return record;
}

size_t SizeOf(const ArticleChangeRecord& record) {
  size_t bytes = record.article.ByteSizeLong();
  for (const std::string& name : record.former_names) bytes += name.size();
  return bytes;
}

void SetCursor(const ArticleCursor& cursor, ArticleChanges& changes) {
  changes.cursor = cursor;
  if (!changes.changes.empty()) changes.changes.back().cursor = cursor;
}

}  // namespace

void MoveToFeedEnd(postgres::Transaction& transaction, std::vector<FeedPlace>& places) {
  const auto count = static_cast<int64_t>(places.size());
  const postgres::Result taken = transaction.ExecWithQueued(kTakePositions, count);
  int64_t position = taken[0]["position"].as<int64_t>() - count;
  std::string former;
  postgres::Rows<2> rows;
  for (FeedPlace& place : places) {
    if (place.position > 0) postgres::AppendToArray(absl::StrCat(place.position), former);
    place.position = ++position;
    rows.Add(place.position, place.key.value());
  }
  if (!former.empty()) transaction.Queue(kDeleteChanges, former + "}");
  InsertChanges().Queue(transaction, rows);
}

void FeedWaits::Add(const FeedPlace& place, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  // While it was waited for, it was logged.
  std::erase_if(since_, [now](const auto& wait) { return now - wait.second > 2 * kMaxWait; });
  const auto since = since_.try_emplace(place.position, now).first;
  if (now - since->second < kMaxWait) return;
  since->second = now;
  log::Warning("feed waits", {{"article_key", place.key.value()}, {"position", place.position}});
}

absl::StatusOr<ArticleChanges> ReadArticleChanges(postgres::Connection& connection,
                                                  FeedWaits& waits, const ArticleCursor& after) {
  const Epoch epoch = EpochOf(connection);
  if (!after.epoch.empty() && after.epoch != epoch) return EpochEnded(kFeedName);
  const postgres::Result rows = connection.Read(kSelectPlaces, after.position, kMaxChanges);
  const auto feed_end = rows[0]["feed_end"].as<int64_t>();
  if (const int64_t reached = std::max(after.position, after.start_position); feed_end < reached) {
    return RevisionNotReached(kFeedName, reached, feed_end);
  }
  const std::vector<FeedPlace> places = ReadPlaces(rows);
  FeedArticles articles = ReadFeedArticles(connection, places);
  ArticleCursor cursor = after;
  cursor.epoch = epoch;
  ArticleChanges changes{.changes = {}, .cursor = cursor};
  bool has_moved = false;
  size_t bytes = 0;
  for (const FeedPlace& place : places) {
    const auto found = articles.find(place.key);
    // On Citus, an article's change may be seen a moment later than the feed's. As nothing may be
    // left out, the watcher has to wait for it: it reads again with its next poll.
    if (found == articles.end() || found->second.position < place.position) {
      waits.Add(place, SteadyNow());
      return changes;
    }
    if (found->second.position > place.position) {
      has_moved = true;  // since its place was read, and will be sent at its new one
    } else if (auto change = ToChange(place.key, std::move(found->second), after)) {
      bytes += SizeOf(*change);
      if (bytes > kMaxReplyBytes && !changes.changes.empty()) {
        changes.complete = false;
        return changes;
      }
      changes.changes.push_back(*std::move(change));
    }
    cursor.position = place.position;
    SetCursor(cursor, changes);
  }
  // While an article that has moved is still to be sent, the watcher does not know everything.
  changes.complete = places.size() < kMaxChanges && !has_moved;
  if (changes.complete) SetCursor(CursorAt(feed_end, epoch), changes);
  return changes;
}

absl::StatusOr<ArticleCursor> GetArticleCursor(postgres::Connection& connection) {
  return CursorAt(connection.Read(kSelectFeedEnd)[0]["position"].as<int64_t>(),
                  EpochOf(connection));
}

}  // namespace content::store
