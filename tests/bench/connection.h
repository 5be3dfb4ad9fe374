#pragma once

#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/socket.h"

namespace content::bench {

using Clock = std::chrono::steady_clock;

/// An RPC to make.
struct Call {
  absl::string_view path = {};  ///< Must outlive the call.
  std::string message = {};     ///< The serialised request.
  size_t article = 0;           ///< The caller's index of the article.
  Clock::time_point begin = {};
};

/// What a server can know its caller by.
struct Caller {
  TlsFiles tls = {};
  std::string authorization = {};  ///< Sent as metadata of every call, unless it is empty.
};

/// An HTTP/2 connection, with prior knowledge if it is in clear text, that carries unary gRPC
/// calls. Not thread-safe. An error of the connection itself ends the program.
class Connection {
 public:
  /// Called when a call has ended, with the serialised response, which is valid during the call of
  /// `Done` only, or with the error of gRPC or HTTP.
  using Done = std::function<void(const Call&, const absl::StatusOr<absl::string_view>&)>;

  /// Connects to 127.0.0.1. Carries at most `streams` calls at once.
  Connection(int port, int streams, const Caller& caller, Done done);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return socket_.fd(); }

  bool HasIdleStream() const { return !idle_.empty(); }
  bool IsIdle() const { return idle_.size() == streams_.size(); }

  /// Begins a call, which Send then sends. Requires an idle stream.
  void Begin(Call call);

  /// Receives without blocking, and calls `Done` for every call that has ended.
  void Receive();

  /// Sends as much as possible without blocking.
  void Send();

  /// True if Send left something unsent.
  bool IsBlocked() const { return !unsent_.empty(); }

 private:
  struct Stream {
    Call call = {};
    size_t sent = 0;  // bytes of the framed request
    std::string request = {};
    std::string answer = {};
    bool is_http_ok = false;
    std::string grpc_status = {};
    std::string grpc_message = {};
  };

  static nghttp2_session* MakeSession(Connection* connection);
  static ssize_t ReadRequest(nghttp2_session* session, int32_t stream_id, uint8_t* buffer,
                             size_t length, uint32_t* flags, nghttp2_data_source* source,
                             void* connection);
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_length, const uint8_t* value, size_t value_length, uint8_t flags,
                      void* connection);
  static int OnData(nghttp2_session* session, uint8_t flags, int32_t stream_id, const uint8_t* data,
                    size_t length, void* connection);
  static int OnStreamClose(nghttp2_session* session, int32_t stream_id, uint32_t error,
                           void* connection);

  Socket socket_;
  absl::string_view scheme_;
  std::string authorization_;
  std::string authority_;
  Done done_;
  std::vector<Stream> streams_;
  std::vector<Stream*> idle_;
  nghttp2_session* session_;
  std::string unsent_;
  std::vector<uint8_t> received_;
};

}  // namespace content::bench
