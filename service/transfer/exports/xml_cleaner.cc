#include "transfer/exports/xml_cleaner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/utf8.h"

namespace content::transfer {
namespace {

// More than any mark or reference is long.
constexpr size_t kLookahead = 16;
constexpr absl::string_view kCdataBegin = "<![CDATA[";
constexpr absl::string_view kCdataEnd = "]]>";

constexpr unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

bool IsUtf8Declared(absl::string_view head) {
  if (!absl::StartsWith(head, "<?xml")) return true;
  const std::string declaration = absl::AsciiStrToLower(head.substr(0, head.find('>')));
  return !absl::StrContains(declaration, "encoding") || absl::StrContains(declaration, "utf-8") ||
         absl::StrContains(declaration, "utf8");
}

void Move(absl::string_view& from, size_t size, std::string& to) {
  to.append(from.data(), size);
  from.remove_prefix(size);
}

void Replace(absl::string_view& from, size_t size, absl::string_view by, std::string& to) {
  absl::StrAppend(&to, by);
  from.remove_prefix(size);
}

// Appends a character as it is written, or what stands for it if XML does not have it.
void AppendAllowed(int64_t character, absl::string_view written, std::string& clean) {
  const bool is_control = character >= 0 && character < ' ' && character != '\t' &&
                          character != '\n' && character != '\r';
  const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
  const bool is_none = character == kMalformed || is_surrogate || character == 0xFFFE ||
                       character == 0xFFFF || character > 0x10FFFF;
  absl::StrAppend(&clean, is_control ? " " : is_none ? "\uFFFD" : written);
}

// "#65" or "#x41" -> 65. nullopt for anything else.
std::optional<int64_t> CodeOf(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, "#")) return std::nullopt;
  const bool is_hex = absl::ConsumePrefix(&name, "x");
  const auto is_digit = [is_hex](char c) {
    return is_hex ? absl::ascii_isxdigit(Byte(c)) : absl::ascii_isdigit(Byte(c));
  };
  int64_t code = 0;
  const bool is_number =
      std::all_of(name.begin(), name.end(), is_digit) &&
      (is_hex ? absl::SimpleHexAtoi(name, &code) : absl::SimpleAtoi(name, &code));
  return is_number ? std::optional(code) : std::nullopt;
}

// Takes a reference, or an `&` that begins none.
void TakeReference(absl::string_view& rest, std::string& clean) {
  const size_t end = rest.substr(0, kLookahead).find(';');
  const absl::string_view name = end == absl::string_view::npos ? "" : rest.substr(1, end - 1);
  if (name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos") {
    return Move(rest, end + 1, clean);
  }
  const std::optional<int64_t> code = CodeOf(name);
  if (!code) return Replace(rest, 1, "&amp;", clean);
  AppendAllowed(*code, rest.substr(0, end + 1), clean);
  rest.remove_prefix(end + 1);
}

bool BeginsTag(absl::string_view rest) {
  if (!absl::ConsumePrefix(&rest, "<")) return false;
  if (absl::StartsWith(rest, "!")) return true;
  absl::ConsumePrefix(&rest, "/");
  return !rest.empty() && (absl::ascii_isalpha(Byte(rest[0])) || rest[0] == '_' || rest[0] == ':' ||
                           Byte(rest[0]) >= 0x80);
}

// The characters that mean nothing wherever they are: those of names, values, text and CDATA.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = ' '; c < 0x7F; ++c) plain.at(c) = true;
  for (const char c : {'\n', '\t', '\r'}) plain.at(Byte(c)) = true;
  for (const char c : {'<', '>', '&', ']', '"', '\''}) plain.at(Byte(c)) = false;
  return plain;
}();

}  // namespace

XmlCleaner::XmlCleaner(absl::string_view head) : is_utf8_(IsUtf8Declared(head)) {}

std::string XmlCleaner::Clean(absl::string_view piece) {
  absl::StrAppend(&rest_, piece);
  absl::string_view rest = rest_;
  std::string clean;
  clean.reserve(rest.size());
  while (!rest.empty() && (rest.size() >= kLookahead || piece.empty())) {
    const size_t before = rest.size();
    TakeNext(rest, clean);
    is_at_start_ = false;
    tag_bytes_ = place_ == Place::kTag ? tag_bytes_ + before - rest.size() : 0;
    has_huge_tag_ = has_huge_tag_ || tag_bytes_ > kMaxTagBytes;
  }
  rest_.erase(0, rest_.size() - rest.size());
  return clean;
}

