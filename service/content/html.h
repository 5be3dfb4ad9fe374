#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// HTML within a text, as CommonMark allows it.
namespace content {

/// A tag, comment, declaration or processing instruction.
struct HtmlTag {
  /// Offset of the byte after it.
  size_t end;
  /// Name of the element in lower case; empty unless it is a tag.
  std::string name = {};
  /// Whether it is a closing tag.
  bool is_closing = false;

  /// Returns whether the text before and the text after it are separate words: not if it is a
  /// comment or marks a part of a line, as <b> does.
  bool SeparatesWords() const;

  /// Returns whether it opens an element whose text readers do not see.
  bool HidesText() const;
};

/// Finds tags in a text. Asking about each `<` of a text takes linear time in all.
class HtmlTags {
 public:
  /// `text` must outlive the object.
  explicit HtmlTags(absl::string_view text) : text_(text) {}

  /// Returns the tag that begins at `at`, where there must be a `<`; nullopt if none does.
  std::optional<HtmlTag> At(size_t at);

 private:
  // Returns the end of what begins before `from` and ends with `end`.
  std::optional<HtmlTag> EndingWith(absl::string_view end, size_t from);

  std::optional<HtmlTag> NamedTag(size_t at) const;

  const absl::string_view text_;
  // There is no further `-->`, `?>` and so on if one was looked for in vain, so looking again would
  // take quadratic time. The last terminator not found.
  absl::string_view missing_end_;
};

/// Returns the length of the character reference, such as `&amp;`, with which `text` begins; 0 if
/// there is none.
size_t CharacterReferenceLength(absl::string_view text);

/// Returns the text that a reader of an HTML fragment sees, as CommonMark on one line: without
/// tags, comments, scripts and styles, and with character references as they stand. Words of
/// separate blocks are separated by spaces.
std::string HtmlText(absl::string_view html);

}  // namespace content
