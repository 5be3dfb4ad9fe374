#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// Page tokens (https://google.aip.dev/158). A token contains the key after which the next page
// begins and a digest of the query that it belongs to, so a damaged token, or the token of another
// query, is refused. This guards against mistakes, not forgery: a forged token reveals nothing that
// its query would not show.
namespace content {

/// Describes, after the path of its field, a token that does not belong to the query.
inline constexpr absl::string_view kPageTokenRule = "is not a next_page_token of this query";

/// Returns the token for the page after `key`. `query` must represent every field of the request to
/// which the token is bound. The token is safe in a URL.
std::string MakePageToken(absl::string_view query, absl::string_view key);

/// Returns the key in `token`; nullopt if MakePageToken did not make it for this `query`. An empty
/// token, which asks for the first page, has an empty key.
std::optional<std::string> ReadPageToken(absl::string_view query, absl::string_view token);

}  // namespace content
