#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "access/credentials.h"

namespace content::access {

/// Returns the identities that a certificate with these names gives its owner, the most specific
/// first: the SPIFFE id, then the DNS names in their order and in lower case, then the CN. Left out
/// are the SPIFFE id of a certificate with several URIs, which the SPIFFE standard does not allow;
/// names with a `*`, which are patterns; and names that are empty, longer than 1,024 bytes, not
/// UTF-8, or have control characters.
std::vector<std::string> CertificateIdentities(const std::vector<absl::string_view>& uris,
                                               const std::vector<absl::string_view>& dns_names,
                                               absl::string_view common_name);

}  // namespace content::access
