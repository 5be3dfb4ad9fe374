#include "transfer/ids.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "content/names.h"
#include "content/text.h"

namespace content::transfer {
namespace {

bool SaysSomething(absl::string_view part) {
  return !part.empty() && part != "." && part != ".." && part != "index";
}

absl::string_view WithoutExtension(absl::string_view part) {
  static constexpr std::array<absl::string_view, 6> kExtensions = {".html",  ".htm", ".php",
                                                                   ".xhtml", ".asp", ".aspx"};
  for (const absl::string_view extension : kExtensions) {
    if (absl::EndsWithIgnoreCase(part, extension)) {
      return part.substr(0, part.size() - extension.size());
    }
  }
  return part;
}

std::string IdOf(absl::string_view text, size_t max_length = kMaxArticleIdLength) {
  return IsArticleId(text) && text.size() <= max_length ? std::string(text)
                                                        : Slug(text, max_length);
}

}  // namespace

std::string PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() &&
                           absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                           absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (int byte = 0; is_escape && absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string IdFromAddress(absl::string_view address) {
  address = address.substr(0, address.find_first_of("?#"));
  if (const size_t scheme = address.find("://"); scheme != absl::string_view::npos) {
    const size_t path = address.find('/', scheme + 3);
    if (path == absl::string_view::npos) return "";
    address.remove_prefix(path);
  }
  if (absl::StrContains(address, "/:") || absl::StartsWith(address, ":")) return "";
  const std::string decoded = PercentDecoded(address);
  if (!IsUtf8(decoded)) return "";
  const std::vector<absl::string_view> parts = absl::StrSplit(decoded, '/');
  const auto part = std::find_if(parts.rbegin(), parts.rend(), [](absl::string_view candidate) {
    return SaysSomething(WithoutExtension(candidate));
  });
  return part == parts.rend() ? "" : IdOf(WithoutExtension(*part));
}

std::string IdFromName(absl::string_view name, absl::string_view ending) {
  if (ending.empty()) return IdOf(name);
  const std::string suffix = absl::StrCat("-", Slug(ending));
  if (suffix.size() >= kMaxArticleIdLength) return "";
  const std::string id = IdOf(name, kMaxArticleIdLength - suffix.size());
  return id.empty() ? "" : absl::StrCat(id, suffix);
}

}  // namespace content::transfer
