#include "server/open_connections.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace content::server {
namespace {

constexpr size_t kUnixPrefixSize = sizeof "unix:" - 1;

bool IsListener(int socket) {
  int is_listener = 0;
  socklen_t size = sizeof is_listener;
  return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &is_listener, &size) != 0 ||
         is_listener != 0;
}

// Empty if the file is no socket of a kind that is listened on.
std::string LocalEndOf(int file) {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un file;
  } address{};
  socklen_t size = sizeof address;
  if (getsockname(file, &address.any, &size) != 0) return "";
  switch (address.any.sa_family) {
    case AF_INET:
      return absl::StrCat(ntohs(address.v4.sin_port));
    case AF_INET6:
      return absl::StrCat(ntohs(address.v6.sin6_port));
    case AF_UNIX:
      return size > offsetof(sockaddr_un, sun_path) ? address.file.sun_path : "";
    default:
      return "";
  }
}

}  // namespace

std::string LocalEndOf(const Listening& listening) {
  return listening.file ? listening.address.substr(kUnixPrefixSize)
                        : listening.address.substr(listening.address.rfind(':') + 1);
}

size_t CountConnections(const std::set<std::string>& ends) {
  size_t count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    int file = -1;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &file)) continue;
    if (ends.contains(LocalEndOf(file)) && !IsListener(file)) ++count;
  }
  return count;
}

}  // namespace content::server
