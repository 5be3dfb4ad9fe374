#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "content/article.h"
#include "content/read_cache.h"

namespace content::api {

/// An answer in wire format, as a sequence of byte strings. Cached bytes are shared, not copied.
class EncodedAnswer {
 public:
  /// Either bytes that belong to this answer or the first `size` of shared bytes.
  struct Piece {
    std::string own = {};
    SharedBytes shared = {};
    size_t size = 0;
  };

  /// Appends the first `size` of `bytes`.
  void Add(SharedBytes bytes, size_t size);

  /// Appends all of `bytes`.
  void Add(SharedBytes bytes);

  /// Appends a field that contains an article. `stale_age` becomes at least that of the article.
  void AddArticle(int field_number, const ArticleAnswer& article);

  /// Appends a text field, unless it is empty.
  void AddText(int field_number, absl::string_view text);

  const absl::InlinedVector<Piece, 3>& pieces() const { return pieces_; }

  /// The age of the oldest part if it may be older than promised; otherwise nullopt.
  std::optional<absl::Duration> stale_age = {};

 private:
  void Add(std::string own);

  absl::InlinedVector<Piece, 3> pieces_;
};

/// Returns the number of bytes of an article in an answer, without its tag and length.
size_t SizeOf(const ArticleAnswer& article);

}  // namespace content::api
