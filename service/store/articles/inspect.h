#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

/// Returns the articles with these keys in FULL view, by key, without those that have no text. Once
/// the bodies exceed `max_bytes`, the other articles, but not all, are nullopt.
std::map<ArticleKey, std::optional<v1::Article>> ReadArticleTexts(
    postgres::Transaction& transaction, const std::vector<ArticleKey>& keys, int64_t max_bytes);

}  // namespace content::store
