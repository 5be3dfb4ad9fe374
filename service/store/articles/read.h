#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/article.h"
#include "content/comment.h"
#include "content/page.h"
#include "content/v1/article.pb.h"
#include "postgres/connection.h"
#include "postgres/read_policy.h"

// Reads of articles: content/article_reads.h and content/article_source.h say what they do. They
// throw like postgres::Connection.
namespace content::store {

/// The articles that readers see under these ids, which are all different; nullopt if there is
/// none. If the bodies are more than 4 MiB together, some articles are left unanswered, but not
/// all.
postgres::Answers<std::optional<EncodedArticle>> ReadArticles(postgres::Connection& connection,
                                                              const std::vector<std::string>& ids,
                                                              v1::ArticleView view);

/// The states of the articles that readers see under these ids; nullopt if there is none. Ids may
/// repeat.
postgres::Answers<std::optional<ArticleState>> ReadArticleStates(
    postgres::Connection& connection, const std::vector<std::string>& ids);

/// The same for lists of ids. If the lists have more than a thousand ids together, some are left
/// unanswered, but not all.
postgres::Answers<std::vector<std::optional<ArticleState>>> ReadListsOfStates(
    postgres::Connection& connection, const std::vector<std::vector<std::string>>& lists);

absl::StatusOr<Page<v1::Article>> ListArticles(postgres::Connection& connection,
                                               const ArticleQuery& query);

absl::StatusOr<ArticlePage> GetArticlePage(postgres::Connection& connection, v1::ArticleView view,
                                           const CommentQuery& comments);

}  // namespace content::store
