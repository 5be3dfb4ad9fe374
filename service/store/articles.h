#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "store/connection.h"

// Reads of articles: content/store.h says what they do. They throw pqxx exceptions.
namespace content::store {

absl::StatusOr<std::vector<std::optional<v1::Article>>> GetArticles(
    Connection& connection, const std::vector<std::string>& ids, v1::ArticleView view);

absl::StatusOr<Page<v1::Article>> ListArticles(Connection& connection, const ArticleQuery& query);

absl::StatusOr<ArticlePage> GetArticlePage(Connection& connection, v1::ArticleView view,
                                           const CommentQuery& comments);

}  // namespace content::store
