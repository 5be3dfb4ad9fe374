#include "service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "telemetry/log.h"

namespace content {
namespace {

constexpr char kVariable[] = "NOTIFY_SOCKET";

}  // namespace

ServiceManager::ServiceManager() {
  const char* const socket = std::getenv(kVariable);
  if (socket == nullptr) return;
  socket_ = socket;
  unsetenv(kVariable);
}

void ServiceManager::Tell(absl::string_view state) const {
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
  socket_.copy(address.sun_path, socket_.size());
  // Linux's abstract names begin with a zero byte, which a variable cannot hold.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int from = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const ssize_t sent = sendto(from, state.data(), state.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), length);
  if (sent < 0) {
    log::Warning("service manager not told",
                 {{"state", std::string(state)}, {"message", std::strerror(errno)}});
  }
  if (from >= 0) close(from);
}

}  // namespace content
