#include "store/articles/release.h"

#include <cstdint>
#include <vector>

#include "content/changes.h"
#include "content/uuid.h"
#include "postgres/transaction.h"
#include "store/articles/feed.h"
#include "store/articles/search.h"
#include "store/audit/log.h"
#include "store/columns.h"

namespace content::store {
namespace {

// The scheduled articles that are due first, with the microseconds until then.
constexpr char kSelectNextDue[] = R"sql(
SELECT article_key, (extract(epoch FROM publish_time - now()) * 1000000)::bigint AS due_in
FROM article_state WHERE scheduled AND isfinite(publish_time) ORDER BY publish_time LIMIT 20
)sql";

// $1 bucket, $2 article key. Locks the article if it is due and nobody else has locked it.
constexpr char kLockDue[] = R"sql(
SELECT (extract(epoch FROM s.publish_time) * 1000000)::bigint AS publish_micros, s.feed_position,
       s.name, s.revision, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now
FROM article_state s
WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint
  AND s.scheduled AND isfinite(s.publish_time) AND s.publish_time <= now()
FOR NO KEY UPDATE SKIP LOCKED
)sql";

// $1 bucket, $2 article key, $3 position in the feed. The revision stays, because nothing that the
// article shows changes.
constexpr char kReleaseArticle[] = R"sql(
UPDATE article_state s
SET scheduled = false, feed_position = $3::bigint, published_position = $3::bigint
WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint
RETURNING s.first_name, s.name, s.revision, s.comment_count, s.feed_position
)sql";

// $1 bucket, $2 article key.
constexpr char kSelectReleased[] = R"sql(
SELECT s.first_name, s.name, s.revision, s.comment_count, s.feed_position
FROM article_state s
WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint AND NOT s.scheduled
)sql";

// When to look again if others have locked all articles that are due.
constexpr absl::Duration kLockedDelay = absl::Seconds(1);

ChangeNotice ReadNotice(const postgres::Row& row) {
  return {.state = {.article_id = row["first_name"].c_str(),
                    .revision = row["revision"].as<int64_t>(),
                    .comment_count = row["comment_count"].as<int64_t>(),
                    .version = row["feed_position"].as<int64_t>()},
          .name = row["name"].c_str()};
}

// Adds the event of a release to the audit trail. No caller has asked for it.
void Audit(postgres::Transaction& transaction, ArticleKey key, const postgres::Row& due) {
  const absl::Time now = absl::FromUnixMicros(due["now"].as<int64_t>());
  AuditLog audit(transaction);
  audit.Add(nullptr, {.id = TimedUuids(now).Next(),
                      .action = v1::AUDIT_ACTION_RELEASE_ARTICLE,
                      .article = key,
                      .article_name = due["name"].c_str(),
                      .revision = due["revision"].as<int64_t>()});
  audit.Write();
}

}  // namespace

// Reads only article_state: an article that is damaged elsewhere does not hold up those behind it.
// Neither does one that others have locked: it is skipped, unless 20 that are due are locked.
absl::StatusOr<absl::Duration> ReleaseNextArticle(postgres::Connection& connection,
                                                  std::optional<ArticleKey>& attempt,
                                                  const Announce& announce) {
  if (attempt) {
    const postgres::Result released =
        connection.Read(kSelectReleased, attempt->bucket(), attempt->value());
    if (!released.empty()) announce({ReadNotice(released[0])});
    attempt.reset();
  }
  const postgres::Result next_due = connection.Read(kSelectNextDue);
  for (const auto& next : next_due) {
    const absl::Duration due_in = absl::Microseconds(next["due_in"].as<int64_t>());
    if (due_in > absl::ZeroDuration()) return due_in;
    const ArticleKey key = ReadKey(next["article_key"]);
    postgres::Transaction transaction(connection);
    const postgres::Result due = transaction.Exec(kLockDue, key.bucket(), key.value());
    if (due.empty()) continue;
    ShowInSearch(transaction, key, absl::FromUnixMicros(due[0]["publish_micros"].as<int64_t>()));
    Audit(transaction, key, due[0]);
    std::vector<FeedPlace> places = {{key, due[0]["feed_position"].as<int64_t>()}};
    MoveToFeedEnd(transaction, places);
    const postgres::Result released =
        transaction.ExecWithQueued(kReleaseArticle, key.bucket(), key.value(), places[0].position);
    attempt = key;
    transaction.Commit();
    announce({ReadNotice(released[0])});
    return absl::ZeroDuration();
  }
  return next_due.empty() ? absl::InfiniteDuration() : kLockedDelay;
}

}  // namespace content::store
