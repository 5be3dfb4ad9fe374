#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/listening.h"

// gRPC does not tell how many connections it has, so the process's sockets are counted.
namespace content::server {

/// Returns what the local ends of all connections to `listening` have in common: their port, or the
/// path of the unix socket.
std::string LocalEndOf(const Listening& listening);

/// The file descriptors of this process.
using OpenFiles = std::vector<int>;

/// Returns the descriptors that are open; nullopt if the process may not see them. Needs a
/// descriptor for itself, which it opens once and keeps: so it works when there is no other left.
/// Thread-safe.
std::optional<OpenFiles> ListOpenFiles();

/// Returns the number of connections among `files` that have one of these local ends.
size_t CountConnections(const OpenFiles& files, const std::set<std::string>& ends);

}  // namespace content::server
