#include "store/articles/inspect.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "content/errors.h"
#include "content/names.h"
#include "store/columns.h"

namespace content::store {
namespace {

std::string SelectArticles(absl::string_view body, absl::string_view condition) {
  return absl::StrCat("SELECT ", ArticleColumns(v1::ARTICLE_VIEW_FULL, body),
                      ", s.article_key, s.retracted "
                      "FROM article_state s JOIN article a USING (bucket, article_key) WHERE ",
                      condition);
}

}  // namespace

absl::StatusOr<InspectedArticle> InspectArticle(postgres::Connection& connection,
                                                ArticleNames& names, const std::string& id) {
  static const std::string statement = SelectArticles("a.body", kIsArticle);
  const postgres::Snapshot snapshot(connection);  // the article and its names are of one moment
  const std::optional<ArticleKey> key = names.Find(connection, id);
  if (!key) return ArticleNotFound(ArticleName(id));
  const postgres::Result rows = connection.Read(statement, key->bucket(), key->value());
  if (rows.empty()) return names.NotFound(id);
  InspectedArticle inspected{.article = ReadArticle(rows[0], v1::ARTICLE_VIEW_FULL),
                             .retracted = rows[0]["retracted"].as<bool>()};
  const std::string current = ParseArticleName(inspected.article.name()).value();
  const std::vector<std::string> former_names =
      ReadFormerNames(connection, {{*key, current}})[*key];
  for (const std::string& name : former_names) {
    inspected.former_names.push_back(ArticleName(name));
  }
  return inspected;
}

std::map<ArticleKey, std::optional<v1::Article>> ReadArticleTexts(
    postgres::Transaction& transaction, const std::vector<ArticleKey>& keys, int64_t max_bytes) {
  // $1 buckets, $2 article keys (arrays), $3 bytes.
  static const std::string statement =
      SelectArticles(BodyWithin("$3::bigint"),
                     "s.bucket = ANY ($1::smallint[]) AND s.article_key = ANY ($2::bigint[])");
  std::map<ArticleKey, std::optional<v1::Article>> articles;
  for (const auto& row :
       transaction.Exec(statement, BucketsParameter(keys), KeysParameter(keys), max_bytes)) {
    std::optional<v1::Article>& article = articles[ReadKey(row["article_key"])];
    if (HasBody(row)) article = ReadArticle(row, v1::ARTICLE_VIEW_FULL);
  }
  return articles;
}

}  // namespace content::store
