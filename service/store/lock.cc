#include "store/lock.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "postgres/bulk.h"
#include "store/columns.h"

namespace content::store {
namespace {

constexpr char kSelectNow[] =
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now";

// $1 buckets, $2 article keys (arrays). `now` is read after the row was locked, because the inner
// SELECT, which locks it, is not merged into the outer one.
std::string SelectLocked(LockWait wait) {
  return absl::StrCat(R"sql(
SELECT locked.*, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now
FROM (
  SELECT s.article_key, s.first_name, s.name, s.revision, s.comment_count, s.feed_position,
         s.comment_policy, s.retracted, )sql",
                      kIsReadable, R"sql( AS readable
  FROM article_state s
  WHERE s.bucket = ANY ($1::smallint[]) AND s.article_key = ANY ($2::bigint[])
  ORDER BY s.article_key
  FOR NO KEY UPDATE)sql",
                      wait == LockWait::kSkip ? " SKIP LOCKED" : "", ") locked");
}

const postgres::BulkStatement<4>& UpdateCounters() {
  static const postgres::BulkStatement<4> statement(
      R"sql(
UPDATE article_state s SET revision = n.revision, comment_count = n.comment_count
FROM $rows AS n (bucket, article_key, revision, comment_count)
WHERE s.bucket = n.bucket AND s.article_key = n.article_key
)sql",
      {"smallint", "bigint", "bigint", "bigint"});
  return statement;
}

LockedArticle ReadLocked(const postgres::Row& row) {
  return {.key = ReadKey(row["article_key"]),
          .first_name = row["first_name"].c_str(),
          .name = row["name"].c_str(),
          .revision = row["revision"].as<int64_t>(),
          .comment_count = row["comment_count"].as<int64_t>(),
          .version = row["feed_position"].as<int64_t>(),
          .comment_policy = static_cast<v1::CommentPolicy>(row["comment_policy"].as<int>()),
          .retracted = row["retracted"].as<bool>(),
          .readable = row["readable"].as<bool>(),
          .now = absl::FromUnixMicros(row["now"].as<int64_t>())};
}

}  // namespace

absl::Time ReadNow(postgres::Transaction& transaction) {
  return absl::FromUnixMicros(transaction.Exec(kSelectNow)[0]["now"].as<int64_t>());
}

std::optional<LockedArticle> LockArticle(postgres::Transaction& transaction, ArticleKey key) {
  auto articles = LockArticles(transaction, {key}, LockWait::kWait);
  if (articles.empty()) return std::nullopt;
  return std::move(articles.begin()->second);
}

std::map<ArticleKey, LockedArticle> LockArticles(postgres::Transaction& transaction,
                                                 const std::vector<ArticleKey>& keys,
                                                 LockWait wait) {
  static const std::string waiting = SelectLocked(LockWait::kWait);
  static const std::string skipping = SelectLocked(LockWait::kSkip);
  // By the bucket of all rows that one statement locks, which is 0 for all where that may be any.
  std::map<int, std::vector<ArticleKey>> groups;
  for (const ArticleKey& key : keys) {
    groups[transaction.is_distributed() ? key.bucket() : 0].push_back(key);
  }
  std::map<ArticleKey, LockedArticle> articles;
  for (const auto& [bucket, group] : groups) {
    const postgres::Result rows =
        transaction.ExecWithQueued(wait == LockWait::kSkip ? skipping : waiting,
                                   BucketsParameter(group), KeysParameter(group));
    for (const auto& row : rows) {
      LockedArticle article = ReadLocked(row);
      articles.try_emplace(article.key, std::move(article));
    }
  }
  return articles;
}

void WriteCounters(postgres::Transaction& transaction,
                   const std::vector<const LockedArticle*>& articles) {
  if (articles.empty()) return;
  postgres::Rows<4> rows;
  for (const LockedArticle* article : articles) {
    rows.Add(article->key.bucket(), article->key.value(), article->revision,
             article->comment_count);
  }
  UpdateCounters().Queue(transaction, rows);
}

void WriteNothing(postgres::Transaction& transaction) {
  transaction.Queue("SELECT pg_logical_emit_message(true, 'contentd', '')");
}

ChangeNotice NoticeOf(const LockedArticle& article) {
  return {.state = {.article_id = article.first_name,
                    .revision = article.revision,
                    .comment_count = article.comment_count,
                    .version = article.version},
          .name = article.name};
}

}  // namespace content::store
