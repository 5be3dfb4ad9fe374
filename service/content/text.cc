#include "content/text.h"

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "content/icu.h"
#include "content/utf8.h"

namespace content {
namespace {

constexpr UChar32 kZeroWidthNonJoiner = 0x200C;
constexpr UChar32 kZeroWidthJoiner = 0x200D;
constexpr int kVirama = 9;  // canonical combining class

template <class Predicate>
bool AnyCharacter(absl::string_view text, Predicate is_wanted) {
  while (!text.empty()) {
    if (is_wanted(TakeCharacter(text))) return true;
  }
  return false;
}

// Returns `text` without the characters at both ends that are to be dropped.
template <class Predicate>
absl::string_view WithoutEdges(absl::string_view text, Predicate is_dropped) {
  for (absl::string_view rest = text; !rest.empty() && is_dropped(TakeCharacter(rest));) {
    text = rest;
  }
  for (absl::string_view rest = text; !rest.empty() && is_dropped(TakeLastCharacter(rest));) {
    text = rest;
  }
  return text;
}

bool IsLetterOrDigit(UChar32 character) { return IsOneOf(character, U_GC_L_MASK | U_GC_N_MASK); }

bool IsSpaceOrControl(UChar32 character) { return IsOneOf(character, U_GC_Z_MASK | U_GC_CC_MASK); }

bool IsIgnorable(UChar32 character) {
  return character >= 0x80 &&
         u_hasBinaryProperty(character, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
}

// Returns whether `character` is blank or a mere instruction, although Unicode's properties let it
// pass for a symbol, a letter or a mark.
bool IsBlank(UChar32 character) {
  constexpr UChar32 kBlanks[] = {0x2800,    // braille pattern blank
                                 0xFFF9,    // interlinear annotation: anchor,
                                 0xFFFA,    // ... separator
                                 0xFFFB,    // ... and terminator
                                 0x13441,   // Egyptian hieroglyph full blank
                                 0x13442,   // ... and half blank
                                 0x16FE4,   // Khitan small script filler
                                 0x1D159};  // musical symbol null notehead
  return std::find(std::begin(kBlanks), std::end(kBlanks), character) != std::end(kBlanks);
}

bool IsInvisible(UChar32 character) { return IsIgnorable(character) || IsBlank(character); }

bool IsBidiControl(UChar32 character) {
  return character >= 0x80 && u_hasBinaryProperty(character, UCHAR_BIDI_CONTROL) != 0;
}

bool IsForbidden(UChar32 character, bool one_line) {
  if (character >= ' ' && character <= '~') return false;  // as most are
  if (IsOneOf(character, U_GC_CC_MASK)) {
    return one_line || (character != '\t' && character != '\n' && character != '\r');
  }
  return one_line && IsOneOf(character, U_GC_ZL_MASK | U_GC_ZP_MASK);
}

bool IsVisible(UChar32 character) {
  if (character == kMalformed || U_IS_UNICODE_NONCHAR(character)) return false;
  // Some letters, such as the Hangul fillers, are blank by definition.
  return !IsInvisible(character) && !IsOneOf(character, U_GC_M_MASK | U_GC_Z_MASK | U_GC_CC_MASK |
                                                            U_GC_CF_MASK | U_GC_CS_MASK);
}

// The characters that spell the name of a flag within an emoji.
bool IsEmojiTag(UChar32 character) { return character >= 0xE0020 && character <= 0xE007F; }

bool IsVariationSelector(UChar32 character) {
  return u_hasBinaryProperty(character, UCHAR_VARIATION_SELECTOR) != 0;
}

// Returns whether `character` at the end of a text may change how the one before it looks.
bool SelectsForm(UChar32 character) {
  return IsEmojiTag(character) || IsVariationSelector(character);
}

bool IsEmoji(UChar32 character) {
  return character >= 0x80 && u_hasBinaryProperty(character, UCHAR_EMOJI) != 0;
}

bool HasVariants(UChar32 character) {
  UErrorCode error = U_ZERO_ERROR;
  return IsEmoji(character) || u_hasBinaryProperty(character, UCHAR_IDEOGRAPHIC) != 0 ||
         uscript_getScript(character, &error) == USCRIPT_MONGOLIAN;
}

// Returns whether the last character of `text`, which must not be empty, is not seen and does
// nothing to the one before it.
bool EndsInvisibly(absl::string_view text) {
  const UChar32 last = TakeLastCharacter(text);
  if (!IsInvisible(last)) return false;
  UChar32 base = kMalformed;
  while (!text.empty() && (base == kMalformed || IsEmojiTag(base))) base = TakeLastCharacter(text);
  if (IsEmojiTag(last)) return !IsEmoji(base);
  if (IsVariationSelector(last)) return !HasVariants(base);
  const bool is_joiner = last == kZeroWidthJoiner || last == kZeroWidthNonJoiner;
  return !is_joiner || u_getCombiningClass(base) != kVirama;
}

template <class Object>
Object& Loaded(Object* object, UErrorCode error) {
  CheckIcu(error, "ICU has no data");
  return *object;
}

const icu::Normalizer2& Nfc() {
  UErrorCode error = U_ZERO_ERROR;
  return Loaded(icu::Normalizer2::getNFCInstance(error), error);
}

const icu::Normalizer2& Nfkd() {
  UErrorCode error = U_ZERO_ERROR;
  return Loaded(icu::Normalizer2::getNFKDInstance(error), error);
}

const icu::Normalizer2& NfkcCaseFold() {
  UErrorCode error = U_ZERO_ERROR;
  return Loaded(icu::Normalizer2::getNFKCCasefoldInstance(error), error);
}

icu::StringPiece Piece(absl::string_view text) {
  return {text.data(), static_cast<int32_t>(text.size())};
}

// Returns whether ICU may move `character` to before the one that precedes it, or compose it with
// that one, again and again. Most such characters have a combining class. A few have none but
// consist of some that do: of the first two kinds, by a canonical mapping (such as U+0F73) or a
// compatibility mapping. Some vowel signs beyond the Basic Multilingual Plane compose even with
// themselves (such as U+16D67). Those within it do not, and people repeat them to lengthen a word.
bool IsMark(UChar32 character) {
  constexpr UChar32 kHalfwidthVoicedMark = 0xFF9E;
  constexpr UChar32 kHalfwidthSemiVoicedMark = 0xFF9F;
  return u_getIntPropertyValue(character, UCHAR_LEAD_CANONICAL_COMBINING_CLASS) != 0 ||
         character == kHalfwidthVoicedMark || character == kHalfwidthSemiVoicedMark ||
         (character > 0xFFFF && !Nfc().hasBoundaryBefore(character));
}

// Calls `visit` with the bytes [begin, end) of each mark that follows kMaxMarksInARow others.
template <class Visit>
void ForEachSurplusMark(absl::string_view text, Visit visit) {
  constexpr UChar32 kFirstMark = 0x0300;
  constexpr UChar32 kSoftHyphen = 0x00AD;
  if (IsAscii(text)) return;
  int marks = 0;
  for (absl::string_view rest = text; !rest.empty();) {
    const size_t begin = text.size() - rest.size();
    const UChar32 character = TakeCharacter(rest);
    if (character < kFirstMark) {
      if (character != kSoftHyphen) marks = 0;
    } else if (IsMark(character)) {
      if (++marks > kMaxMarksInARow) visit(begin, text.size() - rest.size());
    } else if (!IsIgnorable(character)) {
      marks = 0;
    }
  }
}

std::string Normalized(const icu::Normalizer2& form, absl::string_view text) {
  std::string bounded;
  if (HasLongMarkRun(text)) {
    bounded = std::string(text);
    BlankLongMarkRuns(bounded);
    text = bounded;
  }
  std::string normalized;
  icu::StringByteSink<std::string> sink(&normalized, static_cast<int32_t>(text.size()));
  UErrorCode error = U_ZERO_ERROR;
  form.normalizeUTF8(0, Piece(text), sink, nullptr, error);
  CheckIcu(error, "ICU cannot normalize a text");
  return normalized;
}

// Returns whether `character` belongs to a run of characters that are written without spaces.
bool ContinuesRun(UChar32 character) {
  return IsWrittenWithoutSpaces(character) || IsOneOf(character, U_GC_M_MASK) ||
         IsIgnorable(character);
}

std::unique_ptr<icu::BreakIterator> MakeWordBreaks() {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), error));
  CheckIcu(error, "ICU has no data");
  return breaks;
}

