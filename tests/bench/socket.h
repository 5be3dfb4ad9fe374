#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace content::bench {

/// Ends the program with this error.
[[noreturn]] void Die(absl::string_view what, absl::string_view why);

/// Files in PEM. Without `ca` a socket is in clear text.
struct TlsFiles {
  std::string ca = {};           ///< What the server's certificate must be signed by.
  std::string certificate = {};  ///< The client's, with `key`; optional.
  std::string key = {};
};

/// A TCP connection to 127.0.0.1 that never blocks, in clear text or with TLS 1.3, which has agreed
/// on HTTP/2. Not thread-safe. An error ends the program.
class Socket {
 public:
  /// Connects, and blocks meanwhile.
  Socket(int port, const TlsFiles& files);
  ~Socket();

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_; }

  /// Receives what has arrived, but at most `size` bytes. Returns their number.
  size_t Receive(uint8_t* buffer, size_t size);

  /// Sends as much as possible of `data`, and returns how much. What is left must be at the
  /// beginning of the next call's data.
  size_t Send(absl::string_view data);

 private:
  size_t ReceiveWithTls(uint8_t* buffer, size_t size);
  size_t SendWithTls(absl::string_view data);
  void CheckThatItWouldBlock(absl::string_view what) const;

  int fd_;
  SSL* tls_ = nullptr;
};

}  // namespace content::bench
