#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "support/connected_socket.h"

namespace content::testing {

/// A connection over which a test says what it likes.
class HttpConnection {
 public:
  /// As ConnectedSocket.
  explicit HttpConnection(const std::string& address, const char* from = "127.0.0.1")
      : socket_(address, from) {}

  void Send(const std::string& bytes) const {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t count =
          send(socket_.fd(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;  // the server has heard enough
      sent += static_cast<size_t>(count);
    }
  }

  /// Returns what the server sends until it ends the connection.
  std::string ReadToEnd() const {
    std::string all;
    std::array<char, 4096> buffer{};
    while (true) {
      const ssize_t count = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
      if (count <= 0) return all;
      all.append(buffer.data(), static_cast<size_t>(count));
    }
  }

 private:
  const ConnectedSocket socket_;
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
