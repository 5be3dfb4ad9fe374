#include "transfer/exports/xml_cleaner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

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

// What to write for a character: what was written, or what stands for it if XML does not have it.
absl::string_view Allowed(int64_t character, absl::string_view written) {
  const bool is_control = character >= 0 && character < ' ' && character != '\t' &&
                          character != '\n' && character != '\r';
  const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
  const bool is_none = character == kMalformed || is_surrogate || character == 0xFFFE ||
                       character == 0xFFFF || character > 0x10FFFF;
  return is_control ? " " : is_none ? "\uFFFD" : written;
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

bool BeginsTag(absl::string_view rest) {
  if (!absl::ConsumePrefix(&rest, "<")) return false;
  if (absl::StartsWith(rest, "!")) return true;
  absl::ConsumePrefix(&rest, "/");
  return !rest.empty() && (absl::ascii_isalpha(Byte(rest[0])) || rest[0] == '_' || rest[0] == ':' ||
                           Byte(rest[0]) >= 0x80);
}

// For each byte, whether it is ASCII that XML has, and means nothing.
using Plain = std::array<bool, 256>;

constexpr Plain PlainExcept(absl::string_view signs) {
  Plain plain{};
  for (size_t c = ' '; c < 0x7F; ++c) plain.at(c) = true;
  for (const char c : {'\n', '\t', '\r'}) plain.at(Byte(c)) = true;
  for (const char c : signs) plain.at(Byte(c)) = false;
  return plain;
}

constexpr Plain kPlainInText = PlainExcept("<&]");
constexpr Plain kPlainInTag = PlainExcept("<>&\"'");
constexpr Plain kPlainInCdata = PlainExcept("<>&]");

}  // namespace

// A text that is being cleaned. Takes it off the front.
class XmlCleaner::Text {
 public:
  explicit Text(absl::string_view text) : rest_(text) { clean_.reserve(text.size()); }

  absl::string_view rest() const { return rest_; }

  // Takes so many bytes as they are.
  void Keep(size_t size) {
    kept_ += size;
    rest_.remove_prefix(size);
  }

  void Replace(size_t size, absl::string_view by) {
    AppendKept();
    clean_.append(by.data(), by.size());
    rest_.remove_prefix(size);
  }

  // Takes a character if XML has it, or else writes what stands for it.
  void KeepAllowed(int64_t character, size_t size) {
    const absl::string_view written = rest_.substr(0, size);
    const absl::string_view allowed = Allowed(character, written);
    if (allowed.data() == written.data()) return Keep(size);
    Replace(size, allowed);
  }

  void KeepPlain(const Plain& plain) {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(),
                                             [&plain](char c) { return plain.at(Byte(c)); });
    Keep(static_cast<size_t>(end - rest_.begin()));
  }

  std::string TakeClean() {
    AppendKept();
    return std::move(clean_);
  }

 private:
  void AppendKept() {
    clean_.append(rest_.data() - kept_, kept_);
    kept_ = 0;
  }

  absl::string_view rest_;
  size_t kept_ = 0;  // what is before `rest_` and has not been appended
  std::string clean_;
};

XmlCleaner::XmlCleaner(absl::string_view head) : is_utf8_(IsUtf8Declared(head)) {}

std::string XmlCleaner::Clean(absl::string_view piece) {
  absl::StrAppend(&rest_, piece);
  Text text(rest_);
  while (!text.rest().empty() && (text.rest().size() >= kLookahead || piece.empty())) {
    const size_t before = text.rest().size();
    TakeNext(text);
    is_at_start_ = false;
    tag_bytes_ = place_ == Place::kTag ? tag_bytes_ + before - text.rest().size() : 0;
    has_huge_tag_ = has_huge_tag_ || tag_bytes_ > kMaxTagBytes;
  }
  std::string clean = text.TakeClean();
  rest_.erase(0, rest_.size() - text.rest().size());
  return clean;
}

