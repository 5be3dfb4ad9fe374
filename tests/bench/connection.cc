#include "bench/connection.h"

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace content::bench {
namespace {

// gRPC's prefix of a message: a byte, 1 if it is compressed, and four bytes of length.
constexpr size_t kPrefixSize = 5;

// As in h2load: large enough that no answer waits for a window update.
constexpr int32_t kWindow = (1 << 30) - 1;

constexpr size_t kReceiveBuffer = 256 << 10;

void Check(int nghttp2_result, absl::string_view what) {
  if (nghttp2_result < 0) Die(what, nghttp2_strerror(nghttp2_result));
}

std::string WithPrefix(absl::string_view message) {
  const auto size = static_cast<uint32_t>(message.size());
  std::string framed;
  framed.reserve(kPrefixSize + message.size());
  framed.push_back(0);
  for (int shift = 24; shift >= 0; shift -= 8) framed.push_back(static_cast<char>(size >> shift));
  framed.append(message.data(), message.size());
  return framed;
}

// Returns the message in an answer's body.
absl::StatusOr<absl::string_view> WithoutPrefix(absl::string_view framed) {
  if (framed.size() < kPrefixSize) return absl::DataLossError("there is no message");
  if (framed[0] != 0) return absl::DataLossError("the message is compressed");
  size_t size = 0;
  for (size_t i = 1; i < kPrefixSize; ++i) size = size << 8 | static_cast<uint8_t>(framed[i]);
  framed.remove_prefix(kPrefixSize);
  if (framed.size() != size) return absl::DataLossError("the message does not fit its prefix");
  return framed;
}

nghttp2_nv Header(absl::string_view name, absl::string_view value) {
  // nghttp2 takes non-const pointers, but does not write to them.
  const auto bytes = [](absl::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

}  // namespace

Connection::Connection(int port, int streams, const Caller& caller, Done done)
    : socket_(port, caller.tls),
      scheme_(caller.tls.ca.empty() ? "http" : "https"),
      authorization_(caller.authorization),
      authority_(absl::StrCat("127.0.0.1:", port)),
      done_(std::move(done)),
      streams_(static_cast<size_t>(streams)),
      session_(MakeSession(this)),
      received_(kReceiveBuffer) {
  for (Stream& stream : streams_) idle_.push_back(&stream);
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow}};
  Check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()),
        "settings");
  Check(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindow), "window");
}

Connection::~Connection() { nghttp2_session_del(session_); }

nghttp2_session* Connection::MakeSession(Connection* connection) {
  nghttp2_session_callbacks* callbacks = nullptr;
  Check(nghttp2_session_callbacks_new(&callbacks), "callbacks");
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
  nghttp2_session* session = nullptr;
  Check(nghttp2_session_client_new(&session, callbacks, connection), "session");
  nghttp2_session_callbacks_del(callbacks);
  return session;
}

void Connection::Begin(Call call) {
  Stream& stream = *idle_.back();
  idle_.pop_back();
  stream.sent = 0;
  stream.request = WithPrefix(call.message);
  stream.call = std::move(call);
  stream.answer.clear();
  stream.is_http_ok = false;
  stream.grpc_status.clear();
  stream.grpc_message.clear();

  const std::array headers = {Header(":method", "POST"),
                              Header(":scheme", scheme_),
                              Header(":path", stream.call.path),
                              Header(":authority", authority_),
                              Header("te", "trailers"),
                              Header("content-type", "application/grpc"),
                              Header("authorization", authorization_)};
  const size_t header_count = headers.size() - (authorization_.empty() ? 1 : 0);
  nghttp2_data_provider body = {};
  body.source.ptr = &stream;
  body.read_callback = ReadRequest;
  Check(nghttp2_submit_request(session_, nullptr, headers.data(), header_count, &body, &stream),
        "request");
}

void Connection::Receive() {
  while (true) {
    const size_t size = socket_.Receive(received_.data(), received_.size());
    Check(static_cast<int>(nghttp2_session_mem_recv(session_, received_.data(), size)), "receive");
    if (size < received_.size()) return;
  }
}

void Connection::Send() {
  const uint8_t* data = nullptr;
  while (true) {
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    Check(static_cast<int>(size), "send");
    if (size == 0) break;
    unsent_.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  }
  if (!unsent_.empty()) unsent_.erase(0, socket_.Send(unsent_));
}

ssize_t Connection::ReadRequest(nghttp2_session*, int32_t, uint8_t* buffer, size_t length,
                                uint32_t* flags, nghttp2_data_source* source, void*) {
  Stream& stream = *static_cast<Stream*>(source->ptr);
  const size_t count = std::min(length, stream.request.size() - stream.sent);
  stream.request.copy(reinterpret_cast<char*>(buffer), count, stream.sent);
  stream.sent += count;
  if (stream.sent == stream.request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

int Connection::OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                         size_t name_length, const uint8_t* value, size_t value_length, uint8_t,
                         void*) {
  auto* stream =
      static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
  if (stream == nullptr) return 0;
  const absl::string_view key(reinterpret_cast<const char*>(name), name_length);
  const absl::string_view text(reinterpret_cast<const char*>(value), value_length);
  if (key == ":status") {
    stream->is_http_ok = text == "200";
  } else if (key == "grpc-status") {
    stream->grpc_status = std::string(text);
  } else if (key == "grpc-message") {
    stream->grpc_message = std::string(text);
  }
  return 0;
}

int Connection::OnData(nghttp2_session* session, uint8_t, int32_t stream_id, const uint8_t* data,
                       size_t length, void*) {
  auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, stream_id));
  if (stream != nullptr) stream->answer.append(reinterpret_cast<const char*>(data), length);
  return 0;
}

int Connection::OnStreamClose(nghttp2_session* session, int32_t stream_id, uint32_t error,
                              void* connection) {
  auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, stream_id));
  auto& self = *static_cast<Connection*>(connection);
  if (stream == nullptr) return 0;
  if (error != NGHTTP2_NO_ERROR) {
    self.done_(stream->call, absl::UnavailableError(nghttp2_http2_strerror(error)));
  } else if (!stream->is_http_ok || stream->grpc_status != "0") {
    self.done_(stream->call, absl::UnknownError(absl::StrCat("grpc-status ", stream->grpc_status,
                                                             " ", stream->grpc_message)));
  } else {
    self.done_(stream->call, WithoutPrefix(stream->answer));
  }
  self.idle_.push_back(stream);
  return 0;
}

}  // namespace content::bench
