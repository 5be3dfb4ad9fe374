#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace content {

/// Bytes that nobody changes and everybody who needs them keeps.
using SharedBytes = std::shared_ptr<const std::string>;

/// What changes with every write to an article or to one of its comments.
struct ArticleState {
  /// The key the article is kept under: the first name it had.
  std::string article_id = {};
  int64_t revision = 0;
  int64_t comment_count = 0;
  /// Raised by every change of the article that is not one of its comments: as long as this is the
  /// same, so is everything else about it.
  int64_t version = 0;
};

/// An article in two pieces, which sent one after the other are a v1::Article on the wire
/// (https://protobuf.dev/programming-guides/encoding/#order: fields come in any order). The text
/// changes rarely and is large; `comment_count` and `revision` change often.
struct EncodedArticle {
  ArticleState state;
  /// Every field but `comment_count` and `revision`: first those of the BASIC view.
  SharedBytes text;
  /// How many bytes of `text` are the BASIC view.
  size_t basic_size = 0;
  /// Whether those of the FULL view follow.
  bool full = false;
};

/// That an article has changed.
struct ArticleNews {
  ArticleState state;
  /// Its current name, without `articles/`.
  std::string name = {};
};

}  // namespace content