void XmlCleaner::TakeNext(Text& text) {
  switch (place_) {
    case Place::kText:
      return TakeInText(text);
    case Place::kTag:
      return TakeInTag(text);
    case Place::kCdata:
      return TakeInCdata(text);
    case Place::kComment:
      return Skip("-->", text);
    case Place::kInstruction:
      return Skip("?>", text);
  }
}

void XmlCleaner::TakeInText(Text& text) {
  switch (text.rest().front()) {
    case '<':
      return TakeMark(text);
    case '&':
      return TakeReference(text);
    case ']':
      if (absl::StartsWith(text.rest(), kCdataEnd)) {
        return text.Replace(kCdataEnd.size(), "]]&gt;");
      }
      return text.Keep(1);
    default:
      return TakeSign(kPlainInText, text);
  }
}

// Takes the beginning of a tag or of something else, or a `<` that begins nothing.
void XmlCleaner::TakeMark(Text& text) {
  const absl::string_view rest = text.rest();
  if (absl::StartsWith(rest, kCdataBegin)) {
    place_ = Place::kCdata;
    text.Replace(kCdataBegin.size(), "");
  } else if (absl::StartsWith(rest, "<!--")) {
    place_ = Place::kComment;
    text.Replace(4, "");
  } else if (absl::StartsWith(rest, "<?")) {
    const bool is_declaration = is_at_start_ && absl::StartsWith(rest, "<?xml ");
    place_ = is_declaration ? Place::kTag : Place::kInstruction;
    if (is_declaration) text.Keep(2);
  } else if (BeginsTag(rest)) {
    place_ = Place::kTag;
    text.Keep(1);
  } else {
    text.Replace(1, "&lt;");
  }
}

// Takes a reference, or an `&` that begins none.
void XmlCleaner::TakeReference(Text& text) {
  const size_t end = text.rest().substr(0, kLookahead).find(';');
  const absl::string_view name =
      end == absl::string_view::npos ? "" : text.rest().substr(1, end - 1);
  if (name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos") {
    return text.Keep(end + 1);
  }
  const std::optional<int64_t> code = CodeOf(name);
  if (!code) return text.Replace(1, "&amp;");
  text.KeepAllowed(*code, end + 1);
}

void XmlCleaner::TakeInTag(Text& text) {
  const char c = text.rest().front();
  if (c == '&') return TakeReference(text);
  if (c == '<' && quote_ != '\0') return text.Replace(1, "&lt;");
  if (c == '>' && quote_ == '\0') place_ = Place::kText;
  if (c == quote_) {
    quote_ = '\0';
  } else if (quote_ == '\0' && (c == '"' || c == '\'')) {
    quote_ = c;
  }
  TakeSign(place_ == Place::kTag ? kPlainInTag : kPlainInText, text);
}

// The parser takes quadratic time for CDATA, so it gets text.
void XmlCleaner::TakeInCdata(Text& text) {
  switch (text.rest().front()) {
    case '<':
      return text.Replace(1, "&lt;");
    case '>':
      return text.Replace(1, "&gt;");
    case '&':
      return text.Replace(1, "&amp;");
    case ']':
      if (!absl::StartsWith(text.rest(), kCdataEnd)) {
        return text.Replace(1, "&#93;");  // it may be before a `>` of text
      }
      place_ = Place::kText;
      return text.Replace(kCdataEnd.size(), "");
    default:
      return TakeSign(kPlainInCdata, text);
  }
}

void XmlCleaner::Skip(absl::string_view end, Text& text) {
  if (absl::StartsWith(text.rest(), end)) {
    place_ = Place::kText;
    return text.Replace(end.size(), "");
  }
  text.Replace(1, text.rest().front() == '\n' ? "\n" : "");
}

// Takes a character that means nothing here, and all plain ones that follow it.
void XmlCleaner::TakeSign(const std::array<bool, 256>& plain, Text& text) const {
  const auto first = Byte(text.rest().front());
  if (first >= 0x80 && is_utf8_) {
    absl::string_view after = text.rest();
    const int32_t character = TakeCharacter(after);
    text.KeepAllowed(character, text.rest().size() - after.size());
  } else {
    text.KeepAllowed(first, 1);
  }
  text.KeepPlain(plain);
}

}  // namespace content::transfer
