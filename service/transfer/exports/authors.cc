#include "transfer/exports/authors.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "content/rules.h"
#include "content/text.h"
#include "transfer/author_name.h"

namespace content::transfer {
namespace {

constexpr size_t kIdBytes = 16;
constexpr absl::string_view kNobody = "Anonymous";

// Who guesses an address could find out by its digest whether it is the author's.
bool MayBeEmailAddress(absl::string_view key) { return absl::StrContains(key, '@'); }

std::string DigestOf(absl::string_view source, absl::string_view name, absl::string_view key) {
  if (key.empty() || MayBeEmailAddress(key)) return Digest({source, "name", name});
  return Digest({source, "key", key});
}

bool IsIpAddress(const std::string& text) {
  in6_addr bytes;
  return inet_pton(AF_INET, text.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &bytes) == 1;
}

// Returns whether a name is an address even without a domain, such as "ada@localhost".
bool IsMailbox(absl::string_view name) {
  const size_t at = name.find('@');
  return at != absl::string_view::npos && at > 0 && FindWhiteSpace(name) == name.size();
}

}  // namespace

std::string AuthorId(absl::string_view source, absl::string_view name, absl::string_view key) {
  key = TrimWhiteSpace(key);
  return absl::StrCat("import-",
                      absl::BytesToHexString(DigestOf(source, name, key).substr(0, kIdBytes)));
}

std::string AuthorName(absl::string_view name) {
  const std::string line = OneLine(WithoutEmailAddresses(name));
  const bool is_name = HasVisibleCharacter(line) && !IsMailbox(line) && !IsIpAddress(line);
  if (!is_name) return std::string(kNobody);
  const absl::string_view first = FirstCharacters(line, kMaxNameCharacters);
  return first.size() == line.size() ? line : OneLine(first);
}

}  // namespace content::transfer
