#include "server/listening.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace content::server {
namespace {

// Connections that wait to be accepted; the kernel allows at most net.core.somaxconn.
constexpr int kBacklog = 4096;

constexpr absl::string_view kUnixPrefix = "unix:";

// A connection is closed if its peer has not confirmed for so long what it was sent, as gRPC does
// with its own connections when it pings.
constexpr int kUnconfirmedMilliseconds = 20'000;

struct HostAndPort {
  std::string host;
  std::string port;
};

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// One address of a socket.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un file;
  sockaddr_storage storage;
};

absl::Status CannotListen(const std::string& address, absl::string_view reason) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", reason));
}

std::string Describe(int error) { return std::generic_category().message(error); }

HostAndPort Split(absl::string_view address) {
  const size_t colon = address.rfind(':');
  absl::string_view host = address.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return {.host = std::string(host), .port = std::string(address.substr(colon + 1))};
}

bool IsEveryAddress(absl::string_view host) {
  return host.empty() || host == "0.0.0.0" || host == "::";
}

// Returns the resolver's error code, or 0.
int Resolve(const HostAndPort& where, Addresses& addresses) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(where.host.c_str(), where.port.c_str(), &hints, &found);
  addresses.reset(found);
  return error;
}

bool Set(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

// Connections inherit the options. Without SO_REUSEPORT, because a second server that listened on
// the same port would take half of the calls; but a port that connections of the last server still
// occupy may be used again. IPv6 sockets take IPv4 too only if they are to take every address.
bool SetOptions(int socket, int family, bool every_family) {
  return Set(socket, SOL_SOCKET, SO_REUSEADDR, 1) && Set(socket, IPPROTO_TCP, TCP_NODELAY, 1) &&
         Set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnconfirmedMilliseconds) &&
         (family != AF_INET6 || Set(socket, IPPROTO_IPV6, IPV6_V6ONLY, every_family ? 0 : 1));
}

// Returns a socket that listens; none, with the reason in errno, if that is not possible.
FileDescriptor ListenOn(const SocketAddress& address, socklen_t size, bool every_family) {
  const int family = address.any.sa_family;
  FileDescriptor listener(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener || (family != AF_UNIX && !SetOptions(listener.number(), family, every_family)) ||
      bind(listener.number(), &address.any, size) != 0 ||
      listen(listener.number(), kBacklog) != 0) {
    const int error = errno;
    listener = FileDescriptor();
    errno = error;
  }
  return listener;
}

SocketAddress AddressOf(const FileDescriptor& listener) {
  SocketAddress address{};
  socklen_t size = sizeof address;
  getsockname(listener.number(), &address.any, &size);
  return address;
}

in_port_t& PortOf(SocketAddress& address) {
  return address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port;
}

// In network byte order.
in_port_t PortOf(const FileDescriptor& listener) {
  SocketAddress address = AddressOf(listener);
  return PortOf(address);
}

bool IsLoopback(const FileDescriptor& listener) {
  const SocketAddress address = AddressOf(listener);
  if (address.any.sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
  return ntohl(address.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool IsAddressMissing(int error) { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

FileDescriptor ListenOnEveryAddress(in_port_t port) {
  SocketAddress address{};
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = port;
  FileDescriptor listener = ListenOn(address, sizeof address.v6, /*every_family=*/true);
  if (listener || !IsAddressMissing(errno)) return listener;
  address = {};
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = port;
  return ListenOn(address, sizeof address.v4, /*every_family=*/false);
}

// Whether it is the address of an earlier one, as if two lines of /etc/hosts say the same.
bool IsRepeated(const addrinfo* address, const addrinfo* first) {
  for (; first != address; first = first->ai_next) {
    if (first->ai_addrlen == address->ai_addrlen &&
        std::memcmp(first->ai_addr, address->ai_addr, address->ai_addrlen) == 0) {
      return true;
    }
  }
  return false;
}

// Returns 0, or the error because of which it does not listen on all of them.
int ListenOnEach(const addrinfo* first, std::vector<FileDescriptor>& listeners) {
  int missing = 0;
  for (const addrinfo* info = first; info != nullptr; info = info->ai_next) {
    if (IsRepeated(info, first)) continue;
    SocketAddress address{};
    std::memcpy(&address, info->ai_addr, info->ai_addrlen);
    if (!listeners.empty()) PortOf(address) = PortOf(listeners.front());
    FileDescriptor listener = ListenOn(address, info->ai_addrlen, /*every_family=*/false);
    if (listener) {
      listeners.push_back(std::move(listener));
    } else if (!IsAddressMissing(errno)) {
      return errno;
    } else {
      missing = errno;
    }
  }
  return listeners.empty() ? missing : 0;
}

absl::StatusOr<Listening> ListenOnFile(const std::string& address) {
  const std::string path = address.substr(kUnixPrefix.size());
  SocketAddress socket{};
  if (path.size() >= sizeof socket.file.sun_path) {
    return CannotListen(address, "the path is too long");
  }
  absl::StatusOr<SocketFile> file = SocketFile::Claim(path);
  if (!file.ok()) return CannotListen(address, file.status().message());
  socket.file.sun_family = AF_UNIX;
  path.copy(socket.file.sun_path, path.size());
  FileDescriptor listener = ListenOn(socket, sizeof socket.file, /*every_family=*/false);
  if (!listener) return CannotListen(address, Describe(errno));
  Listening listening;
  listening.sockets.push_back(std::move(listener));
  listening.address = address;
  listening.is_local = true;
  listening.file.emplace(*std::move(file));
  return listening;
}

}  // namespace

absl::StatusOr<Listening> Listen(const std::string& address) {
  if (absl::StartsWith(address, kUnixPrefix)) return ListenOnFile(address);
  const HostAndPort where = Split(address);
  Listening listening;
  if (IsEveryAddress(where.host)) {
    int port = 0;
    if (!absl::SimpleAtoi(where.port, &port)) return CannotListen(address, "no such port");
    FileDescriptor listener = ListenOnEveryAddress(htons(static_cast<uint16_t>(port)));
    if (!listener) return CannotListen(address, Describe(errno));
    listening.sockets.push_back(std::move(listener));
  } else {
    Addresses addresses(nullptr, freeaddrinfo);
    if (const int error = Resolve(where, addresses); error != 0) {
      return CannotListen(address, gai_strerror(error));
    }
    if (const int error = ListenOnEach(addresses.get(), listening.sockets); error != 0) {
      return CannotListen(address, Describe(error));
    }
  }
  listening.address = absl::StrCat(address.substr(0, address.rfind(':')), ":",
                                   ntohs(PortOf(listening.sockets.front())));
  listening.is_local = std::all_of(listening.sockets.begin(), listening.sockets.end(), IsLoopback);
  return listening;
}

}  // namespace content::server
