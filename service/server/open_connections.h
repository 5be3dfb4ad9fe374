#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "server/listening.h"

// gRPC does not tell how many connections it has, so the process's sockets are counted.
namespace content::server {

/// Returns what the local ends of all connections to `listening` have in common: their port, or the
/// path of the unix socket.
std::string LocalEndOf(const Listening& listening);

/// Returns the number of open connections of this process that have one of these local ends. 0 if
/// the process may not see its own files.
size_t CountConnections(const std::set<std::string>& ends);

}  // namespace content::server
