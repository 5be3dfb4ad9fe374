#include "access/identity.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/digest.h"

namespace content::access {
namespace {

// Errors quote names, and clients accept only 8 KiB of trailers.
constexpr size_t kMaxNameBytes = 1'024;

// The parts of a subject as in RFC 2253: CN=Ada,OU=Web+L=Lisbon. Escapes are left as they are.
std::vector<absl::string_view> SplitSubject(absl::string_view subject) {
  std::vector<absl::string_view> parts;
  size_t begin = 0;
  for (size_t at = 0; at < subject.size(); ++at) {
    if (subject[at] == '\\') {
      ++at;
    } else if (subject[at] == ',' || subject[at] == '+') {
      parts.push_back(subject.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  parts.push_back(subject.substr(begin));
  return parts;
}

// Returns the only CN, with its escapes. Empty if there is none or more than one.
absl::string_view CommonName(absl::string_view subject) {
  // The form of old, /O=Example/CN=Ada, escapes nothing, so it may say what it likes.
  if (subject.empty() || absl::StartsWith(subject, "/")) return "";
  std::optional<absl::string_view> name;
  for (absl::string_view part : SplitSubject(subject)) {
    if (!absl::ConsumePrefix(&part, "CN=")) continue;
    if (name) return "";
    name = part;
  }
  return name.value_or("");
}

}  // namespace

bool IsName(absl::string_view text) {
  const auto is_usable = [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '*';
  };
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), is_usable);
}

bool IsCommonName(absl::string_view text) {
  return IsName(text) && text.find_first_of(R"(,+"\<>;)") == absl::string_view::npos;
}

std::vector<std::string> CertificateIdentities(const std::vector<absl::string_view>& uris,
                                               const std::vector<absl::string_view>& dns_names,
                                               absl::string_view subject) {
  std::vector<std::string> identities;
  if (uris.size() == 1 && absl::StartsWith(uris[0], "spiffe://") && IsName(uris[0])) {
    identities.emplace_back(uris[0]);
  }
  for (absl::string_view name : dns_names) {
    if (IsName(name)) identities.push_back(absl::StrCat("dns:", absl::AsciiStrToLower(name)));
  }
  const absl::string_view common_name = CommonName(subject);
  if (IsCommonName(common_name)) identities.push_back(absl::StrCat("cn:", common_name));
  return identities;
}

std::string LoggedName(absl::string_view identity) {
  constexpr char kToken[] = "jwt:";
  constexpr size_t kDigestBytes = 8;
  absl::string_view subject = identity;
  if (!absl::ConsumePrefix(&subject, kToken)) return std::string(identity);
  return absl::StrCat(kToken, absl::BytesToHexString(Digest({subject}).substr(0, kDigestBytes)));
}

}  // namespace content::access
