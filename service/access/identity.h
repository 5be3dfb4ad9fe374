#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace content::access {

/// Returns the identities that a certificate with these names gives to its owner, the most specific
/// first: the SPIFFE id, the DNS names in their order and in lower case, the CN of the subject (in
/// the form of RFC 2253). Left out are the SPIFFE id of a certificate with several URIs, which the
/// SPIFFE standard does not allow; a CN that is not the only one, or has escapes; names with a `*`;
/// and names that are empty, longer than 1,024 bytes, or not printable ASCII.
std::vector<std::string> CertificateIdentities(const std::vector<absl::string_view>& uris,
                                               const std::vector<absl::string_view>& dns_names,
                                               absl::string_view subject);

}  // namespace content::access
