#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace content::access {

/// What is said of a certificate that a proxy has verified.
struct ForwardedCertificate {
  std::vector<std::string> uris = {};
  std::vector<std::string> dns_names = {};
  /// As in RFC 2253: CN=Ada,OU=Web.
  std::string subject = {};
};

/// Reads the header `x-forwarded-client-cert` of an Envoy that is set to SANITIZE_SET, which writes
/// one element: about the peer whose certificate it verified. Names nobody if there are more, a key
/// is unknown, there are two subjects, or the header is malformed.
///
/// Envoy does not quote URIs and DNS names. One with a semicolon could pass for other names, so the
/// CA must not sign any.
ForwardedCertificate ParseForwardedCertificate(absl::string_view header);

}  // namespace content::access
