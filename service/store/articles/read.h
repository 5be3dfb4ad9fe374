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
#include "store/names.h"

// Reads of articles; see content/article_reads.h and content/article_source.h. Functions throw like
// postgres::Connection.
namespace content::store {

/// Returns the articles that readers see under these ids, which must be distinct; nullopt if there
/// is none. If the bodies exceed 4 MiB in total, some articles, but not all, are left unanswered.
postgres::Answers<std::optional<EncodedArticle>> ReadArticles(postgres::Connection& connection,
                                                              ArticleNames& names,
                                                              const std::vector<std::string>& ids,
                                                              v1::ArticleView view);

/// Returns the states of the articles that readers see under these ids, which may repeat; nullopt
/// if there is none.
postgres::Answers<std::optional<ArticleState>> ReadArticleStates(
    postgres::Connection& connection, ArticleNames& names, const std::vector<std::string>& ids);

/// The same for lists of ids. If the lists have more than a thousand ids in total, some lists, but
/// not all, are left unanswered.
postgres::Answers<std::vector<std::optional<ArticleState>>> ReadListsOfStates(
    postgres::Connection& connection, ArticleNames& names,
    const std::vector<std::vector<std::string>>& lists);

absl::StatusOr<Page<v1::Article>> ListArticles(postgres::Connection& connection,
                                               const ArticleQuery& query);

absl::StatusOr<ArticlePage> GetArticlePage(postgres::Connection& connection, ArticleNames& names,
                                           v1::ArticleView view, const CommentQuery& comments);

}  // namespace content::store
