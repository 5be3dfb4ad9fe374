#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Properties of Unicode text. Arguments must be UTF-8 unless a function accepts any bytes.
namespace content {

/// Returns whether `bytes` is well-formed UTF-8. Accepts any bytes.
bool IsUtf8(absl::string_view bytes);

/// Returns the number of Unicode code points.
size_t CountCharacters(absl::string_view text);

/// Returns whether `text` has a visible character: one that is not a space, control, format
/// character, combining mark or noncharacter. Unassigned code points count as visible: they may be
/// emoji that are newer than the Unicode tables of this build.
bool HasVisibleCharacter(absl::string_view text);

/// Returns whether `text` has a control character (C0, DEL or C1). Tab, line feed and carriage
/// return are allowed unless `one_line` is true, which also forbids the line and paragraph
/// separators.
bool HasForbiddenCharacter(absl::string_view text, bool one_line);

/// Returns `text` as one line: characters that are forbidden on one line become spaces, runs of
/// spaces become one space, and spaces at both ends are removed.
std::string OneLine(absl::string_view text);

/// Returns the number of words in plain text: runs of non-space characters that contain a letter or
/// a digit.
int CountWords(absl::string_view text);

/// Returns an id made from a title or a heading: lower-case ASCII letters and digits with single
/// hyphens between words, without accents and apostrophes, cut at the end of a word to at most
/// `max_length` bytes. Empty if the title has no usable character.
std::string Slug(absl::string_view title, size_t max_length = 63);

}  // namespace content
