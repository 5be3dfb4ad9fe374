#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

namespace content::testing {

/// A TCP connection to a server at an IPv4 address and port, for what no gRPC client would send.
class RawConnection {
 public:
  explicit RawConnection(const std::string& address)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const size_t colon = address.rfind(':');
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 0);
  }

  ~RawConnection() { close(socket_); }

  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  /// Begins HTTP/2, with no settings (RFC 9113, 3.4).
  void SendPreface() const {
    const std::string preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    EXPECT_EQ(send(socket_, preface.data(), preface.size(), MSG_NOSIGNAL), 33);
  }

  struct Frame {
    int type;
    std::vector<uint8_t> payload;
  };

  /// Waits for the next HTTP/2 frame. Its type is -1 if the server closes the connection instead.
  Frame ReceiveFrame() const {
    std::vector<uint8_t> header(9);
    if (!Receive(header)) return {.type = -1, .payload = {}};
    Frame frame{.type = header[3],
                .payload = std::vector<uint8_t>(size_t{header[1]} * 256 + header[2])};
    if (!Receive(frame.payload)) frame.type = -1;
    return frame;
  }

  /// Waits until the server closes the connection.
  void AwaitEnd() const {
    std::vector<uint8_t> byte(1);
    while (Receive(byte)) continue;
  }

 private:
  bool Receive(std::vector<uint8_t>& bytes) const {
    if (bytes.empty()) return true;
    return recv(socket_, bytes.data(), bytes.size(), MSG_WAITALL) ==
           static_cast<ssize_t>(bytes.size());
  }

  const int socket_;
};

}  // namespace content::testing
