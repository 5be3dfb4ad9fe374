#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace content::transfer {

/// Mends XML in which some characters are not as XML wants them, so that one bad character does not
/// end a file:
///
/// * control characters become spaces, and other characters that XML does not have, and bytes that
///   are no UTF-8, become U+FFFD, written or as references;
/// * `&` that begins no reference, entities of HTML, `<` that begins no tag and `]]>` outside of
///   CDATA become text;
/// * CDATA becomes text, which the parser reads faster;
/// * comments and processing instructions go; their line feeds stay.
///
/// Takes linear time. Not thread-safe.
class XmlCleaner {
 public:
  /// The size of the largest tag, with its attributes: the parser keeps all of it.
  static constexpr size_t kMaxTagBytes = size_t{1} << 20;

  /// Cleans the text that `head` is the beginning of. If that declares another encoding than UTF-8,
  /// bytes that are not ASCII stay as they are.
  explicit XmlCleaner(absl::string_view head);

  /// Takes the next piece of the text, and returns what is clean of it and of those before. An
  /// empty piece is the end.
  std::string Clean(absl::string_view piece);

  /// Returns whether a tag is larger than kMaxTagBytes. Then read no further.
  bool has_huge_tag() const { return has_huge_tag_; }

 private:
  enum class Place { kText, kTag, kCdata, kComment, kInstruction };

  class Text;

  // Each takes something off the front of a text of at least kLookahead bytes, or of all.
  void TakeNext(Text& text);
  void TakeInText(Text& text);
  void TakeMark(Text& text);
  static void TakeReference(Text& text);
  void TakeInTag(Text& text);
  void TakeInCdata(Text& text);
  void Skip(absl::string_view end, Text& text);
  void TakeSign(const std::array<bool, 256>& plain, Text& text) const;

  const bool is_utf8_;
  std::string rest_;  // what needs more to be understood
  Place place_ = Place::kText;
  bool is_at_start_ = true;
  char quote_ = '\0';  // that of the value of an attribute; NUL outside of one
  size_t tag_bytes_ = 0;
  bool has_huge_tag_ = false;
};

}  // namespace content::transfer
