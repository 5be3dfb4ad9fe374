#include "content/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace content {
namespace {

constexpr int32_t kMalformed = -1;

// Removes the first character from `text`, which must not be empty, and returns it. A byte that is
// not part of UTF-8 is returned as kMalformed.
int32_t TakeCharacter(absl::string_view& text) {
  int32_t character = kMalformed;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &character);
  text.remove_prefix(length > 0 ? static_cast<size_t>(length) : 1);
  return length > 0 ? character : kMalformed;
}

template <class Predicate>
bool AnyCharacter(absl::string_view text, Predicate is_wanted) {
  while (!text.empty()) {
    if (is_wanted(TakeCharacter(text))) return true;
  }
  return false;
}

bool IsLetterOrDigit(int32_t character) {
  const auto category = utf8proc_category(character);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO &&
         category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC &&
         category != UTF8PROC_CATEGORY_ME;
}

bool IsSpaceOrControl(int32_t character) {
  const auto category = utf8proc_category(character);
  return category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_CC;
}

bool IsForbidden(int32_t character, bool one_line) {
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
      return one_line || (character != '\t' && character != '\n' && character != '\r');
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return one_line;
    default:
      return false;
  }
}

// Returns whether `character` is a code point that Unicode will never assign.
bool IsNoncharacter(int32_t character) {
  return (character >= 0xFDD0 && character <= 0xFDEF) || (character & 0xFFFE) == 0xFFFE;
}

bool IsVisible(int32_t character) {
  const utf8proc_property_t* properties = utf8proc_get_property(character);
  switch (properties->category) {
    case UTF8PROC_CATEGORY_CN:
      return character != kMalformed && !IsNoncharacter(character);
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
      return false;
    default:
      // Some letters, such as the Hangul fillers, are blank by definition.
      return !properties->ignorable;
  }
}

// Returns `title` in lower case, without accents and compatibility forms (ligatures, full-width
// letters).
std::string Simplified(absl::string_view title) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto length = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(title.data()),
      static_cast<utf8proc_ssize_t>(title.size()), &mapped,
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK |
                                     UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (length < 0) return "";
  return std::string(reinterpret_cast<const char*>(mapped), static_cast<size_t>(length));
}

}  // namespace

bool IsUtf8(absl::string_view bytes) {
  return !AnyCharacter(bytes, [](int32_t character) { return character == kMalformed; });
}

size_t CountCharacters(absl::string_view text) {
  const auto is_first_byte = [](char byte) { return (byte & 0xC0) != 0x80; };
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), is_first_byte));
}

bool HasVisibleCharacter(absl::string_view text) { return AnyCharacter(text, IsVisible); }

bool HasForbiddenCharacter(absl::string_view text, bool one_line) {
  return AnyCharacter(text,
                      [one_line](int32_t character) { return IsForbidden(character, one_line); });
}

std::string OneLine(absl::string_view text) {
  std::string line;
  while (!text.empty()) {
    const absl::string_view from_here = text;
    const bool is_forbidden = IsForbidden(TakeCharacter(text), /*one_line=*/true);
    const absl::string_view character = from_here.substr(0, from_here.size() - text.size());
    absl::StrAppend(&line, is_forbidden ? " " : character);
  }
  absl::RemoveExtraAsciiWhitespace(&line);
  return line;
}

int CountWords(absl::string_view text) {
  int words = 0;
  bool in_word = false;
  while (!text.empty()) {
    const int32_t character = TakeCharacter(text);
    if (IsSpaceOrControl(character)) {
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
