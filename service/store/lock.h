#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "content/changes.h"
#include "content/uuid.h"
#include "content/v1/article.pb.h"
#include "postgres/transaction.h"

namespace content::store {

/// An article whose state row is locked. Until the transaction ends, every other write to the
/// article or to one of its comments waits.
struct LockedArticle {
  /// The article's key in every table: the first name it had.
  std::string id;
  /// Its current name, without `articles/`.
  std::string name;
  int64_t revision;
  /// Number of VISIBLE comments.
  int64_t comment_count = 0;
  /// See ArticleState.
  int64_t version = 0;
  /// True once this transaction has changed the article or one of its comments.
  bool changed = false;
  v1::CommentPolicy comment_policy;
  bool retracted;
  /// Whether readers see the article. One that is not retracted is otherwise scheduled.
  bool readable;
  /// The time of the database when the article was locked, in whole microseconds. All times that
  /// the transaction stores derive from it. So they are in the order of the writes to the article,
  /// through whichever server these go.
  absl::Time now;
  /// Makes the ids of this transaction's new comments.
  TimedUuids comment_ids{now};
};

/// Locks the article that has or had the name `name`, waiting for other transactions. Returns
/// nullopt if there is no such article.
std::optional<LockedArticle> LockArticle(postgres::Transaction& transaction,
                                         const std::string& name);

/// What to do with an article that another transaction has locked.
enum class LockWait { kWait, kSkip };

/// Locks the articles with these names, always in the same order, so that transactions do not
/// deadlock. The result has an entry for each name that an article has or had; nullopt if the
/// article was skipped. An article requested under two names appears twice.
std::map<std::string, std::optional<LockedArticle>> LockArticles(
    postgres::Transaction& transaction, const std::vector<std::string>& names, LockWait wait);

/// Returns the keys of the articles that have or had these names, by name. Locks nothing.
std::map<std::string, std::string> ReadArticleKeys(postgres::Transaction& transaction,
                                                   const std::vector<std::string>& names);

/// Writes `revision` and `comment_count` of these articles, at the latest with the commit.
void WriteCounters(postgres::Transaction& transaction,
                   const std::vector<const LockedArticle*>& articles);

/// Returns the notice to announce once the transaction is committed.
ChangeNotice NoticeOf(const LockedArticle& article);

}  // namespace content::store