// Returns the number of words in a text without spaces, by ICU's dictionaries.
int CountWordsWithoutSpaces(absl::string_view text) {
  // Creating one takes longer than using it.
  static thread_local const std::unique_ptr<icu::BreakIterator> breaks = MakeWordBreaks();
  UErrorCode error = U_ZERO_ERROR;
  UText source = UTEXT_INITIALIZER;
  utext_openUTF8(&source, text.data(), static_cast<int64_t>(text.size()), &error);
  breaks->setText(&source, error);
  CheckIcu(error, "ICU cannot read a text");
  int words = 0;
  while (breaks->next() != icu::BreakIterator::DONE) {
    if (breaks->getRuleStatus() >= UBRK_WORD_NONE_LIMIT) ++words;
  }
  utext_close(&source);
  return words;
}

// Returns `title` in lower case, without accents and compatibility forms (ligatures, full-width
// letters).
std::string Simplified(absl::string_view title) {
  const std::string decomposed = Normalized(Nfkd(), Normalized(NfkcCaseFold(), title));
  absl::string_view left = decomposed;
  std::string simplified;
  while (!left.empty()) {
    const absl::string_view from_here = left;
    if (IsOneOf(TakeCharacter(left), U_GC_M_MASK)) continue;
    absl::StrAppend(&simplified, from_here.substr(0, from_here.size() - left.size()));
  }
  return simplified;
}

}  // namespace

