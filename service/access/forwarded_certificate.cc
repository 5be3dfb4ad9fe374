#include "access/forwarded_certificate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace content::access {
namespace {

// Whether an odd number of backslashes stands before the character.
bool IsEscaped(absl::string_view text, size_t at) {
  size_t backslashes = 0;
  while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

struct Pair {
  absl::string_view key;
  absl::string_view value;
};

// Removes the value at the beginning of `rest`; quotes around it are not part of it. nullopt if the
// closing one is missing.
std::optional<absl::string_view> TakeValue(absl::string_view& rest) {
  if (!absl::ConsumePrefix(&rest, "\"")) {
    const size_t end = std::min(rest.find_first_of(";,"), rest.size());
    return std::exchange(rest, rest.substr(end)).substr(0, end);
  }
  size_t end = rest.find('"');
  while (end != absl::string_view::npos && IsEscaped(rest, end)) end = rest.find('"', end + 1);
  if (end == absl::string_view::npos) return std::nullopt;
  return std::exchange(rest, rest.substr(end + 1)).substr(0, end);
}

// The keys that Envoy writes.
constexpr std::array<absl::string_view, 7> kKeys = {"By",      "Hash", "Cert", "Chain",
                                                    "Subject", "URI",  "DNS"};

bool IsKnown(absl::string_view key) {
  const auto is_key = [key](absl::string_view known) { return absl::EqualsIgnoreCase(key, known); };
  return std::any_of(kKeys.begin(), kKeys.end(), is_key);
}

// KEY=VALUE;KEY="VALUE". nullopt if it is not like this, or a comma begins another element.
std::optional<std::vector<Pair>> ReadPairs(absl::string_view rest) {
  std::vector<Pair> pairs;
  do {
    const size_t equals = rest.find('=');
    if (equals == absl::string_view::npos) return std::nullopt;
    const absl::string_view key = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    const std::optional<absl::string_view> value = TakeValue(rest);
    if (!value || !IsKnown(key)) return std::nullopt;
    pairs.push_back({key, *value});
  } while (absl::ConsumePrefix(&rest, ";"));
  if (!rest.empty()) return std::nullopt;
  return pairs;
}

}  // namespace

ForwardedCertificate ParseForwardedCertificate(absl::string_view header) {
  const auto pairs = ReadPairs(absl::StripAsciiWhitespace(header));
  if (!pairs) return {};
  ForwardedCertificate certificate;
  bool has_subject = false;
  for (const auto& [key, value] : *pairs) {
    if (absl::EqualsIgnoreCase(key, "URI")) certificate.uris.emplace_back(value);
    if (absl::EqualsIgnoreCase(key, "DNS")) certificate.dns_names.emplace_back(value);
    if (absl::EqualsIgnoreCase(key, "Subject")) {
      if (std::exchange(has_subject, true)) return {};
      certificate.subject = std::string(value);
    }
  }
  return certificate;
}

}  // namespace content::access
