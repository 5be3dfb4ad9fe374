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

/// Reads the header `x-forwarded-client-cert`, as Envoy writes it. Only its last element counts:
/// the nearest proxy has added it, about the peer whose certificate it verified itself, and
/// whatever comes before may have been written by that peer. Names nobody if the element is
/// malformed.
ForwardedCertificate ParseForwardedCertificate(absl::string_view header);

}  // namespace content::access
