#include "access/identity.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace content::access {
namespace {

// Errors quote names, and clients accept only 8 KiB of trailers.
constexpr size_t kMaxNameBytes = 1'024;

bool IsName(absl::string_view text) {
  const auto is_usable = [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '*';
  };
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), is_usable);
}

}  // namespace

std::vector<std::string> CertificateIdentities(const std::vector<absl::string_view>& uris,
                                               const std::vector<absl::string_view>& dns_names,
                                               absl::string_view common_name) {
  std::vector<std::string> identities;
  if (uris.size() == 1 && absl::StartsWith(uris[0], "spiffe://") && IsName(uris[0])) {
    identities.emplace_back(uris[0]);
  }
  for (absl::string_view name : dns_names) {
    if (IsName(name)) identities.push_back(absl::StrCat("dns:", absl::AsciiStrToLower(name)));
  }
  if (IsName(common_name)) identities.push_back(absl::StrCat("cn:", common_name));
  return identities;
}

}  // namespace content::access
