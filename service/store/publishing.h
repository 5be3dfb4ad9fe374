#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "store/connection.h"

// Writes of articles, and what publishers see of them: content/store.h says what they do. Each
// write is one transaction, in which the row of the feed of articles is locked last. A second
// attempt finds the work of the first done. They throw pqxx exceptions.
namespace content::store {

absl::StatusOr<PublishedArticle> PublishArticle(Connection& connection, v1::Article article,
                                                const PublishOptions& options);

absl::StatusOr<v1::Article> UpdateArticle(Connection& connection, const ArticleEdit& edit);

absl::StatusOr<v1::Article> RenameArticle(Connection& connection, const ArticleRenaming& renaming);

absl::StatusOr<int64_t> RetractArticle(Connection& connection, const ArticleRetraction& retraction);

absl::StatusOr<InspectedArticle> InspectArticle(Connection& connection, const std::string& id);

}  // namespace content::store
