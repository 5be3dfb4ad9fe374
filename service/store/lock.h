#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "content/store.h"
#include "store/connection.h"

namespace content::store {

/// An article whose state row is locked: every other write to the article, or to any of its
/// comments, waits until the transaction ends.
struct LockedArticle {
  /// Key of the article in every table; the first name it had.
  std::string id;
  /// Its current name, without `articles/`.
  std::string name;
  /// Raised by what changes the article or a comment of it.
  int64_t revision;
  /// Whether that has happened in this transaction.
  bool changed = false;
  v1::CommentPolicy comment_policy;
  bool retracted;
  /// Whether readers see it now.
  bool readable;
};

/// By any name that it has or had; nothing if there is no such article.
std::optional<LockedArticle> LockArticle(Transaction& transaction, const std::string& name,
                                         absl::Time now);

}  // namespace content::store
