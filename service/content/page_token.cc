#include "content/page_token.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"

namespace content {
namespace {

constexpr size_t kSealLength = 8;

std::string Seal(absl::string_view query, absl::string_view key) {
  return Digest({query, key}).substr(0, kSealLength);
}

}  // namespace

std::string MakePageToken(absl::string_view query, absl::string_view key) {
  return absl::WebSafeBase64Escape(absl::StrCat(Seal(query, key), key));
}

std::optional<std::string> ReadPageToken(absl::string_view query, absl::string_view token) {
  if (token.empty()) return "";
  std::string sealed;
  if (absl::WebSafeBase64Unescape(token, &sealed) && sealed.size() > kSealLength) {
    const std::string key = sealed.substr(kSealLength);
    // Compared as text, because base64 has several spellings of the same bytes.
    if (MakePageToken(query, key) == token) return key;
  }
  return std::nullopt;
}

}  // namespace content
