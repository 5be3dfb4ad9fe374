#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "content/article.h"
#include "postgres/connection.h"
#include "postgres/write_policy.h"
#include "store/articles/write.h"
#include "store/called.h"
#include "store/change_notifier.h"

namespace content::store {

/// Maximum bytes (SizeOf) of the writes of a batch, and of the stored articles that it reads. The
/// first of either may exceed it. A batch takes several times as much memory.
inline constexpr int64_t kMaxGroupBytes = int64_t{4} << 20;

/// The answer to a write. nullopt if it was left out because its article is locked, or is too large
/// for the batch. It must then be written to by another batch that does not skip locked articles.
using ArticleAnswer = std::optional<absl::StatusOr<PublishedArticle>>;

/// Runs writes in one transaction, in this order, and answers each (see ApplyWrite). A write that
/// fails does not affect the others. If this throws an exception (see Connection), none was done,
/// or the outcome of all is unknown. Completes the articles in `writes`.
///
/// Announces each article that was written to, by this attempt or by an earlier one: the server
/// that did the work may have died before it could.
std::vector<ArticleAnswer> WriteArticles(postgres::Connection& connection,
                                         const std::vector<Called<ArticleWrite>*>& writes,
                                         postgres::WriteMode mode, const Announce& announce);

}  // namespace content::store
