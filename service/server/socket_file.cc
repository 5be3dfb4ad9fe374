#include "server/socket_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace content::server {
namespace {

bool IsListening(const std::string& path) {
  const FileDescriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return connect(client.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
             0 ||
         errno == EAGAIN;  // too many wait to be accepted
}

}  // namespace

absl::StatusOr<SocketFile> SocketFile::Claim(const std::string& path) {
  const std::string lock_path = absl::StrCat(path, ".lock");
  FileDescriptor lock(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) {
    return absl::UnavailableError(
        absl::StrCat(lock_path, ": ", std::generic_category().message(errno)));
  }
  if (flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
    return absl::UnavailableError("another server listens there");
  }
  struct stat file {};
  if (lstat(path.c_str(), &file) == 0) {
    if (!S_ISSOCK(file.st_mode)) return absl::UnavailableError("something else is there");
    if (IsListening(path)) return absl::UnavailableError("another program listens there");
    unlink(path.c_str());
  }
  return SocketFile(path, std::move(lock));
}

SocketFile::~SocketFile() {
  if (lock_) unlink(path_.c_str());
}

}  // namespace content::server
