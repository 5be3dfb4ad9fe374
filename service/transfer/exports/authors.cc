#include "transfer/exports/authors.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "content/rules.h"
#include "content/text.h"

namespace content::transfer {
namespace {

constexpr size_t kIdBytes = 16;
constexpr absl::string_view kNobody = "Anonymous";

bool IsMailAddress(absl::string_view text) {
  return absl::StrContains(text, '@') && FindWhiteSpace(text) == text.size();
}

// Returns the first 12 bits of the address's digest.
std::string SomeBitsOf(absl::string_view address) {
  const std::string digest = Digest({absl::AsciiStrToLower(address)});
  return absl::BytesToHexString(digest.substr(0, 2)).substr(0, 3);
}

std::string DigestOf(absl::string_view source, absl::string_view name, absl::string_view key) {
  if (key.empty()) return Digest({source, "name", name});
  if (IsMailAddress(key)) return Digest({source, "address", name, SomeBitsOf(key)});
  return Digest({source, "key", key});
}

}  // namespace

std::string AuthorId(absl::string_view source, absl::string_view name, absl::string_view key) {
  key = TrimWhiteSpace(key);
  return absl::StrCat("import-",
                      absl::BytesToHexString(DigestOf(source, name, key).substr(0, kIdBytes)));
}

std::string AuthorName(absl::string_view name) {
  const std::string line = OneLine(name);
  if (!HasVisibleCharacter(line) || IsMailAddress(line)) return std::string(kNobody);
  return OneLine(FirstCharacters(line, kMaxNameCharacters));
}

}  // namespace content::transfer
