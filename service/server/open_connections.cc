#include "server/open_connections.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <mutex>

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

std::optional<OpenFiles> ListOpenFiles() {
  static std::mutex& mutex = *new std::mutex;
  static DIR* directory = nullptr;
  const std::lock_guard lock(mutex);
  if (directory == nullptr) directory = opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  OpenFiles files;
  rewinddir(directory);
  while (const dirent* const entry = readdir(directory)) {
    int file = -1;
    if (absl::SimpleAtoi(entry->d_name, &file)) files.push_back(file);
  }
  return files;
}

size_t CountConnections(const OpenFiles& files, const std::set<std::string>& ends) {
  return static_cast<size_t>(std::count_if(files.begin(), files.end(), [&](int file) {
    return ends.contains(LocalEndOf(file)) && !IsListener(file);
  }));
}

}  // namespace content::server
