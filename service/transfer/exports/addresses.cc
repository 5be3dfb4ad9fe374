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
  static constexpr std::array<absl::string_view, 7> kNames = {
      "fbclid", "gclid", "m", "ref", "replytocom", "share", "showComment"};
  const absl::string_view name = parameter.substr(0, parameter.find('='));
  return name.empty() || absl::StartsWith(name, "utm_") ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string QueryOf(absl::string_view query) {
  std::vector<absl::string_view> parameters = absl::StrSplit(query, '&');
  std::erase_if(parameters, SaysNothing);
  return parameters.empty() ? "" : absl::StrCat("?", absl::StrJoin(parameters, "&"));
}

// Returns what follows the host.
absl::string_view PathOf(absl::string_view normal) {
  return normal.substr(std::min(normal.find_first_of("/?"), normal.size()));
}

uint64_t Fingerprint(absl::string_view text) { return absl::HashOf(text); }

}  // namespace

std::string NormalAddress(absl::string_view address) {
  address = absl::StripAsciiWhitespace(address);
  address = address.substr(0, address.find('#'));
  bool is_absolute = false;
  if (const size_t scheme = address.find("://");
      scheme != absl::string_view::npos && scheme < address.find_first_of("/?")) {
    address.remove_prefix(scheme + 3);
    is_absolute = true;
  } else if (absl::ConsumePrefix(&address, "//")) {
    is_absolute = true;
  }
  std::string normal;
  if (is_absolute) {
    const size_t end = std::min(address.find_first_of("/?"), address.size());
    normal = absl::AsciiStrToLower(address.substr(0, end));
    normal = std::string(absl::StripPrefix(normal, "www."));
    address.remove_prefix(end);
  }
  const size_t query = std::min(address.find('?'), address.size());
  absl::StrAppend(&normal, PercentDecoded(address.substr(0, query)));
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  if (query < address.size()) absl::StrAppend(&normal, QueryOf(address.substr(query + 1)));
  return normal;
}

void AddressIndex::Add(absl::string_view address, uint32_t article) {
  const std::string normal = NormalAddress(address);
  if (normal.empty()) return;
  by_address_.try_emplace(Fingerprint(normal), article);
  const absl::string_view path = PathOf(normal);
  if (path.size() <= 1) return;
  const auto [found, is_new] = by_path_.try_emplace(Fingerprint(path), article);
  if (!is_new && found->second != article) found->second = kSeveral;
}

std::optional<uint32_t> AddressIndex::Find(absl::string_view address) const {
  const std::string normal = NormalAddress(address);
  if (normal.empty()) return std::nullopt;
  if (const auto found = by_address_.find(Fingerprint(normal)); found != by_address_.end()) {
    return found->second;
  }
  const auto found = by_path_.find(Fingerprint(PathOf(normal)));
  if (found == by_path_.end() || found->second == kSeveral) return std::nullopt;
  return found->second;
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
