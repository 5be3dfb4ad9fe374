#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/call.h"
#include "content/comment_import.h"
#include "transfer/exports/comment_spool.h"
#include "transfer/report.h"

namespace content::transfer {

/// Comments of one source for one article: those entries of the spool from `begin` to `end`.
struct CommentGroup {
  std::string article;  ///< Its name; empty if there is none.
  std::string source;
  size_t begin = 0;
  size_t end = 0;
};

/// Imports comments that were kept aside: those of an article in batches, one after the other, and
/// those of several articles at a time. Parents come before their replies, whatever the order of
/// the file, so a reply finds its parent in its own batch or in an earlier one.
class CommentDelivery {
 public:
  struct Options {
    std::shared_ptr<const Caller> caller;
    std::function<bool()> is_stopped;
    /// Return in which file the comments of a thread were, and on which page. Thread-safe.
    std::function<std::string(uint32_t thread)> path_of;
    std::function<std::string(uint32_t thread)> page_of;
  };

  /// `imports` is nullptr for a dry run, which only checks the comments.
  CommentDelivery(Options options, CommentImports* imports, CommentSpool& spool, Report& report);

  CommentDelivery(const CommentDelivery&) = delete;
  CommentDelivery& operator=(const CommentDelivery&) = delete;

  /// Returns whether it came to the end: it was not stopped, and the store could be reached.
  bool Run(const std::vector<CommentGroup>& groups);

 private:
  using Entries = absl::Span<const CommentSpool::Entry>;
  // The names of comments that others reply to, by the ids of their entries. Empty until they are
  // known.
  using Names = absl::flat_hash_map<uint64_t, std::string>;

  void RunGroup(const CommentGroup& group);
  absl::Status Import(const CommentGroup& group, Entries batch, Names& names);
  absl::Status Check(const CommentGroup& group, Entries batch);
  void LeaveAllOut(Entries entries);
  absl::Status LeaveOut(Entries batch);
  ItemReport ReportOn(const CommentSpool::Entry& entry, const SpooledComment& comment) const;
  void Fail(const absl::Status& error);
  bool IsEnding() const { return has_failed_ || options_.is_stopped(); }

  const Options options_;
  CommentImports* const imports_;
  CommentSpool& spool_;
  Report& report_;
  std::atomic<bool> has_failed_ = false;
};

}  // namespace content::transfer
