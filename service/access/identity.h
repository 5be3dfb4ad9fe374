#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace content::access {

/// Whether a certificate's URI or DNS name can be an identity: it has 1 to 1,024 bytes of printable
/// ASCII, and no `*`.
bool IsName(absl::string_view text);

/// Whether a CN can be one. It also has none of the characters that RFC 2253 escapes: , + " \ < > ;
bool IsCommonName(absl::string_view text);

/// Returns the identities that a certificate with these names gives to its owner, the most specific
/// first: the SPIFFE id, the DNS names in their order and in lower case, the CN of the subject (in
/// the form of RFC 2253). Left out are the SPIFFE id of a certificate with several URIs, which the
/// SPIFFE standard does not allow; a CN that is not the only one; and what is no name.
std::vector<std::string> CertificateIdentities(const std::vector<absl::string_view>& uris,
                                               const std::vector<absl::string_view>& dns_names,
                                               absl::string_view subject);

/// Returns an identity as logs may have it: instead of the subject of a token, who may be a person,
/// the beginning of its digest (16 hexadecimal digits). Nobody erases a person from a log.
std::string LoggedName(absl::string_view identity);

}  // namespace content::access
