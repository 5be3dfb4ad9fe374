#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace content::access {

/// Returns the identities that a certificate with these names gives to its owner, the most specific
/// first: the SPIFFE id, the DNS names in their order and in lower case, the CN. Left out are the
/// SPIFFE id of a certificate with several URIs, which the SPIFFE standard does not allow; names
/// with a `*`; and names that are empty, longer than 1,024 bytes, or not printable ASCII.
std::vector<std::string> CertificateIdentities(const std::vector<absl::string_view>& uris,
                                               const std::vector<absl::string_view>& dns_names,
                                               absl::string_view common_name);

}  // namespace content::access
