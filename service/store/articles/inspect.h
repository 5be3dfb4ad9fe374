#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/article.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"
#include "store/article_key.h"
#include "store/names.h"

// Articles as publishers see them, whether readers see them or not. Functions throw like
// postgres::Connection.
namespace content::store {

/// See Publishing::InspectArticle.
absl::StatusOr<InspectedArticle> InspectArticle(postgres::Connection& connection,
                                                ArticleNames& names, const std::string& id);

/// Returns the articles with these keys in FULL view, by key, without those that have no text.
std::map<ArticleKey, v1::Article> ReadArticleTexts(postgres::Transaction& transaction,
                                                   const std::vector<ArticleKey>& keys);

}  // namespace content::store
