#include "content/search_text.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "content/body.h"
#include "content/icu.h"
#include "content/text.h"
#include "content/utf8.h"

namespace content {
namespace {

constexpr size_t kMaxWordBytes = 1'000;

constexpr UChar32 kLigatureOe = 0x0153;    // which NFKC_Casefold leaves alone
constexpr UChar32 kCombiningDot = 0x0307;  // remains of the Turkish capital I with a dot

// The version of Unicode that every C library under PostgreSQL knows. Newer characters are written
// by their numbers.
constexpr int kOldestKnownUnicode = 12;

// A text whose pieces are found again in another text.
struct DerivedText {
  std::string text;
  icu::Edits edits;  // what was changed
};

// Returns a body as readers see it.
DerivedText WithoutMarkup(absl::string_view body) {
  DerivedText plain;
  size_t at = 0;
  const auto keep_until = [&](size_t end) {
    absl::StrAppend(&plain.text, body.substr(at, end - at));
    plain.edits.addUnchanged(static_cast<int32_t>(end - at));
    at = end;
  };
  for (const Markup& markup : FindMarkup(body)) {
    keep_until(markup.begin);
    absl::StrAppend(&plain.text, markup.text);
    plain.edits.addReplace(static_cast<int32_t>(markup.end - markup.begin),
                           static_cast<int32_t>(markup.text.size()));
    at = markup.end;
  }
  keep_until(body.size());
  return plain;
}

// Overwrites symbols in superscript with spaces: the sign for "trademark" must not lengthen the
// word before it. Other symbols that stand for letters, such as units and Kangxi radicals, are
// folded.
void BlankSuperscriptSymbols(std::string& text) {
  for (absl::string_view rest = text; !rest.empty();) {
    const size_t begin = text.size() - rest.size();
    const UChar32 character = TakeCharacter(rest);
    if (character >= 0x80 && IsOneOf(character, U_GC_SO_MASK) &&
        u_getIntPropertyValue(character, UCHAR_DECOMPOSITION_TYPE) == U_DT_SUPER) {
      std::fill(text.begin() + static_cast<ptrdiff_t>(begin),
                text.end() - static_cast<ptrdiff_t>(rest.size()), ' ');
    }
  }
}

// A text in its folded form, which knows where the folded characters come from.
class FoldedText {
 public:
  explicit FoldedText(DerivedText original) {
    BlankSuperscriptSymbols(original.text);
    BlankLongMarkRuns(original.text);  // not only in articles older than the rule: references
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* const fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
    icu::StringByteSink<std::string> sink(&folded_, static_cast<int32_t>(original.text.size()));
    icu::Edits folding;
    if (U_SUCCESS(error)) fold->normalizeUTF8(0, original.text, sink, &folding, error);
    edits_.mergeAndAppend(original.edits, folding, error);
    CheckIcu(error, "ICU cannot fold a text");
    origin_ = edits_.getFineIterator();
  }

  const std::string& text() const { return folded_; }

  // Returns where the folded byte `at` comes from: the begin and the end of the original bytes.
  std::pair<size_t, size_t> OriginOf(size_t at) {
    UErrorCode error = U_ZERO_ERROR;
    origin_.findDestinationIndex(static_cast<int32_t>(at), error);
    CheckIcu(error, "ICU cannot find the origin of a folded character");
    const auto begin = static_cast<size_t>(origin_.sourceIndex());
    if (origin_.hasChange()) return {begin, begin + static_cast<size_t>(origin_.oldLength())};
    const size_t same = begin + at - static_cast<size_t>(origin_.destinationIndex());
    return {same, same + 1};
  }

