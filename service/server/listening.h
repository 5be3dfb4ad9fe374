#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/file_descriptor.h"
#include "server/socket_file.h"

namespace content::server {

/// Sockets that clients can connect to.
struct Listening {
  /// At least one, non-blocking.
  std::vector<FileDescriptor> sockets;
  /// The address as it was given, with the actual port.
  std::string address;
  /// Whether only this machine can reach them: each is bound to a loopback address, or is a unix
  /// socket.
  bool is_local = false;
  /// The file of a unix socket. To be kept as long as the socket is.
  std::optional<SocketFile> file = std::nullopt;
};

/// Listens on `HOST:PORT`, with IPv6 addresses in brackets. A name stands for all of its addresses,
/// of which those that this machine does not have are left out; 0.0.0.0, [::] and no host for all
/// addresses of the machine, of either family. Port 0 picks a free port, the same for all.
/// Or listens on `unix:PATH`, a unix socket, to which whoever may write to its file can connect:
/// the umask decides, and the rights of its directory. UNAVAILABLE, with the reason, if that is not
/// possible, or if somebody listens on one of them.
absl::StatusOr<Listening> Listen(const std::string& address);

}  // namespace content::server
