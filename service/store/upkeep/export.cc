#include "store/upkeep/export.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "content/errors.h"
#include "content/names.h"
#include "store/columns.h"

namespace content::store {
namespace {

constexpr size_t kKeysPerPage = 1000;

// An article has up to 1 MiB of text, a comment 40 KB.
constexpr size_t kArticlesAtOnce = 16;
constexpr size_t kCommentsPerPage = 500;

// An export may be long, and wait for what reads it. For this transaction only: it has locked
// nothing. PostgreSQL 16 and older have no transaction_timeout.
constexpr char kMayBeLong[] =
    "SELECT set_config(name, '0', true) FROM pg_settings "
    "WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')";

// $1 key of the last row of the page before, $2 and $3 times, $4 limit, $5 the label's value or ''.
std::string SelectPageOfKeys(absl::string_view from_where) {
  return absl::StrCat("SELECT k.article_key FROM ", from_where,
                      " AND k.article_key > $1::bigint AND k.publish_time >= $2::timestamptz "
                      "AND k.publish_time < $3::timestamptz ORDER BY k.article_key "
                      "LIMIT $4::integer");
}

// The label of the articles that a query asks for (see LabelsOf in articles/batch.cc).
struct ExportLabel {
  const char* kind;
  std::string value;
};

ExportLabel LabelIn(const ExportQuery& query) {
  if (query.tag.empty()) return {"author", query.author};
  if (query.author.empty()) return {"tag", query.tag};
  return {"author and tag", absl::StrCat(query.author, "\n", query.tag)};
}

std::string SelectPage(const ExportQuery& query) {
  // Every parameter must appear in the statement, even if it is unused.
  if (query.author.empty() && query.tag.empty()) {
    return SelectPageOfKeys("article_state k WHERE $5 = ''");
  }
  return SelectPageOfKeys(
      absl::StrCat("article_label k WHERE k.kind = '", LabelIn(query).kind, "' AND k.value = $5"));
}

// $1 buckets, $2 article keys (arrays).
std::string SelectWholeArticles() {
  return absl::StrCat(
      "SELECT ", ArticleColumns(v1::ARTICLE_VIEW_FULL),
      ", s.article_key, s.retracted "
      "FROM article_state s JOIN article a USING (bucket, article_key) "
      "WHERE s.bucket = ANY ($1::smallint[]) AND s.article_key = ANY ($2::bigint[]) "
      "ORDER BY s.article_key");
}

// $1 bucket, $2 article key, $3 id of the last comment of the page before, $4 limit.
std::string SelectAllComments() {
  return absl::StrCat("SELECT ", CommentColumns(), " FROM comment c", kJoinArticles,
                      "WHERE c.bucket = $1::smallint AND c.article_key = $2::bigint "
                      "AND c.comment_id > $3::uuid ORDER BY c.comment_id LIMIT $4::integer");
}

constexpr char kFirstId[] = "00000000-0000-0000-0000-000000000000";

// Reads from a snapshot of the database.
class SnapshotReader {
 public:
  SnapshotReader(postgres::Connection& connection, const ExportQuery& query, ExportVisitor& visitor)
      : connection_(connection), query_(query), visitor_(visitor) {}

  void ReadOne(ArticleKey key) { ReadArticles({key}); }

  void ReadAll() {
    const std::string statement = SelectPage(query_);
    const std::string label = LabelIn(query_).value;
    ArticleKey last;
    while (true) {
      const postgres::Result rows =
          connection_.Read(statement, last.value(), TimeParameter(query_.published_after),
                           TimeParameter(query_.published_before), kKeysPerPage, label);
      std::vector<ArticleKey> keys;
      for (const auto& row : rows) {
        keys.push_back(last = ReadKey(row["article_key"]));
        if (keys.size() < kArticlesAtOnce) continue;
        if (!ReadArticles(std::exchange(keys, {}))) return;
      }
      if (!ReadArticles(keys) || rows.size() < kKeysPerPage) return;
    }
  }

 private:
  // Each returns whether to go on.

  bool ReadArticles(const std::vector<ArticleKey>& keys) {
    static const std::string statement = SelectWholeArticles();
    if (keys.empty()) return true;
    const postgres::Result rows =
        connection_.Read(statement, BucketsParameter(keys), KeysParameter(keys));
    std::vector<StoredArticle> articles;
    std::map<ArticleKey, std::string> names;
    for (const auto& row : rows) {
      const ArticleKey key = ReadKey(row["article_key"]);
      StoredArticle& stored =
          articles.emplace_back(StoredArticle{.article = ReadArticle(row, v1::ARTICLE_VIEW_FULL),
                                              .key = key.value(),
                                              .retracted = row["retracted"].as<bool>(),
                                              .former_names = {}});
      names[key] = ParseArticleName(stored.article.name()).value();
    }
    NamesByKey former_names = ReadFormerNames(connection_, names);
    return std::all_of(articles.begin(), articles.end(), [&](StoredArticle& article) {
      article.former_names = std::move(former_names[ArticleKey(article.key)]);
      return VisitWithComments(std::move(article));
    });
  }

  bool VisitWithComments(StoredArticle article) {
    const ArticleKey key(article.key);
    // Whoever comments raises the revision.
    const bool was_written_once = article.article.revision() == 1;
    return visitor_.Visit(std::move(article)) && (was_written_once || ReadComments(key));
  }

  bool ReadComments(ArticleKey article) {
    static const std::string statement = SelectAllComments();
    std::string last = kFirstId;
    while (true) {
      const postgres::Result rows =
          connection_.Read(statement, article.bucket(), article.value(), last, kCommentsPerPage);
      for (const auto& row : rows) {
        last = row["comment_id"].c_str();
        if (!visitor_.Visit(ReadComment(row, Audience::kModerators))) return false;
      }
      if (rows.size() < kCommentsPerPage) return true;
    }
  }

  postgres::Connection& connection_;
  const ExportQuery& query_;
  ExportVisitor& visitor_;
};

}  // namespace

absl::Status Export(postgres::Connection& connection, ArticleNames& names, const ExportQuery& query,
                    ExportVisitor& visitor) {
  const postgres::Snapshot snapshot(connection);
  connection.Read(kMayBeLong);
  SnapshotReader reader(connection, query, visitor);
  if (query.article_id.empty()) {
    reader.ReadAll();
    return absl::OkStatus();
  }
  const std::optional<ArticleKey> key = names.Find(connection, query.article_id);
  if (!key) return ArticleNotFound(ArticleName(query.article_id));
  reader.ReadOne(*key);
  return absl::OkStatus();
}

}  // namespace content::store
