#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

// Unicode text. It must be well-formed UTF-8 unless a function takes any bytes.
namespace content {

/// Whether `bytes` is well-formed UTF-8. Takes any bytes.
bool IsUtf8(absl::string_view bytes);

/// Number of Unicode code points.
size_t CountCharacters(absl::string_view text);

/// Whether any character is visible, i.e. not a space, a control or format character, a bare
/// combining mark or a noncharacter. Unassigned characters count as visible, because they may be
/// emoji that are newer than the Unicode tables at hand.
bool HasVisibleCharacter(absl::string_view text);

/// Whether `text` has a control character (C0, DEL or C1) other than tab, line feed and carriage
/// return. If `one_line`, these three and line and paragraph separators are forbidden too.
bool HasForbiddenCharacter(absl::string_view text, bool one_line);

/// Returns `text` on one line: characters that are forbidden on one line become spaces, runs of
/// spaces become one, and spaces at either end are removed.
std::string OneLine(absl::string_view text);

/// Number of words: runs of non-space characters with at least one letter or digit.
int CountWords(absl::string_view text);

/// Makes an ASCII id from a title or a heading. Accents and apostrophes are dropped, letters become
/// lower-case, and runs of all other characters become one hyphen. The id is cut at the end of a
/// word to at most `max_length` bytes. Empty if the title has no letter or digit that ASCII can
/// express.
std::string Slug(absl::string_view title, size_t max_length = 63);

}  // namespace content
