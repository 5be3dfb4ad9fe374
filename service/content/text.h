#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Unicode as users mean it. Text is UTF-8; the functions that take any bytes say so.
namespace content {

/// Whether `bytes` is well-formed UTF-8. Takes any bytes.
bool IsUtf8(absl::string_view bytes);

/// Number of Unicode code points.
size_t CountCharacters(absl::string_view text);

/// Whether some character is visible: not a space, a control, a format character, a bare combining
/// mark or a noncharacter. What is not assigned is taken for visible: it may be an emoji newer than
/// the Unicode tables at hand.
bool HasVisibleCharacter(absl::string_view text);

/// Whether `text` has a control character (C0, DEL or C1) other than tab, line feed and carriage
/// return, a line or paragraph separator included if `one_line`, in which case none is allowed.
bool HasForbiddenCharacter(absl::string_view text, bool one_line);

/// `text` as one line: what may not stand on one line becomes a space, runs of spaces one, none at
/// either end.
std::string OneLine(absl::string_view text);

/// Words of plain text: runs of non-space characters that hold a letter or a digit.
int CountWords(absl::string_view text);

/// An id made from a title or a heading: accents and apostrophes dropped, lower-case, runs of all
/// but letters and digits become one hyphen, cut at a word's end to at most `max_length` bytes.
/// ASCII. Empty if the title has nothing to make an id from.
std::string Slug(absl::string_view title, size_t max_length = 63);

}  // namespace content