void XmlCleaner::TakeNext(absl::string_view& rest, std::string& clean) {
  switch (place_) {
    case Place::kText:
      return TakeInText(rest, clean);
    case Place::kTag:
      return TakeInTag(rest, clean);
    case Place::kCdata:
      return TakeInCdata(rest, clean);
    case Place::kComment:
      return Skip(rest, "-->", clean);
    case Place::kInstruction:
      return Skip(rest, "?>", clean);
  }
}

void XmlCleaner::TakeInText(absl::string_view& rest, std::string& clean) {
  if (absl::StartsWith(rest, kCdataBegin)) {
    place_ = Place::kCdata;
    rest.remove_prefix(kCdataBegin.size());
  } else if (absl::StartsWith(rest, "<!--")) {
    place_ = Place::kComment;
    rest.remove_prefix(4);
  } else if (absl::StartsWith(rest, "<?")) {
    const bool is_declaration = is_at_start_ && absl::StartsWith(rest, "<?xml ");
    place_ = is_declaration ? Place::kTag : Place::kInstruction;
    if (is_declaration) Move(rest, 2, clean);
  } else if (BeginsTag(rest)) {
    place_ = Place::kTag;
    Move(rest, 1, clean);
  } else if (rest[0] == '<') {
    Replace(rest, 1, "&lt;", clean);
  } else if (absl::StartsWith(rest, kCdataEnd)) {
    Replace(rest, kCdataEnd.size(), "]]&gt;", clean);
  } else if (rest[0] == '&') {
    TakeReference(rest, clean);
  } else {
    TakeSign(rest, clean);
  }
}

void XmlCleaner::TakeInTag(absl::string_view& rest, std::string& clean) {
  const char c = rest[0];
  if (c == '&') return TakeReference(rest, clean);
  if (c == '<' && quote_ != '\0') return Replace(rest, 1, "&lt;", clean);
  if (c == '>' && quote_ == '\0') place_ = Place::kText;
  if (c == quote_) {
    quote_ = '\0';
  } else if (quote_ == '\0' && (c == '"' || c == '\'')) {
    quote_ = c;
  }
  TakeSign(rest, clean);
}

// The parser takes quadratic time for CDATA, so it gets text.
void XmlCleaner::TakeInCdata(absl::string_view& rest, std::string& clean) {
  if (absl::ConsumePrefix(&rest, kCdataEnd)) {
    place_ = Place::kText;
  } else if (rest[0] == '<') {
    Replace(rest, 1, "&lt;", clean);
  } else if (rest[0] == '>') {
    Replace(rest, 1, "&gt;", clean);
  } else if (rest[0] == ']') {  // it may be before a `>` of text
    Replace(rest, 1, "&#93;", clean);
  } else if (rest[0] == '&') {
    Replace(rest, 1, "&amp;", clean);
  } else {
    TakeSign(rest, clean);
  }
}

void XmlCleaner::Skip(absl::string_view& rest, absl::string_view end, std::string& clean) {
  if (absl::ConsumePrefix(&rest, end)) {
    place_ = Place::kText;
  } else {
    if (rest[0] == '\n') clean += '\n';
    rest.remove_prefix(1);
  }
}

// Takes a character that means nothing here, and all plain ones that follow it.
void XmlCleaner::TakeSign(absl::string_view& rest, std::string& clean) const {
  if (Byte(rest[0]) >= 0x80 && is_utf8_) {
    const absl::string_view from_here = rest;
    const int32_t character = TakeCharacter(rest);
    AppendAllowed(character, from_here.substr(0, from_here.size() - rest.size()), clean);
    return;
  }
  AppendAllowed(Byte(rest[0]), rest.substr(0, 1), clean);
  rest.remove_prefix(1);
  const auto* const end =
      std::find_if_not(rest.begin(), rest.end(), [](char c) { return kPlain.at(Byte(c)); });
  Move(rest, static_cast<size_t>(end - rest.begin()), clean);
}

}  // namespace content::transfer