bool IsUtf8(absl::string_view bytes) {
  return !AnyCharacter(bytes, [](UChar32 character) { return character == kMalformed; });
}

size_t CountCharacters(absl::string_view text) {
  const auto is_first_byte = [](char byte) { return (byte & 0xC0) != 0x80; };
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), is_first_byte));
}

absl::string_view FirstCharacters(absl::string_view text, size_t count) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_first_byte = (text[i] & 0xC0) != 0x80;
    if (is_first_byte && count-- == 0) return text.substr(0, i);
  }
  return text;
}

bool HasVisibleCharacter(absl::string_view text) { return AnyCharacter(text, IsVisible); }

bool HasForbiddenCharacter(absl::string_view text, bool one_line) {
  return AnyCharacter(text,
                      [one_line](UChar32 character) { return IsForbidden(character, one_line); });
}

bool HasLongMarkRun(absl::string_view text) {
  bool found = false;
  ForEachSurplusMark(text, [&found](size_t /*begin*/, size_t /*end*/) { found = true; });
  return found;
}

void BlankLongMarkRuns(std::string& text) {
  ForEachSurplusMark(text, [&text](size_t begin, size_t end) {
    std::fill(text.begin() + static_cast<ptrdiff_t>(begin),
              text.begin() + static_cast<ptrdiff_t>(end), ' ');
  });
}

std::string OneLine(absl::string_view text) {
  std::string line;
  while (!text.empty()) {
    const absl::string_view from_here = text;
    const UChar32 code_point = TakeCharacter(text);
    if (IsBidiControl(code_point)) continue;
    const bool is_forbidden = IsForbidden(code_point, /*one_line=*/true);
    const absl::string_view character = from_here.substr(0, from_here.size() - text.size());
    absl::StrAppend(&line, is_forbidden ? " " : character);
  }
  BlankLongMarkRuns(line);
  absl::RemoveExtraAsciiWhitespace(&line);
  return ToNfc(WithoutEdges(line, [](UChar32 code_point) {
    return u_isUWhiteSpace(code_point) || (IsInvisible(code_point) && !SelectsForm(code_point));
  }));
}

