#include "transfer/web_address.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace content::transfer {
namespace {

bool IsControlOrSpace(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7F'; }

// As browsers do, which take "java\nscript:" for a scheme. Inner spaces stay.
std::string WithoutIgnoredCharacters(absl::string_view text) {
  while (!text.empty() && IsControlOrSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsControlOrSpace(text.back())) text.remove_suffix(1);
  std::string address(text);
  address.erase(std::remove_if(address.begin(), address.end(),
                               [](char c) { return c != ' ' && IsControlOrSpace(c); }),
                address.end());
  return address;
}

// Encodes the same characters as cmark, so that what it renders is encoded no further.
std::string PercentEncoded(absl::string_view address) {
  constexpr absl::string_view kKept = "!#$%&'()*+,-./:;=?@_~";
  std::string encoded;
  for (const char c : address) {
    if (absl::ascii_isalnum(c) || absl::StrContains(kKept, c)) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// Returns what stands before a colon at the beginning, where a scheme would; nothing if the address
// is relative. What is no scheme by the book may be one for a browser.
absl::string_view Scheme(absl::string_view address) {
  const size_t end = address.find_first_of(":/?#");
  if (end == absl::string_view::npos || address[end] != ':') return "";
  return address.substr(0, end);
}

std::string Address(absl::string_view text, std::initializer_list<absl::string_view> schemes) {
  std::string address = WithoutIgnoredCharacters(text);
  if (address.empty() || address[0] == ':') return "";
  if (absl::StartsWith(address, "//")) address.insert(0, "https:");
  const absl::string_view scheme = Scheme(address);
  const bool is_allowed = std::any_of(
      schemes.begin(), schemes.end(),
      [&scheme](absl::string_view allowed) { return absl::EqualsIgnoreCase(scheme, allowed); });
  if (!scheme.empty() && !is_allowed) return "";
  address = PercentEncoded(address);
  return address.size() <= kMaxAddressBytes ? address : "";
}

}  // namespace

std::string LinkAddress(absl::string_view text) {
  return Address(text, {"http", "https", "mailto", "tel"});
}

std::string ImageAddress(absl::string_view text) { return Address(text, {"http", "https"}); }

bool IsWebAddress(absl::string_view address) {
  return absl::StartsWithIgnoreCase(address, "http://") ||
         absl::StartsWithIgnoreCase(address, "https://");
}

}  // namespace content::transfer
