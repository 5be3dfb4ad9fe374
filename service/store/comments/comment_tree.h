#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "content/store.h"
#include "postgres/transaction.h"
#include "store/lock.h"

// Changes of comments, and what follows for the counts above them. Readers see a comment that is
// VISIBLE or has replies that they see; so what becomes of one comment can show or hide those above
// it.
namespace content::store {

struct StoredKey {
  /// Of the article in every table.
  std::string article_id;
  std::string comment_id;

  bool operator<(const StoredKey& other) const {
    return std::tie(article_id, comment_id) < std::tie(other.article_id, other.comment_id);
  }
};

struct StoredComment {
  /// As moderators see it. Of one that was read by ReadAbove only state and reply_count.
  v1::Comment message;
  std::string id;
  /// Whether readers see it.
  bool shown = false;
  /// Ids of the comments above it, the nearest last.
  std::vector<std::string> ancestors;
};

/// Comments of locked articles, which a transaction reads into memory, changes there one after the
/// other, and writes back all together.
class Threads {
 public:
  explicit Threads(postgres::Transaction& transaction) : transaction_(transaction) {}

  /// Reads these comments, in whatever state. Those that do not exist are not found later.
  void Read(const std::set<StoredKey>& keys);

  /// Reads what is counted of the comments above these. To be called for those of which Change may
  /// change whether readers see them.
  void ReadAbove(const std::set<StoredKey>& keys);

  /// Nothing if it does not exist or was not read. Valid as long as this is.
  const StoredComment* Find(const LockedArticle& article, const std::string& comment_id) const;

  /// Adds a comment, whose parent is `parent` if that is not null, at a new revision of the
  /// article, and returns it. Keeps comment_count, and reply_count of those above, exact; the same
  /// below.
  const v1::Comment& Add(LockedArticle& article, const std::string& comment_id,
                         const StoredComment* parent, v1::Comment comment);

  /// Gives a comment author, body, state and edit_count of `changed`, at a new revision of the
  /// article, and returns it.
  const v1::Comment& Change(LockedArticle& article, const std::string& comment_id, absl::Time now,
                            v1::Comment changed);

  /// Writes what was added and changed, with the commit at the latest; of the articles nothing.
  void Write() const;

 private:
  // What has to be written: each includes those before.
  enum class Work { kNothing, kCounts, kText, kAll };

  struct Entry {
    StoredComment comment;
    Work work = Work::kNothing;
  };

  void CountReply(const LockedArticle& article, const std::vector<std::string>& ancestors,
                  int difference);

  postgres::Transaction& transaction_;
  std::map<StoredKey, Entry> entries_;
};

/// What of a comment follows from others.
struct CommentCounts {
  StoredKey key;
  int64_t revision;
  int64_t reply_count;
  bool shown;
};

/// Writes these, with the commit at the latest.
void WriteCounts(postgres::Transaction& transaction, const std::vector<CommentCounts>& comments);

/// `comment` without what deleting takes from it.
v1::Comment Tombstone(v1::Comment comment);

}  // namespace content::store
