#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/article.h"
#include "content/v1/article.pb.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"
#include "store/names.h"

// Writes of articles, and articles as publishers see them; see content/publishing.h. Functions
// throw like postgres::Connection.
//
// Each write is one transaction, which locks the article first and the row of the change feed last,
// and is announced after its commit. A repeated request gets the answer of the first one, and
// announces the article again.
namespace content::store {

absl::StatusOr<PublishedArticle> PublishArticle(postgres::Connection& connection,
                                                ArticleNames& names, v1::Article article,
                                                const PublishOptions& options,
                                                const Announce& announce);

absl::StatusOr<v1::Article> UpdateArticle(postgres::Connection& connection, ArticleNames& names,
                                          const ArticleEdit& edit, const Announce& announce);

absl::StatusOr<v1::Article> RenameArticle(postgres::Connection& connection, ArticleNames& names,
                                          const ArticleRename& renaming, const Announce& announce);

absl::StatusOr<int64_t> RetractArticle(postgres::Connection& connection, ArticleNames& names,
                                       const ArticleRetraction& retraction,
                                       const Announce& announce);

/// See Upkeep::ReleaseNextArticle. `attempt` is nullopt at first, and is kept for further attempts:
/// if the commit of an earlier one was in doubt, its article is announced.
absl::StatusOr<absl::Duration> ReleaseNextArticle(postgres::Connection& connection,
                                                  std::optional<ArticleKey>& attempt,
                                                  const Announce& announce);

absl::StatusOr<InspectedArticle> InspectArticle(postgres::Connection& connection,
                                                ArticleNames& names, const std::string& id);

}  // namespace content::store
