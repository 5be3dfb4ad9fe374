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

namespace content::bench {

using Clock = std::chrono::steady_clock;

/// An RPC to make. `path` and `authority` outlive the call.
struct Call {
  absl::string_view path = {};
  std::string message = {};  ///< The request on the wire.
  size_t article = 0;        ///< Which article it is about; see Articles.
  Clock::time_point begin = {};
};

/// An HTTP/2 connection, in clear text and with prior knowledge, that carries unary gRPC calls.
/// Used by one thread. Whatever breaks the connection itself ends the program.
class Connection {
 public:
  /// Told how a call ended: with the message it was answered with, which is gone after that, or
  /// with what gRPC or HTTP said instead.
  using Done = std::function<void(const Call&, const absl::StatusOr<absl::string_view>&)>;

  /// Connects to 127.0.0.1. At most `streams` calls at once.
  Connection(int port, int streams, Done done);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }

  bool HasIdleStream() const { return !idle_.empty(); }
  bool IsIdle() const { return idle_.size() == streams_.size(); }

  /// Begins a call; it is sent by Send. Only if there is an idle stream.
  void Begin(Call call);

  /// Takes what has come, and ends the calls that it ends.
  void Receive();

  /// Sends what there is to send, as far as the kernel takes it.
  void Send();

  /// Whether the kernel did not take it all.
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

  int fd_;
  std::string authority_;
  Done done_;
  std::vector<Stream> streams_;
  std::vector<Stream*> idle_;
  nghttp2_session* session_;
  std::string unsent_;
  std::vector<uint8_t> received_;
};

}  // namespace content::bench
