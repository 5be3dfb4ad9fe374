#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Properties of Unicode text. Arguments must be UTF-8 unless a function accepts any bytes.
namespace content {

/// Returns whether `bytes` is well-formed UTF-8. Accepts any bytes.
bool IsUtf8(absl::string_view bytes);

/// Returns the number of Unicode code points.
size_t CountCharacters(absl::string_view text);

/// Returns the first `count` code points of `text`, or all of it.
absl::string_view FirstCharacters(absl::string_view text, size_t count);

/// Returns whether `text` has a visible character: one that is not a space, blank, control, format
/// character, combining mark or noncharacter. Unassigned code points count as visible: they may be
/// emoji that are newer than the Unicode tables of this build.
bool HasVisibleCharacter(absl::string_view text);

/// Returns whether `text` has a control character (C0, DEL or C1). Tab, line feed and carriage
/// return are allowed unless `one_line` is true, which also forbids the line and paragraph
/// separators.
bool HasForbiddenCharacter(absl::string_view text, bool one_line);

/// Maximum number of combining marks in a row in the text of a request (UAX #15, section 13).
inline constexpr int kMaxMarksInARow = 30;

/// Returns whether `text` has more than 30 combining marks in a row. ICU puts the marks of a row in
/// order by insertion sort, which takes quadratic time, so such a text must not reach its
/// normalizer. Characters that search ignores (Default_Ignorable_Code_Point) do not end a row.
bool HasLongMarkRun(absl::string_view text);

/// Overwrites with spaces the marks that follow 30 others in a row.
void BlankLongMarkRuns(std::string& text);

/// Returns `text` as one line in NFC: characters that are forbidden on one line become spaces, runs
/// of spaces become one space, and spaces and invisible characters at both ends and characters that
/// change the direction of text (HasBidiControl) are removed.
std::string OneLine(absl::string_view text);

/// Returns `text` in Unicode's Normalization Form C, in which canonical equivalents are the same
/// bytes. It may have more characters than `text`. Marks that follow 30 others in a row become
/// spaces (BlankLongMarkRuns).
std::string ToNfc(absl::string_view text);

/// Returns whether `text` consists of ASCII characters.
bool IsAscii(absl::string_view text);

/// Returns whether `text`, which must not have a long run of marks, is in NFC.
bool IsNfc(absl::string_view text);

/// Returns `text` without the white space (Unicode's White_Space) at both ends.
absl::string_view TrimWhiteSpace(absl::string_view text);

/// Returns the offset of the first white space, or the size of `text`.
size_t FindWhiteSpace(absl::string_view text);

/// Returns whether `text` has a character that changes the direction of the text around it
/// (Unicode's Bidi_Control, see UAX #9). On a line of its own in a page, such a character can make
/// other text read differently.
bool HasBidiControl(absl::string_view text);

/// Returns whether `text` begins or ends with a character that is not seen, such as a zero-width
/// space or a blank of Braille. At the end, the selector of an emoji's or a letter's form is
/// allowed, and a joiner after a virama, with which words of some Indic scripts end.
bool HasInvisibleEdge(absl::string_view text);

/// Returns whether `text` begins with a combining mark, which would join the text before it.
bool BeginsWithMark(absl::string_view text);

/// Returns whether a reader's character begins at the byte `at` of `text`, or `text` ends there:
/// false within a code point and before a combining mark.
bool IsCharacterStart(absl::string_view text, size_t at);

/// Returns whether words of the character's script follow one another without spaces, as in
/// Chinese, Japanese, Thai, Lao, Khmer and Burmese.
bool IsWrittenWithoutSpaces(char32_t character);

/// Returns the number of words in plain text: runs of non-space characters that contain a letter or
/// a digit. In scripts without spaces between words, such as Chinese, Japanese and Thai, the words
/// are those of ICU's dictionaries.
int CountWords(absl::string_view text);

/// Returns an id made from a title or a heading: lower-case ASCII letters and digits with single
/// hyphens between words, without accents and apostrophes, cut at the end of a word to at most
/// `max_length` bytes. Empty if the title has no usable character. Takes linear time.
std::string Slug(absl::string_view title, size_t max_length = 63);

}  // namespace content
