#include "http/listener.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "server/file_descriptor.h"
#include "telemetry/log.h"

namespace content::http {
namespace {

constexpr int kNotFound = 404;
constexpr int kMethodNotAllowed = 405;
constexpr int kInternalError = 500;

// Pages load nothing and run nothing; one has a style.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

Answer Error(int status, std::string text) { return {.status = status, .body = std::move(text)}; }

Answer Make(absl::string_view path, const Page& page) {
  try {
    return page();
  } catch (const std::exception& exception) {
    log::Error("page failed", {{"path", path}, {"message", exception.what()}});
    return Error(kInternalError, "internal error\n");
  }
}

// Gives an answer to the library, which keeps it until it was sent.
MHD_Result Queue(MHD_Connection* connection, Answer answer) {
  auto* const body = new std::string(std::move(answer.body));
  MHD_Response* const response = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), [](void* owner) { delete static_cast<std::string*>(owner); },
      body);
  if (response == nullptr) {
    delete body;
    return MHD_NO;
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type.c_str());
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "Content-Security-Policy", kContentSecurityPolicy);
  if (answer.status == kMethodNotAllowed) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result result =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return result;
}

// The address without the port, in whatever form. Clients of a unix socket are all one.
std::string PeerOf(MHD_Connection* connection) {
  const sockaddr* const address =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  const auto bytes = [](const auto& ip) {
    return std::string(reinterpret_cast<const char*>(&ip), sizeof ip);
  };
  switch (address->sa_family) {
    case AF_INET:
      return bytes(reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
    case AF_INET6:
      return bytes(reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
    default:
      return "";
  }
}

// Called when the library begins with a connection, and before it closes its socket.
void NoteConnection(void* all_places, MHD_Connection* connection, void** /*state*/,
                    MHD_ConnectionNotificationCode what) {
  auto& places = *static_cast<Places*>(all_places);
  const int socket =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    places.Begin(socket, PeerOf(connection));
  } else {
    places.End(socket);
  }
}

// Called when the headers of a request have come and, if that gave no answer, again with each part
// of its body, and once more at its end. An answer to the headers alone would end the connection,
// as is right for methods that may have a body.
MHD_Result Handle(void* listener, MHD_Connection* connection, const char* path, const char* method,
                  const char* /*version*/, const char* /*body*/, size_t* body_size,
                  void** request_state) {
  static char has_begun;
  const absl::string_view verb = method;
  const bool is_first_call = std::exchange(*request_state, &has_begun) == nullptr;
  if (is_first_call && (verb == MHD_HTTP_METHOD_GET || verb == MHD_HTTP_METHOD_HEAD)) {
    return MHD_YES;
  }
  if (*body_size > 0) return MHD_NO;  // ends the connection
  return Queue(connection, static_cast<Listener*>(listener)->AnswerTo(verb, path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(server::Listening listening,
                                                          Pages pages) {
  auto listener = absl::WrapUnique(new Listener(std::move(pages)));
  if (absl::Status status = listener->Serve(std::move(listening)); !status.ok()) return status;
  return listener;
}

// The library neither accepts connections itself nor limits them: it would spin while the process
// has no file descriptor left, and 0.9.75 may lock a mutex twice when its limit is reached.
absl::Status Listener::Serve(server::Listening listening) {
  daemon_ = MHD_start_daemon(
      MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC, 0, nullptr, nullptr,
      &Handle, this, MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(2 * kMaxConnections),
      MHD_OPTION_NOTIFY_CONNECTION, &NoteConnection, &places_, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kMaxRequestBytes, MHD_OPTION_CONNECTION_TIMEOUT,
      static_cast<unsigned>(absl::ToInt64Seconds(kIdleTimeout)), MHD_OPTION_END);
  if (daemon_ == nullptr) return absl::UnavailableError("cannot serve HTTP");
  file_ = std::move(listening.file);
  acceptor_.emplace(std::move(listening.sockets), [this](server::FileDescriptor connection, int) {
    TakeOver(std::move(connection));
  });
  return absl::OkStatus();
}

void Listener::TakeOver(server::FileDescriptor connection) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  auto* const address = reinterpret_cast<sockaddr*>(&peer);
  if (getpeername(connection.number(), address, &size) != 0) return;  // it has gone already
  places_.Take();
  if (MHD_add_connection(daemon_, connection.Release(), address, size) == MHD_NO) {
    places_.GiveBack();
  }
}

Listener::~Listener() {
  acceptor_.reset();
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

void Listener::Show(Pages pages) {
  const std::lock_guard lock(mutex_);
  pages_ = std::move(pages);
}

Answer Listener::AnswerTo(absl::string_view method, absl::string_view path) {
  if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
    return Error(kMethodNotAllowed, "only GET and HEAD are answered\n");
  }
  const std::lock_guard lock(mutex_);
  const auto page = pages_.find(path);
  return page == pages_.end() ? Error(kNotFound, "there is no such page\n")
                              : Make(path, page->second);
}

}  // namespace content::http
