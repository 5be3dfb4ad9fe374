#include "transfer/exports/addresses.h"

#include <algorithm>
#include <array>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "content/names.h"
#include "content/text.h"
#include "transfer/ids.h"

namespace content::transfer {
namespace {

// Parts of a query that do not choose the page.
bool SaysNothing(absl::string_view parameter) {
  static constexpr std::array<absl::string_view, 12> kNames = {
      "amp", "cpage", "fbclid",     "gclid",         "m",          "preview",
      "ref", "share", "preview_id", "preview_nonce", "replytocom", "showComment"};
  const absl::string_view name = parameter.substr(0, parameter.find('='));
  return name.empty() || absl::StartsWith(name, "utm_") ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string QueryOf(absl::string_view query) {
  std::vector<absl::string_view> parameters = absl::StrSplit(query, '&');
  std::erase_if(parameters, SaysNothing);
  return parameters.empty() ? "" : absl::StrCat("?", absl::StrJoin(parameters, "&"));
}

struct PageAddress {
  std::string host;
  std::string path;  // with the query
};

// Takes the host off an address, with what is before it. Without a scheme, a name with a dot in
// front of a path is one.
absl::string_view ConsumeHost(absl::string_view& address) {
  bool has_host = absl::ConsumePrefix(&address, "//");
  if (const size_t scheme = address.find("://");
      scheme != absl::string_view::npos && scheme < address.find_first_of("/?")) {
    address.remove_prefix(scheme + 3);
    has_host = true;
  }
  const size_t end = std::min(address.find_first_of("/?"), address.size());
  const absl::string_view host = address.substr(0, end);
  has_host = has_host || (end < address.size() && absl::StrContains(host, '.'));
  if (!has_host) return "";
  address.remove_prefix(end);
  return host;
}

// Returns what tells the site: all countries have the same pages of Blogger.
std::string NormalHost(absl::string_view host) {
  const std::string lower = absl::AsciiStrToLower(host);
  absl::string_view rest = absl::StripPrefix(lower, "www.");
  if (!absl::ConsumeSuffix(&rest, ":80")) absl::ConsumeSuffix(&rest, ":443");
  constexpr absl::string_view kBlogger = ".blogspot.";
  const size_t blogger = rest.find(kBlogger);
  if (blogger == absl::string_view::npos || blogger == 0) return std::string(rest);
  return absl::StrCat(rest.substr(0, blogger), kBlogger, "com");
}

PageAddress SplitAddress(absl::string_view address) {
  address = absl::StripAsciiWhitespace(address);
  address = address.substr(0, address.find('#'));
  PageAddress page;
  page.host = NormalHost(ConsumeHost(address));
  const size_t query = std::min(address.find('?'), address.size());
  page.path = PercentDecoded(address.substr(0, query));
  const size_t shortest = page.host.empty() ? 1 : 0;
  while (page.path.size() > shortest && page.path.back() == '/') page.path.pop_back();
  if (query < address.size()) absl::StrAppend(&page.path, QueryOf(address.substr(query + 1)));
  return page;
}

// Returns whether a path says which page it is, whatever the host.
bool IsTelling(absl::string_view path) {
  absl::ConsumePrefix(&path, "/");
  return !path.empty() && path.front() != '?';
}

// "amp", "feed", "comment-page-2".
bool IsNameOfView(absl::string_view name) {
  if (absl::ConsumePrefix(&name, "comment-page-")) {
    return !name.empty() && name.find_first_not_of("0123456789") == absl::string_view::npos;
  }
  return name == "amp" || name == "feed";
}

uint64_t Fingerprint(absl::string_view text) { return absl::HashOf(text); }

uint64_t Fingerprint(const PageAddress& page) {
  return Fingerprint(absl::StrCat(page.host, page.path));
}

std::optional<uint32_t> FindIn(const absl::flat_hash_map<uint64_t, uint32_t>& articles,
                               uint64_t fingerprint) {
  const auto found = articles.find(fingerprint);
  return found == articles.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::string NormalAddress(absl::string_view address) {
  const PageAddress page = SplitAddress(address);
  return absl::StrCat(page.host, page.path);
}

std::string HostOf(absl::string_view address) { return SplitAddress(address).host; }

std::string AddressOfPage(absl::string_view address) {
  absl::string_view path = absl::StripAsciiWhitespace(address);
  path = path.substr(0, path.find_first_of("?#"));
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  const size_t slash = path.rfind('/');
  const bool is_view = slash != absl::string_view::npos && IsNameOfView(path.substr(slash + 1));
  return std::string(is_view ? path.substr(0, slash + 1) : address);
}

void AddressIndex::Add(absl::string_view address, uint32_t article) {
  const PageAddress page = SplitAddress(address);
  if (page.host.empty() && page.path.empty()) return;
  by_address_.try_emplace(Fingerprint(page), article);
  if (!page.host.empty()) hosts_.insert(Fingerprint(page.host));
  if (!IsTelling(page.path)) return;
  const auto [found, is_new] = by_path_.try_emplace(Fingerprint(page.path), article);
  if (!is_new && found->second != article) found->second = kSeveral;
}

std::optional<uint32_t> AddressIndex::Find(absl::string_view address) const {
  const PageAddress page = SplitAddress(address);
  if (const auto found = FindIn(by_address_, Fingerprint(page))) return found;
  // The whole of an address without a host is its path.
  const bool is_one_without_host =
      page.host.empty() || by_address_.contains(Fingerprint(page.path));
  return is_one_without_host ? FindByPath(address) : std::nullopt;
}

std::optional<uint32_t> AddressIndex::FindByPath(absl::string_view address) const {
  const PageAddress page = SplitAddress(address);
  if (!IsTelling(page.path)) return std::nullopt;
  const auto found = FindIn(by_path_, Fingerprint(page.path));
  return found == kSeveral ? std::nullopt : found;
}

bool AddressIndex::IsAmbiguous(absl::string_view address) const {
  const PageAddress page = SplitAddress(address);
  return IsTelling(page.path) && FindIn(by_path_, Fingerprint(page.path)) == kSeveral;
}

bool AddressIndex::HasPath(absl::string_view address) const {
  const PageAddress page = SplitAddress(address);
  return by_address_.contains(Fingerprint(page)) ||
         (IsTelling(page.path) && by_path_.contains(Fingerprint(page.path)));
}

bool AddressIndex::HasHost(absl::string_view address) const {
  const std::string host = HostOf(address);
  return !host.empty() && hosts_.contains(Fingerprint(host));
}

absl::StatusOr<std::vector<MappedAddress>> ParseAddressMap(absl::string_view text) {
  std::vector<MappedAddress> lines;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const size_t gap = std::min(line.find_last_of(" \t"), line.size() - 1);
    MappedAddress mapped{.address = std::string(absl::StripAsciiWhitespace(line.substr(0, gap))),
                         .article = std::string(line.substr(gap + 1))};
    if (mapped.address.empty() || !ParseArticleName(mapped.article)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": is not ADDRESS articles/ID"));
    }
    lines.push_back(std::move(mapped));
  }
  return lines;
}

}  // namespace content::transfer
