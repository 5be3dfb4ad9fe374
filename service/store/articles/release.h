#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "postgres/connection.h"
#include "store/article_key.h"
#include "store/change_notifier.h"

namespace content::store {

/// See Upkeep::ReleaseNextArticle. `attempt` is nullopt at first, and is kept for further attempts:
/// if the commit of an earlier one was in doubt, its article is announced. Throws like
/// postgres::Connection.
absl::StatusOr<absl::Duration> ReleaseNextArticle(postgres::Connection& connection,
                                                  std::optional<ArticleKey>& attempt,
                                                  const Announce& announce);

}  // namespace content::store
