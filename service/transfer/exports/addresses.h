#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// By which addresses comments find their articles.
namespace content::transfer {

/// Returns what tells pages of different articles apart: host and path, without scheme, "www.", a
/// slash at the end, a fragment, and what only counts visitors. Percent-encoding is undone. Begins
/// with `/` if the address is one from the root of a site.
std::string NormalAddress(absl::string_view address);

/// Returns the host of the address, as in NormalAddress. Empty if it has none.
std::string HostOf(absl::string_view address);

/// Returns the address of the page that an address shows in another way: `/low` for `/low/amp`, a
/// page for phones, for `/low/comment-page-2`, and for `/low/feed`. Otherwise `address`.
std::string AddressOfPage(absl::string_view address);

/// Finds the articles of pages. Keeps 16 bytes or so for each form of an address.
class AddressIndex {
 public:
  /// The first article of an address keeps it.
  void Add(absl::string_view address, uint32_t article);

  /// Finds an article by the page's whole address or, if one of the two has no host, by its path:
  /// some systems know nothing else. As below, a path must be that of one article.
  std::optional<uint32_t> Find(absl::string_view address) const;

  /// Finds an article by the page's path alone, on whatever host. A path that several articles have
  /// tells nothing, and neither does one that is only a query.
  std::optional<uint32_t> FindByPath(absl::string_view address) const;

  /// Returns whether several articles have the page's path.
  bool IsAmbiguous(absl::string_view address) const;

  /// Returns whether an article has the address or its path.
  bool HasPath(absl::string_view address) const;

  /// Returns whether the address has a host, and that is one of those of the articles.
  bool HasHost(absl::string_view address) const;

 private:
  static constexpr uint32_t kSeveral = UINT32_MAX;

  absl::flat_hash_map<uint64_t, uint32_t> by_address_;
  absl::flat_hash_map<uint64_t, uint32_t> by_path_;
  absl::flat_hash_set<uint64_t> hosts_;
};

/// A line of --map.
struct MappedAddress {
  std::string address;
  std::string article;  ///< Its name, `articles/{id}`.
};

/// Reads lines `ADDRESS articles/ID`, with blanks or a tab between them. Empty lines, and those
/// that begin with `#`, say nothing. INVALID_ARGUMENT, with the number of the line, for others.
absl::StatusOr<std::vector<MappedAddress>> ParseAddressMap(absl::string_view text);

}  // namespace content::transfer
