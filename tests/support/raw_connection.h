#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/connected_socket.h"

namespace content::testing {

/// A connection to a server, for what no gRPC client would send.
class RawConnection {
 public:
  explicit RawConnection(const std::string& address) : socket_(address) {}

  /// Begins HTTP/2 (RFC 9113, 3.4). Answers get no window, so the server can send their headers but
  /// no data.
  void SendPreface() const {
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    SendFrame(4, 0, 0, std::string("\0\4\0\0\0\0", 6));
  }

  /// Makes a unary gRPC call. `stream` is odd, and larger than any before.
  void SendCall(int stream, const std::string& path, const std::string& request) const {
    SendFrame(1, 4, stream, Headers(path, "trailers"));
    SendFrame(0, 1, stream, '\0' + BigEndian(request.size(), 4) + request);
  }

  /// Makes a call with a header that gRPC logs as an error, with its value.
  void SendBadCall(int stream) const {
    SendFrame(1, 5, stream, Headers("/x/Y", std::string(90, 'a') + "\x1B[2J"));
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
  static std::string Headers(const std::string& path, const std::string& te) {
    std::string headers;
    for (const auto& [name, value] : {std::pair<std::string, std::string>{":method", "POST"},
                                      {":scheme", "http"},
                                      {":path", path},
                                      {":authority", "server"},
                                      {"content-type", "application/grpc"},
                                      {"te", te}}) {
      headers += '\0';  // a literal (RFC 7541, 6.2.2)
      headers += static_cast<char>(name.size()) + name;
      headers += static_cast<char>(value.size()) + value;
    }
    return headers;
  }

  static std::string BigEndian(size_t number, int size) {
    std::string bytes;
    for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
    return bytes;
  }

  void Send(const std::string& bytes) const {
    EXPECT_EQ(send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  void SendFrame(int type, int flags, int stream, const std::string& payload) const {
    Send(BigEndian(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         BigEndian(static_cast<size_t>(stream), 4) + payload);
  }

  bool Receive(std::vector<uint8_t>& bytes) const {
    if (bytes.empty()) return true;
    return recv(socket_.fd(), bytes.data(), bytes.size(), MSG_WAITALL) ==
           static_cast<ssize_t>(bytes.size());
  }

  const ConnectedSocket socket_;
};

}  // namespace content::testing
