#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "content/v1/comment.pb.h"
#include "postgres/transaction.h"
#include "store/comments/stored_key.h"
#include "store/lock.h"

namespace content::store {

struct StoredComment {
  /// As moderators see it.
  v1::Comment message;
  std::string id;
  /// Whether readers see the comment, even if only as a placeholder.
  bool shown = false;
  /// Ids of the comments above, from the root of the thread down to the parent.
  std::vector<std::string> ancestors;
};

/// Comments of locked articles. A transaction reads all the comments it needs into memory, then
/// changes them there, and writes the changes at the end:
///
///   CommentTree tree(transaction);
///   tree.Read({key});
///   tree.ReadAbove({key});
///   const StoredComment* comment = tree.Find(article, key.comment_id);
///   tree.Change(article, *comment, now, Tombstone(comment->message));
///   tree.Write();
///
/// Readers see a comment that is VISIBLE or has replies that they see. So a change to one comment
/// can show or hide the comments above it. Add and Change update these up the thread, and keep the
/// article's `comment_count` and every `reply_count` exact. Not thread-safe.
class CommentTree {
 public:
  explicit CommentTree(postgres::Transaction& transaction) : transaction_(transaction) {}

  /// Reads comments in any state. Ignores keys of comments that do not exist.
  void Read(const std::set<StoredKey>& keys);

  /// Reads the counts of the comments above those of `keys`, which must have been read. Needed
  /// before a Change that may show or hide one of them.
  void ReadAbove(const std::set<StoredKey>& keys);

  /// nullptr if the comment does not exist or was not read. Valid for as long as the tree.
  const StoredComment* Find(const LockedArticle& article, const std::string& comment_id) const;

  /// Adds a comment at a new revision of the article, and returns it as it will be written.
  /// `ancestors` are the ids of the comments above (StoredComment::ancestors).
  ///
  /// A comment that is added keeps this revision when replies to it are added too: readers get them
  /// together, and watchers hear of it first.
  const v1::Comment& Add(LockedArticle& article, const std::string& comment_id,
                         std::vector<std::string> ancestors, v1::Comment comment);

  /// Gives `comment`, which Find returned, the author, body, state and edit_count of `changed`, at
  /// a new revision of the article and at the time `now`. Returns it as it will be written.
  const v1::Comment& Change(LockedArticle& article, const StoredComment& comment, absl::Time now,
                            v1::Comment changed);

  /// Writes all changes to comments, and deletes the reports of deleted ones, at the latest with
  /// the commit. Does not write the articles' counters (see WriteCounters in lock.h).
  void Write() const;

 private:
  // What must be written. Each value includes the previous ones.
  enum class Pending { kNothing, kCounts, kText, kAll };

  struct Entry {
    StoredComment comment;
    Pending pending = Pending::kNothing;
  };

  // A comment of which only the counts were read.
  struct AncestorCounts {
    v1::CommentState state;
    int reply_count;
    bool shown;
    int64_t revision = 0;  // 0 unless the counts have changed
  };

  void CountReply(const LockedArticle& article, const std::vector<std::string>& ancestors,
                  int difference);

  static int AddReplies(int difference, int64_t revision, Entry& entry);
  static int AddReplies(int difference, int64_t revision, AncestorCounts& counts);

  postgres::Transaction& transaction_;
  // A comment is in one of the two.
  std::map<StoredKey, Entry> comments_;
  std::map<StoredKey, AncestorCounts> ancestors_;
};

/// The columns of a comment that follow from other comments.
struct CommentCounts {
  StoredKey key;
  int64_t revision;
  int64_t reply_count;
  bool shown;
};

/// Writes the counts of these comments, at the latest with the commit.
void WriteCounts(postgres::Transaction& transaction, const std::vector<CommentCounts>& comments);

/// Returns the parts of `comment` that remain once it is deleted.
v1::Comment Tombstone(v1::Comment comment);

}  // namespace content::store
