#pragma once

#include <vector>

#include "absl/strings/string_view.h"

namespace content::access {

/// What a call's connection and metadata say about its caller. Whoever makes one keeps the text
/// alive.
struct Credentials {
  /// The names in the client's certificate, which TLS has verified: its subject alternative names
  /// of type URI and DNS, and its subject as in RFC 2253. Empty without a certificate.
  std::vector<absl::string_view> uris = {};
  std::vector<absl::string_view> dns_names = {};
  absl::string_view subject = {};
  /// The header `authorization`; empty without one.
  absl::string_view authorization = {};
  /// The header `x-forwarded-client-cert`; empty without one. If a call has several, the last. This
  /// and the next matter only if the gate believes_local_peers().
  absl::string_view forwarded_certificate = {};
  /// Whether the peer is on this machine: it came by loopback or by a unix socket.
  bool peer_is_local = false;
};

}  // namespace content::access
