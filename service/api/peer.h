#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "base/call.h"

namespace content::api {

/// Returns what the connections of one client have in common, of its address `peer` as gRPC gives
/// it (`ipv4:192.0.2.1:40000`): the host without the port; of IPv6, the network of 64 bits, within
/// which a host may have as many addresses as it likes.
std::string OriginOf(absl::string_view peer);

/// Returns the account of a connection from `peer` without an identity.
Account AccountOfPeer(absl::string_view peer);

}  // namespace content::api
