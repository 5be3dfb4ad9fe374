#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Text as Unicode defines it. Arguments are UTF-8 unless a function accepts any bytes.
namespace content {

/// Whether `bytes` is well-formed UTF-8. Accepts any bytes.
bool IsUtf8(absl::string_view bytes);

/// Number of Unicode code points.
size_t CountCharacters(absl::string_view text);

/// Whether `text` has a visible character, that is, one other than spaces, controls, format
/// characters, combining marks and noncharacters. Unassigned code points count as visible: they may
/// be emoji that are newer than the Unicode tables of this build.
bool HasVisibleCharacter(absl::string_view text);

/// Whether `text` has a control character (C0, DEL or C1). Tab, line feed and carriage return are
/// allowed unless `one_line`, which also forbids the line and paragraph separators.
bool HasForbiddenCharacter(absl::string_view text, bool one_line);

/// `text` as one line: characters that are forbidden on one line become spaces, runs of spaces
/// become one, and spaces at the ends are removed.
std::string OneLine(absl::string_view text);

/// Number of words of plain text: runs of non-space characters with a letter or a digit.
int CountWords(absl::string_view text);

/// Makes an id from a title or a heading: lower-case ASCII letters and digits with single hyphens
/// between words, without accents and apostrophes, cut at the end of a word to at most `max_length`
/// bytes. Empty if the title has no usable character.
std::string Slug(absl::string_view title, size_t max_length = 63);

}  // namespace content
