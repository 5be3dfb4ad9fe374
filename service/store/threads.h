#pragma once

#include <optional>
#include <string>
#include <vector>

#include "content/store.h"
#include "store/connection.h"
#include "store/lock.h"

// Changes of comments that are there, and what follows for the counts above them. Readers see a
// comment that is VISIBLE or has replies that they see; so what becomes of one comment can show or
// hide those above it.
namespace content::store {

struct StoredComment {
  /// As moderators see it.
  v1::Comment message;
  std::string id;
  /// Whether readers see it.
  bool shown;
  /// Ids of the comments above it, the nearest last.
  std::vector<std::string> ancestors;
};

std::optional<StoredComment> FindComment(Transaction& transaction, const LockedArticle& article,
                                         const std::string& comment_id);

/// Raises the article's revision and writes what `changed` differs in from `comment`: author, body,
/// state, edit_count. Keeps comment_count, and reply_count of those above, exact. Both `changed`
/// and `article` then have the new revision.
void WriteComment(Transaction& transaction, const StoredComment& comment, absl::Time now,
                  LockedArticle& article, v1::Comment& changed);

/// `comment` without what deleting takes from it.
v1::Comment Tombstone(v1::Comment comment);

}  // namespace content::store
