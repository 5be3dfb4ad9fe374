#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "postgres/read_policy.h"

// Reads of articles: content/store.h says what they do. They throw pqxx exceptions.
namespace content::store {

/// For each of these ids, each different, the article that readers see under it, or nothing. Of
/// bodies that are more than 4 MiB together some are not this time's; one always is.
postgres::Answers<std::optional<EncodedArticle>> ReadArticles(postgres::Connection& connection,
                                                              const std::vector<std::string>& ids,
                                                              v1::ArticleView view);

/// The same without the text; an id may come several times.
postgres::Answers<std::optional<ArticleState>> ReadArticleStates(
    postgres::Connection& connection, const std::vector<std::string>& ids);

/// The same for each list of ids; of lists that are more than a thousand ids together some are not
/// this time's, one always is.
postgres::Answers<std::vector<std::optional<ArticleState>>> ReadListsOfStates(
    postgres::Connection& connection, const std::vector<std::vector<std::string>>& lists);

absl::StatusOr<Page<v1::Article>> ListArticles(postgres::Connection& connection,
                                               const ArticleQuery& query);

absl::StatusOr<ArticlePage> GetArticlePage(postgres::Connection& connection, v1::ArticleView view,
                                           const CommentQuery& comments);

}  // namespace content::store
