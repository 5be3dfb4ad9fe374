#pragma once

#include <string>

#include "base/call.h"
#include "content/page.h"
#include "content/v1/admin_service.pb.h"

namespace content {

/// The authors who may not write comments. See content/store.h for what all interfaces have in
/// common.
class AuthorBlocks {
 public:
  virtual ~AuthorBlocks() = default;

  /// Blocks the author. If the author is blocked already, only replaces the reason. Writes of the
  /// author's comments that begin after the answer get AUTHOR_BLOCKED.
  virtual void BlockAuthor(CallContext context, std::string author_id, std::string reason,
                           Callback<v1::BlockedAuthor> done) = 0;

  /// AUTHOR_NOT_BLOCKED if the author is not blocked, unless `allow_missing`.
  virtual void UnblockAuthor(CallContext context, std::string author_id, bool allow_missing,
                             Callback<void> done) = 0;

  /// Answers with a page of the blocked authors, by their ids.
  virtual void ListBlockedAuthors(CallContext context, int page_size, std::string after_key,
                                  Callback<Page<v1::BlockedAuthor>> done) = 0;
};

}  // namespace content
