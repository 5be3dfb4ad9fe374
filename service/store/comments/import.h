#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/comment_import.h"
#include "content/v1/admin_service.pb.h"
#include "postgres/connection.h"
#include "postgres/write_policy.h"
#include "store/called.h"
#include "store/change_notifier.h"
#include "store/names.h"

namespace content::store {

/// An import, and what its attempts have in common.
struct ImportWrite {
  CommentImport import;
  /// The ids of the comments that the attempts before tried to add. After a commit in doubt, they
  /// are the comments that this call has created.
  std::set<std::string> tried = {};
};

/// Returns the name of the article.
const std::string& ArticleOf(const ImportWrite& write);

/// Limits the sizes of the imports that share a transaction. It holds the locks of their articles
/// for no longer than an import of the largest size does.
inline constexpr size_t kMaxImportBytes = size_t{4} << 20;

/// Returns the size of its comments, in bytes. Short ones count as if kMaxImportedComments of them
/// had kMaxImportBytes, because each takes its time; so do few of them, as if 32 imports had: those
/// to one article run one after the other.
size_t SizeOf(const ImportWrite& write);

/// The answer to an import. nullopt if it was left out because its article is locked.
using ImportAnswer = std::optional<absl::StatusOr<v1::ImportCommentsResponse>>;

/// Runs imports in one transaction, in this order, and answers each (see
/// CommentImports::ImportComments). One that is `validate_only` must be alone. Where tables are
/// distributed, their articles must have one bucket. If this throws an exception (see Connection),
/// none was done, or the outcome of all is unknown: the next attempt must get the same `imports`.
std::vector<ImportAnswer> ImportComments(postgres::Connection& connection, ArticleNames& names,
                                         const std::vector<Called<ImportWrite>*>& imports,
                                         postgres::WriteMode mode, const Announce& announce);

}  // namespace content::store
