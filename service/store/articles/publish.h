#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"

// Writes of articles, and what publishers see of them: content/store.h says what they do. Each
// write is one transaction, in which the row of the feed of articles is locked last. A second
// attempt finds the work of the first done, and announces that. They throw pqxx exceptions.
namespace content::store {

absl::StatusOr<PublishedArticle> PublishArticle(postgres::Connection& connection,
                                                v1::Article article, const PublishOptions& options,
                                                const Announce& announce);

absl::StatusOr<v1::Article> UpdateArticle(postgres::Connection& connection, const ArticleEdit& edit,
                                          const Announce& announce);

absl::StatusOr<v1::Article> RenameArticle(postgres::Connection& connection,
                                          const ArticleRenaming& renaming,
                                          const Announce& announce);

absl::StatusOr<int64_t> RetractArticle(postgres::Connection& connection,
                                       const ArticleRetraction& retraction,
                                       const Announce& announce);

absl::StatusOr<InspectedArticle> InspectArticle(postgres::Connection& connection,
                                                const std::string& id);

}  // namespace content::store
