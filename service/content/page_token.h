#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// Page tokens (https://google.aip.dev/158): where the next page begins, bound to the query that the
// token belongs to, so that one that was bent or belongs to another query is noticed. This guards
// against mistakes, not against forgery: a forged key shows nothing that its query would not.
namespace content {

/// What is wrong with a token that is none of this query's.
inline constexpr absl::string_view kPageTokenRule = "is not a next_page_token of this very query";

/// Token for the page after `key`. `query` stands for every field of the request that the token is
/// bound to. Safe in a URL.
std::string MakePageToken(absl::string_view query, absl::string_view key);

/// The key in `token`; nothing if MakePageToken did not make it for this `query`. An empty token
/// has an empty key: the first page.
std::optional<std::string> ReadPageToken(absl::string_view query, absl::string_view token);

}  // namespace content
