#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "content/v1/admin_service.pb.h"

namespace content {

/// Comments from another system. See ImportCommentsRequest.
struct CommentImport {
  std::string article_id = {};
  /// Must be valid (CheckImportSource in rules.h), and not empty if a comment has a source_id.
  std::string source = {};
  /// At most kMaxImportedComments, in normal form (normalize.h), with create_time and a valid
  /// state. Everything else is checked by the store: a comment that breaks the rules is refused
  /// alone.
  std::vector<v1::ImportedComment> comments = {};
  bool validate_only = false;
};

/// Brings in comments from other systems. See content/store.h for what all interfaces have in
/// common.
class CommentImports {
 public:
  virtual ~CommentImports() = default;

  /// Adds those comments that are not there yet, all in one transaction, and answers with what
  /// became of each. The changes are announced like those of any write.
  virtual void ImportComments(CallContext context, CommentImport import,
                              Callback<v1::ImportCommentsResponse> done) = 0;
};

/// Makes the ids of a comment from another system. They are always the same, so that a repeated
/// import finds the comment, and sort as the ids of other comments do.
class SourceComment {
 public:
  SourceComment(absl::string_view source, absl::string_view source_id);

  /// A UUID of version 7 of the time, to a quarter of a microsecond, that ends with `id_ending`.
  std::string IdAt(absl::Time create_time) const;

  /// The id of a reply that would not sort after the comment with the id `parent_id` otherwise.
  std::string IdAfter(absl::string_view parent_id) const;

  /// The end of each of the comment's ids. Finds them among those of an article when the time is
  /// not known: no two comments of an article have the same, for all practical purposes.
  std::string id_ending() const;

 private:
  uint64_t digest_;
};

}  // namespace content
