#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// Page tokens (https://google.aip.dev/158) say where the next page begins. A token is bound to its
// query, so that a damaged token, or one of another query, is rejected. This guards against
// mistakes, not against forgery: a forged key shows nothing that its query would not.
namespace content {

/// Description of a page token that does not belong to the query.
inline constexpr absl::string_view kPageTokenRule = "is not a next_page_token of this very query";

/// Returns the token for the page after `key`. `query` holds all fields of the request that the
/// token is bound to. The token is safe in a URL.
std::string MakePageToken(absl::string_view query, absl::string_view key);

/// Returns the key in `token`; nullopt if MakePageToken did not make it for this `query`. The key
/// of an empty token is empty, which stands for the first page.
std::optional<std::string> ReadPageToken(absl::string_view query, absl::string_view token);

}  // namespace content
