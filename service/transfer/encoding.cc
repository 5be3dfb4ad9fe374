#include "transfer/encoding.h"

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/icu.h"
#include "content/text.h"

namespace content::transfer {
namespace {

// Browsers look no further for a declaration.
constexpr size_t kBytesOfDeclaration = 1024;

// What browsers read, where a page declares a part of it (Encoding Standard).
constexpr std::pair<absl::string_view, absl::string_view> kSupersets[] = {
    {"ascii", "windows-1252"},
    {"us-ascii", "windows-1252"},
    {"latin1", "windows-1252"},
    {"iso-8859-1", "windows-1252"},
    {"iso8859-1", "windows-1252"},
    {"iso-8859-9", "windows-1254"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"x-gbk", "gb18030"},
    {"shift_jis", "windows-31j"},
    {"shift-jis", "windows-31j"},
    {"sjis", "windows-31j"},
    {"x-sjis", "windows-31j"},
    {"euc-kr", "windows-949"},
    {"ks_c_5601-1987", "windows-949"},
    {"tis-620", "windows-874"},
    {"iso-8859-11", "windows-874"},
};

std::string EncodingOfMark(absl::string_view content) {
  UErrorCode error = U_ZERO_ERROR;
  const char* const name = ucnv_detectUnicodeSignature(
      content.data(), static_cast<int32_t>(content.size()), nullptr, &error);
  const bool is_wide =
      name != nullptr && (absl::StartsWith(name, "UTF-16") || absl::StartsWith(name, "UTF-32"));
  return is_wide ? name : "";
}

// Returns the name that follows `charset=` or `encoding=` in the head of a page, perhaps in quotes.
std::string DeclaredEncoding(absl::string_view content) {
  const std::string lower_case = absl::AsciiStrToLower(content.substr(0, kBytesOfDeclaration));
  const absl::string_view head = lower_case;
  for (const absl::string_view sign : {"charset", "encoding"}) {
    for (size_t at = head.find(sign); at != absl::string_view::npos; at = head.find(sign, at + 1)) {
      absl::string_view rest = head.substr(at + sign.size());
      rest = absl::StripLeadingAsciiWhitespace(rest);
      if (!absl::ConsumePrefix(&rest, "=")) continue;
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n\"'"), rest.size()));
      const std::string name(rest.substr(0, rest.find_first_of(" \t\r\n\"';/>?")));
      const auto* const superset =
          std::find_if(std::begin(kSupersets), std::end(kSupersets),
                       [&name](const auto& candidate) { return candidate.first == name; });
      return superset == std::end(kSupersets) ? name : std::string(superset->second);
    }
  }
  return "";
}

// Returns whether a text may be in an encoding that changes the meaning of ASCII, as that of
// Japanese e-mail does.
bool HasEscapes(absl::string_view content) { return absl::StrContains(content, "\x1B$"); }

}  // namespace

std::string FindEncoding(absl::string_view content, bool is_html) {
  if (std::string encoding = EncodingOfMark(content); !encoding.empty()) return encoding;
  if (!is_html || (IsUtf8(content) && !HasEscapes(content))) return "";
  // What a browser can read up to here is not in UTF-16, whatever it says.
  std::string encoding = DeclaredEncoding(content);
  return absl::StartsWith(encoding, "utf") ? "" : encoding;
}

std::string BeginningInUtf8(absl::string_view head) {
  const std::string encoding = EncodingOfMark(head);
  if (encoding.empty()) return std::string(head);
  std::string decoded;
  icu::UnicodeString(head.data(), static_cast<int32_t>(head.size()), encoding.c_str())
      .toUTF8String(decoded);
  return decoded;
}

absl::StatusOr<std::string> Decode(absl::string_view content, const std::string& encoding) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(
      ucnv_open(encoding.c_str(), &error), &ucnv_close);
  if (U_FAILURE(error) && error != U_MEMORY_ALLOCATION_ERROR) {
    return absl::InvalidArgumentError(
        absl::StrCat("the encoding of the file, \"", OneLine(encoding), "\", is not known"));
  }
  CheckIcu(error, "ICU cannot convert texts");
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  CheckIcu(error, "ICU cannot convert texts");
  const icu::UnicodeString text(content.data(), static_cast<int32_t>(content.size()),
                                converter.get(), error);
  if (U_FAILURE(error) || text.isBogus()) {
    return absl::InvalidArgumentError(absl::StrCat("the file is not ", encoding, " text"));
  }
  std::string decoded;
  text.toUTF8String(decoded);
  return decoded;
}

}  // namespace content::transfer
