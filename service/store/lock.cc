#include "store/lock.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "postgres/bulk.h"
#include "store/columns.h"

namespace content::store {
namespace {

// $1 names (array). One row for each name that exists. If the article was skipped, all columns but
// `given_name` and `now` are NULL. `now` is read after the row was locked, because the inner
// SELECT, which locks it, is not merged into the outer one.
std::string SelectLocked(LockWait wait) {
  return absl::StrCat(
      R"sql(
SELECT n.name AS given_name, locked.*,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now
FROM (
  SELECT name, article_id FROM article_name WHERE name = ANY ($1::text[]) ORDER BY article_id
) n LEFT JOIN LATERAL (
  SELECT s.article_id, s.name, s.revision, s.comment_count, s.feed_position, s.comment_policy,
         s.retracted, )sql",
      kIsReadable, R"sql( AS readable
  FROM article_state s WHERE s.article_id = n.article_id FOR NO KEY UPDATE)sql",
      wait == LockWait::kSkip ? " SKIP LOCKED" : "", ") locked ON true");
}

const postgres::BulkStatement<3>& UpdateCounters() {
  static const postgres::BulkStatement<3> statement(R"sql(
UPDATE article_state s SET revision = n.revision, comment_count = n.comment_count
FROM $rows AS n (article_id, revision, comment_count) WHERE s.article_id = n.article_id
)sql",
                                                    {"text", "bigint", "bigint"});
  return statement;
}

LockedArticle ReadLocked(const postgres::Row& row) {
  return {.id = row["article_id"].c_str(),
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

std::optional<LockedArticle> LockArticle(postgres::Transaction& transaction,
                                         const std::string& name) {
  auto articles = LockArticles(transaction, {name}, LockWait::kWait);
  return articles.empty() ? std::nullopt : std::move(articles.begin()->second);
}

std::map<std::string, std::optional<LockedArticle>> LockArticles(
    postgres::Transaction& transaction, const std::vector<std::string>& names, LockWait wait) {
  static const std::string waiting = SelectLocked(LockWait::kWait);
  static const std::string skipping = SelectLocked(LockWait::kSkip);
  std::map<std::string, std::optional<LockedArticle>> articles;
  for (const auto& row : transaction.ExecWithQueued(wait == LockWait::kSkip ? skipping : waiting,
                                                    ArrayParameter(names))) {
    std::optional<LockedArticle>& article = articles[row["given_name"].c_str()];
    if (!row["article_id"].is_null()) article = ReadLocked(row);
  }
  return articles;
}

std::map<std::string, std::string> ReadArticleKeys(postgres::Transaction& transaction,
                                                   const std::vector<std::string>& names) {
  constexpr char kKeys[] =
      "SELECT name, article_id FROM article_name WHERE name = ANY ($1::text[])";
  std::map<std::string, std::string> keys;
  for (const auto& row : transaction.ExecWithQueued(kKeys, ArrayParameter(names))) {
    keys[row["name"].c_str()] = row["article_id"].c_str();
  }
  return keys;
}

void WriteCounters(postgres::Transaction& transaction,
                   const std::vector<const LockedArticle*>& articles) {
  if (articles.empty()) return;
  postgres::Rows<3> rows;
  for (const LockedArticle* article : articles) {
    rows.Add(article->id, article->revision, article->comment_count);
  }
  UpdateCounters().Queue(transaction, rows);
}

ChangeNotice NoticeOf(const LockedArticle& article) {
  return {.state = {.article_id = article.id,
                    .revision = article.revision,
                    .comment_count = article.comment_count,
                    .version = article.version},
          .name = article.name};
}

}  // namespace content::store