 private:
  std::string folded_;
  icu::Edits edits_;
  icu::Edits::Iterator origin_;
};

// PostgreSQL's parser must take each word as one, although it relies on the character tables of the
// C library. It may take a part of a word that begins with digits for a number, as in `1e5x`, so
// such a word gets a letter in front. It takes words that begin with a letter as they are, because
// they have none of the signs that addresses, paths and compounds have.

// The letter in front of a word of digits and others: one that languages have long given up.
constexpr char kWordOfDigits[] = "\u018D";

// Returns how a folded character, which is `bytes`, is written in a word.
std::string Written(UChar32 character, absl::string_view bytes) {
  if (character == kLigatureOe) return "oe";
  // Such marks, of a few rare scripts, would end a word.
  if (IsOneOf(character, U_GC_MC_MASK) && !u_isUAlphabetic(character)) return "";
  UVersionInfo unicode_version;
  u_charAge(character, unicode_version);
  if (unicode_version[0] > kOldestKnownUnicode || IsOneOf(character, U_GC_SO_MASK)) {
    return absl::StrCat("u", absl::Hex(character));
  }
  return std::string(bytes);
}

// Tone marks of Thai and Lao. They look the same before and after a mark above the letter, such as
// the first part of sara am, and have no canonical order.
bool IsToneMark(UChar32 character) {
  return (character >= 0x0E48 && character <= 0x0E4B) ||
         (character >= 0x0EC8 && character <= 0x0ECB);
}

bool IsMarkAbove(UChar32 character) {
  return character == 0x0E31 || (character >= 0x0E34 && character <= 0x0E37) ||
         character == 0x0E4D || character == 0x0EB1 ||
         (character >= 0x0EB4 && character <= 0x0EB7) || character == 0x0EBB || character == 0x0ECD;
}

// Returns where the Thai or Lao marks above the last letter of `word` begin.
size_t BeginOfMarksAbove(absl::string_view word) {
  size_t begin = word.size();
  while (!word.empty() && IsMarkAbove(TakeLastCharacter(word))) begin = word.size();
  return begin;
}

// Adds characters to units.
class UnitBuilder {
 public:
  explicit UnitBuilder(FoldedText& folded) : folded_(folded) {}

  // Adds the folded character at the bytes [begin, end).
  void Add(UChar32 character, size_t begin, size_t end) {
    if (IsOneOf(character, U_GC_M_MASK)) {
      if (is_open_) Append(character, begin, end);
      return;
    }
    if (!u_isUAlphabetic(character) && !u_isdigit(character)) {
      is_open_ = false;
      return;
    }
    const bool is_character = IsSearchedByPairs(character);
    if (!is_open_ || is_character || units_.back().is_character) Open(is_character, begin);
    Append(character, begin, end);
  }

  std::vector<SearchUnit> Take() { return std::move(units_); }

 private:
  static bool IsSearchedByPairs(UChar32 character) {
    if (character < 0x0E00) return false;
    UErrorCode error = U_ZERO_ERROR;
    return IsWrittenWithoutSpaces(static_cast<char32_t>(character)) ||
           uscript_getScript(character, &error) == USCRIPT_HANGUL;
  }

  void Open(bool is_character, size_t begin) {
    if (is_open_ && is_character) units_.back().is_paired = units_.back().is_character;
    units_.emplace_back();
    units_.back().begin = folded_.OriginOf(begin).first;
    units_.back().is_character = is_character;
    is_open_ = true;
  }

  void Append(UChar32 character, size_t begin, size_t end) {
    SearchUnit& unit = units_.back();
    unit.end = folded_.OriginOf(end - 1).second;
    const std::string written =
        Written(character, absl::string_view(folded_.text()).substr(begin, end - begin));
    if (character == kCombiningDot && unit.text.back() == 'i') return;
    if (unit.text.size() + written.size() > kMaxWordBytes) return;
    unit.text.insert(IsToneMark(character) ? BeginOfMarksAbove(unit.text) : unit.text.size(),
                     written);
    if (absl::ascii_isdigit(unit.text.front()) && !absl::ascii_isdigit(unit.text.back())) {
      unit.text.insert(0, kWordOfDigits);
    }
  }

  FoldedText& folded_;
  std::vector<SearchUnit> units_;
  bool is_open_ = false;  // whether the last character belongs to the last unit
};

std::vector<SearchUnit> Split(DerivedText text) {
  FoldedText folded(std::move(text));
  UnitBuilder units(folded);
  const size_t size = folded.text().size();
  for (absl::string_view rest = folded.text(); !rest.empty();) {
    const size_t begin = size - rest.size();
    const UChar32 character = TakeCharacter(rest);
    units.Add(character, begin, size - rest.size());
  }
  return units.Take();
}

}  // namespace

std::vector<SearchUnit> SplitForSearch(absl::string_view text) {
  DerivedText same;
  same.text = std::string(text);
  same.edits.addUnchanged(static_cast<int32_t>(text.size()));
  return Split(std::move(same));
}

std::vector<SearchUnit> SplitBodyForSearch(absl::string_view body) {
  return Split(WithoutMarkup(body));
}

std::string IndexedWord(const std::vector<SearchUnit>& units, size_t i) {
  const SearchUnit& unit = units[i];
  return unit.is_paired ? absl::StrCat(unit.text, units[i + 1].text) : unit.text;
}

}  // namespace content
