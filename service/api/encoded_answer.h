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

/// An answer as it goes over the wire, in pieces, so that what is kept in memory for many callers
/// need not be copied for each of them.
class EncodedAnswer {
 public:
  /// Bytes of this answer alone, or the first of shared ones.
  struct Piece {
    std::string own = {};
    SharedBytes shared = {};
    size_t size = 0;
  };

  /// Goes on with the first `size` of these bytes.
  void Add(SharedBytes bytes, size_t size);

  /// Goes on with all of them.
  void Add(SharedBytes bytes);

  /// Goes on with a field that holds an article.
  void AddArticle(int field_number, const ArticleAnswer& article);

  /// Goes on with a text field, unless it is empty.
  void AddText(int field_number, absl::string_view text);

  const absl::InlinedVector<Piece, 3>& pieces() const { return pieces_; }

  /// How old the answer may be, if that is more than the service promises.
  std::optional<absl::Duration> stale_age = {};

 private:
  void Add(std::string own);

  absl::InlinedVector<Piece, 3> pieces_;
};

/// How many bytes an article takes in an answer, but for those that say how many follow.
size_t SizeOf(const ArticleAnswer& article);

}  // namespace content::api
