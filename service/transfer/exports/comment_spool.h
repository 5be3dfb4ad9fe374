#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "content/v1/admin_service.pb.h"

namespace content::transfer {

/// A comment that is kept aside.
struct SpooledComment {
  v1::ImportedComment comment;
  std::vector<std::string> notes;
};

/// Keeps comments in a temporary file until all articles are there, and some 50 bytes of each in
/// memory. The file's size is that of the comments' texts. Not thread-safe, except that Read may be
/// called on many threads once nothing is added any more.
class CommentSpool {
 public:
  /// What is known of a comment without reading it.
  struct Entry {
    uint32_t thread;  ///< As given to Add.
    uint32_t size;
    uint64_t offset;
    int64_t time;     ///< Of its creation, in microseconds.
    uint64_t id;      ///< Stands for its id in the source.
    uint64_t parent;  ///< The same for the comment that it replies to; 0 if there is none.
  };

  CommentSpool() = default;
  ~CommentSpool();
  CommentSpool(const CommentSpool&) = delete;
  CommentSpool& operator=(const CommentSpool&) = delete;

  /// RESOURCE_EXHAUSTED if the file cannot be written.
  absl::Status Add(uint32_t thread, const SpooledComment& comment);

  /// Must be called after the last Add.
  absl::Status Flush();

  std::vector<Entry>& entries() { return entries_; }

  /// Returns the comments of `entries`, in their order. DATA_LOSS if they cannot be read.
  absl::StatusOr<std::vector<SpooledComment>> Read(absl::Span<const Entry> entries) const;

 private:
  bool ReadAt(uint64_t offset, std::string& bytes) const;

  int descriptor_ = -1;
  uint64_t written_ = 0;
  std::string buffer_;
  std::vector<Entry> entries_;
};

}  // namespace content::transfer
