#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace content::testing {

/// A connection over which a test says what it likes.
class HttpConnection {
 public:
  /// `address`: IPv4 HOST:PORT. `from`: the client's own address, without a port.
  explicit HttpConnection(const std::string& address, const char* from = "127.0.0.1")
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const size_t colon = address.rfind(':');
    sockaddr_in own{};
    own.sin_family = AF_INET;
    inet_pton(AF_INET, from, &own.sin_addr);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0) << from;
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 0)
        << address;
  }
  ~HttpConnection() { close(socket_); }

  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void Send(const std::string& bytes) const {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;  // the server has heard enough
      sent += static_cast<size_t>(count);
    }
  }

  /// Returns what the server sends until it ends the connection.
  std::string ReadToEnd() const {
    std::string all;
    std::array<char, 4096> buffer{};
    while (true) {
      const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return all;
      all.append(buffer.data(), static_cast<size_t>(count));
    }
  }

 private:
  const int socket_;
};

struct HttpResponse {
  int status = 0;  // 0: there was none
  std::string headers;
  std::string body;
};

/// Sends a request without a body on a connection of its own.
inline HttpResponse HttpCall(const std::string& address, const std::string& method,
                             const std::string& path) {
  const HttpConnection connection(address);
  connection.Send(
      absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
  const std::string all = connection.ReadToEnd();
  const size_t end_of_headers = all.find("\r\n\r\n");
  if (end_of_headers == std::string::npos) return {};
  return {.status = std::atoi(all.c_str() + sizeof "HTTP/1.1"),
          .headers = all.substr(0, end_of_headers),
          .body = all.substr(end_of_headers + 4)};
}

inline HttpResponse HttpGet(const std::string& address, const std::string& path) {
  return HttpCall(address, "GET", path);
}

}  // namespace content::testing