std::string ToNfc(absl::string_view text) {
  return IsAscii(text) ? std::string(text) : Normalized(Nfc(), text);
}

bool IsAscii(absl::string_view text) {
  // Without an early exit, the compiler makes vector instructions of it.
  char bits = 0;
  for (const char c : text) bits = static_cast<char>(bits | c);
  return (bits & 0x80) == 0;
}

bool IsNfc(absl::string_view text) {
  if (IsAscii(text)) return true;
  UErrorCode error = U_ZERO_ERROR;
  const bool is_nfc = Nfc().isNormalizedUTF8(Piece(text), error) != 0;
  CheckIcu(error, "ICU cannot check a text");
  return is_nfc;
}

absl::string_view TrimWhiteSpace(absl::string_view text) {
  return WithoutEdges(text, u_isUWhiteSpace);
}

size_t FindWhiteSpace(absl::string_view text) {
  absl::string_view rest = text;
  while (!rest.empty()) {
    const size_t offset = text.size() - rest.size();
    if (u_isUWhiteSpace(TakeCharacter(rest))) return offset;
  }
  return text.size();
}

bool HasBidiControl(absl::string_view text) { return AnyCharacter(text, IsBidiControl); }

bool HasInvisibleEdge(absl::string_view text) {
  if (text.empty()) return false;
  absl::string_view rest = text;
  return IsInvisible(TakeCharacter(rest)) || EndsInvisibly(text);
}

bool BeginsWithMark(absl::string_view text) {
  return !text.empty() && IsOneOf(TakeCharacter(text), U_GC_M_MASK);
}

bool IsWrittenWithoutSpaces(char32_t character) {
  constexpr UChar32 kFirstSuchScript = 0x0E00;  // Thai
  const auto code_point = static_cast<UChar32>(character);
  if (code_point < kFirstSuchScript) return false;
  UErrorCode error = U_ZERO_ERROR;
  return uscript_breaksBetweenLetters(uscript_getScript(code_point, &error)) != 0 ||
         // The long vowel mark of kana belongs to no single script.
         (IsOneOf(code_point, U_GC_L_MASK) && uscript_hasScript(code_point, USCRIPT_KATAKANA));
}

bool IsCharacterStart(absl::string_view text, size_t at) {
  if (at >= text.size()) return true;
  const UChar32 character = TakeCharacter(text = text.substr(at));
  return character != kMalformed && !IsOneOf(character, U_GC_M_MASK) && !IsIgnorable(character);
}

int CountWords(absl::string_view text) {
  int words = 0;
  bool in_word = false;
  while (!text.empty()) {
    const absl::string_view from_here = text;
    const UChar32 character = TakeCharacter(text);
    if (IsSpaceOrControl(character)) {
      in_word = false;
    } else if (IsWrittenWithoutSpaces(character)) {
      for (absl::string_view rest = text; !rest.empty() && ContinuesRun(TakeCharacter(rest));) {
        text = rest;
      }
      words += CountWordsWithoutSpaces(from_here.substr(0, from_here.size() - text.size()));
      in_word = false;
    } else if (!in_word && IsLetterOrDigit(character)) {
      in_word = true;
      ++words;
    }
  }
  return words;
}

std::string Slug(absl::string_view title, size_t max_length) {
  std::string slug;
  for (const char c : absl::StrReplaceAll(Simplified(title), {{"'", ""}, {"\u2019", ""}})) {
    if (absl::ascii_isalnum(c)) {
      slug.push_back(c);
    } else if (!slug.empty() && slug.back() != '-') {
      slug.push_back('-');
    }
  }
  if (slug.size() > max_length) {
    const size_t word_end = slug.rfind('-', max_length);
    slug.resize(word_end == std::string::npos ? max_length : word_end);
  }
  if (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

}  // namespace content
