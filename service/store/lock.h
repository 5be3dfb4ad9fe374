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
#include "store/article_key.h"

namespace content::store {

/// An article whose state row is locked. Until the transaction ends, every other write to the
/// article or to one of its comments waits.
struct LockedArticle {
  ArticleKey key;
  /// See ArticleState::article_id.
  std::string first_name;
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
  /// Makes the ids of what this transaction adds: new comments, and events of the audit trail.
  TimedUuids ids{now};
};

/// Returns the time of the database, in whole microseconds. For acts that lock no article.
absl::Time ReadNow(postgres::Transaction& transaction);

/// Locks the article, waiting for other transactions. Returns nullopt if it does not exist.
std::optional<LockedArticle> LockArticle(postgres::Transaction& transaction, ArticleKey key);

/// What to do with an article that another transaction has locked.
enum class LockWait { kWait, kSkip };

/// Locks articles, always in the same order, so that transactions do not deadlock. Returns those
/// that exist and were not skipped. Runs one statement, or one for each bucket where tables are
/// distributed.
std::map<ArticleKey, LockedArticle> LockArticles(postgres::Transaction& transaction,
                                                 const std::vector<ArticleKey>& keys,
                                                 LockWait wait);

/// Writes `revision` and `comment_count` of these articles, at the latest with the commit.
void WriteCounters(postgres::Transaction& transaction,
                   const std::vector<const LockedArticle*>& articles);

/// Makes the commit wait for the disk and a standby although no row is written.
void WriteNothing(postgres::Transaction& transaction);

/// Returns the notice to announce once the transaction is committed.
ChangeNotice NoticeOf(const LockedArticle& article);

}  // namespace content::store
