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

/// An answer as it is sent: pieces of bytes that follow one another. Bytes that are kept in memory
/// for many callers are shared, not copied.
class EncodedAnswer {
 public:
  /// Either bytes of this answer alone or the first `size` of shared bytes.
  struct Piece {
    std::string own = {};
    SharedBytes shared = {};
    size_t size = 0;
  };

  /// Appends the first `size` of these bytes.
  void Add(SharedBytes bytes, size_t size);

  /// Appends all of these bytes.
  void Add(SharedBytes bytes);

  /// Appends a field that holds an article. The answer becomes at least as stale as the article.
  void AddArticle(int field_number, const ArticleAnswer& article);

  /// Appends a text field, unless it is empty.
  void AddText(int field_number, absl::string_view text);

  const absl::InlinedVector<Piece, 3>& pieces() const { return pieces_; }

  /// The age of the oldest part. Set if it may be older than the service promises.
  std::optional<absl::Duration> stale_age = {};

 private:
  void Add(std::string own);

  absl::InlinedVector<Piece, 3> pieces_;
};

/// The number of bytes of an article in an answer, without its tag and length.
size_t SizeOf(const ArticleAnswer& article);

}  // namespace content::api
