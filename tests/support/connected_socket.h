#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace content::testing {

/// A socket that is connected to a server, and closed with this object.
class ConnectedSocket {
 public:
  /// `address`: IPv4 HOST:PORT, or unix:PATH. `from`: the client's own address, without a port, if
  /// it is IPv4. Fails the test if nobody listens there.
  explicit ConnectedSocket(const std::string& address, const char* from = "127.0.0.1") {
    absl::string_view path = address;
    if (absl::ConsumePrefix(&path, "unix:")) {
      sockaddr_un peer{};
      peer.sun_family = AF_UNIX;
      path.copy(peer.sun_path, sizeof peer.sun_path - 1);
      Open(AF_UNIX);
      Connect(peer, address);
    } else {
      Open(AF_INET);
      sockaddr_in own{};
      own.sin_family = AF_INET;
      inet_pton(AF_INET, from, &own.sin_addr);
      EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0) << from;
      const size_t colon = address.rfind(':');
      sockaddr_in peer{};
      peer.sin_family = AF_INET;
      peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr);
      Connect(peer, address);
    }
  }

  ~ConnectedSocket() { close(fd_); }

  ConnectedSocket(const ConnectedSocket&) = delete;
  ConnectedSocket& operator=(const ConnectedSocket&) = delete;

  int fd() const { return fd_; }

 private:
  void Open(int family) { fd_ = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); }

  template <class Address>
  void Connect(const Address& peer, const std::string& address) {
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 0) << address;
  }

  int fd_ = -1;
};

}  // namespace content::testing
