#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "server/file_descriptor.h"

namespace content::server {

/// A path that belongs to one server's unix socket. Other servers are kept away by a lock on the
/// file PATH.lock beside it, which stays. Move-only.
class SocketFile {
 public:
  /// Makes room for a socket at `path`: removes the one that a killed server left. UNAVAILABLE if
  /// the path belongs to another server, another program listens there, or something else than a
  /// socket is there.
  static absl::StatusOr<SocketFile> Claim(const std::string& path);

  SocketFile(SocketFile&& other) noexcept = default;

  SocketFile& operator=(SocketFile&& other) noexcept {
    SocketFile replaced(std::move(other));
    std::swap(path_, replaced.path_);
    std::swap(lock_, replaced.lock_);
    return *this;
  }

  /// Removes the socket, if there is one.
  ~SocketFile();

  const std::string& path() const { return path_; }

 private:
  SocketFile(std::string path, FileDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  FileDescriptor lock_;  // none once this object was moved from
};

}  // namespace content::server
