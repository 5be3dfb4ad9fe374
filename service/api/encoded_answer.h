#pragma once

#include <grpcpp/support/slice.h>

#include <cstddef>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "content/article.h"
#include "content/read_cache.h"

namespace content::api {

/// Returns the first `size` of `bytes` without copying them. The slice shares ownership.
grpc::Slice Share(const SharedBytes& bytes, size_t size);

/// An answer in wire format, as a sequence of byte strings. Cached bytes are shared, not copied.
class EncodedAnswer {
 public:
  /// Appends the first `size` of `bytes`.
  void Add(const SharedBytes& bytes, size_t size);

  /// Appends all of `bytes`.
  void Add(const SharedBytes& bytes) { Add(bytes, bytes->size()); }

  /// Appends a field that contains an article. `stale_age` becomes at least that of the article.
  void AddArticle(int field_number, const ArticleAnswer& article);

  /// Appends a text field, unless it is empty.
  void AddText(int field_number, absl::string_view text);

  const absl::InlinedVector<grpc::Slice, 3>& slices() const { return slices_; }

  /// In bytes.
  size_t size() const { return size_; }

  /// The age of the oldest part if it may be older than promised; otherwise nullopt.
  std::optional<absl::Duration> stale_age = {};

 private:
  void Add(grpc::Slice slice);

  absl::InlinedVector<grpc::Slice, 3> slices_;
  size_t size_ = 0;
};

/// Returns the number of bytes of an article in an answer, without its tag and length.
size_t EncodedSize(const ArticleAnswer& article);

}  // namespace content::api
