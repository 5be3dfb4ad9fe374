#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_set>

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

/// Finds tags in a text. Calling At for every `<` that is in no tag found before takes linear time
/// in total.
class HtmlTags {
 public:
  /// `text` must outlive the object.
  explicit HtmlTags(absl::string_view text) : text_(text) {}

  /// Returns the tag that begins at `at`, where there must be a `<`; nullopt if none does.
  std::optional<HtmlTag> At(size_t at);

 private:
  // What ends a construct other than a tag.
  enum Terminator { kCommentEnd, kCdataEnd, kInstructionEnd, kDeclarationEnd };

  // Returns the end of what begins before `from` and ends with `end`.
  std::optional<HtmlTag> EndingWith(Terminator end, size_t from);

  std::optional<HtmlTag> NamedTag(size_t at);

  // Returns the end of the tag whose attributes begin at `at`; nullopt if it has none.
  std::optional<size_t> EndOfAttributes(size_t at);

  const absl::string_view text_;
  // Looking in vain again would take quadratic time. So these hold what was looked for in vain:
  // terminators that do not follow, and opening quotes after which a tag has no end.
  std::array<bool, 4> is_missing_ = {};
  std::unordered_set<size_t> endless_quotes_;
};

/// Returns where the text that `tag` hides in a block of HTML ends: where the closing tag begins,
/// or at the end of `html` if there is none.
size_t EndOfHiddenText(absl::string_view html, const HtmlTag& tag);

/// Returns the length of what looks like a character reference, such as `&amp;`, at the beginning
/// of `text`; 0 if nothing does. No character need have the name.
size_t CharacterReferenceLength(absl::string_view text);

/// Returns the text that a reader of an HTML fragment sees, as CommonMark on one line: without
/// tags, comments, scripts and styles, and with character references as they stand. Words of
/// separate blocks are separated by spaces.
std::string HtmlText(absl::string_view html);

}  // namespace content
