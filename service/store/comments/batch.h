#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "postgres/write_policy.h"
#include "store/called.h"
#include "store/change_notifier.h"
#include "store/comments/write.h"
#include "store/names.h"

namespace content::store {

/// The answer to a write. nullopt if it was left out because its article is locked.
using CommentAnswer = std::optional<absl::StatusOr<v1::Comment>>;

/// Runs writes in one transaction, in this order, and answers each (see WriteComment). Where tables
/// are distributed, their articles must have one bucket. A write that fails does not affect the
/// others. If this throws an exception (see Connection), none was done,
/// or the outcome of all is unknown. The ids of comments that it tried to add are then in
/// `changes`.
std::vector<CommentAnswer> WriteComments(postgres::Connection& connection, ArticleNames& names,
                                         const std::vector<Called<CommentChange>*>& changes,
                                         postgres::WriteMode mode, const Announce& announce);

}  // namespace content::store
