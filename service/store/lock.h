#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "content/article.h"
#include "content/store.h"
#include "postgres/transaction.h"

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
  /// How many visible comments it has.
  int64_t comment_count = 0;
  /// See ArticleState.
  int64_t version = 0;
  /// Whether it has been changed in this transaction.
  bool changed = false;
  v1::CommentPolicy comment_policy;
  bool retracted;
  /// Whether readers see it now.
  bool readable;
};

/// By any name that it has or had; nothing if there is no such article.
std::optional<LockedArticle> LockArticle(postgres::Transaction& transaction,
                                         const std::string& name, absl::Time now);

/// What becomes of an article that another transaction has locked.
enum class LockWait { kWait, kSkip };

/// The articles of these names, locked in one order, so that nobody waits in a circle: names that
/// no article has or had are not in it, and of those that were skipped there is nothing. An article
/// by two of its names is in it twice.
std::map<std::string, std::optional<LockedArticle>> LockArticles(
    postgres::Transaction& transaction, const std::vector<std::string>& names, absl::Time now,
    LockWait wait);

/// Writes `revision` and `comment_count` of these articles, with the commit at the latest.
void WriteCounters(postgres::Transaction& transaction,
                   const std::vector<const LockedArticle*>& articles);

/// What others are to know of it once the transaction is committed.
ChangeNotice NewsOf(const LockedArticle& article);

}  // namespace content::store
