#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "http/places.h"
#include "server/acceptor.h"
#include "server/file_descriptor.h"
#include "server/listening.h"
#include "server/socket_file.h"

struct MHD_Daemon;

namespace content::http {

/// What a page shows, or why it does not.
struct Answer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Makes a page. Called on the listener's thread, by one request at a time. Must not wait for the
/// database: the pages say how it is.
using Page = std::function<Answer()>;

/// Pages by their paths.
using Pages = std::map<std::string, Page, std::less<>>;

/// Answers GET and HEAD over HTTP/1.1 with pages that are made anew for each request. Other
/// requests get a short error. Everything is bounded, as strangers may connect: there are
/// kMaxConnections, of which those that are silent for kIdleTimeout are closed, and a request has
/// kMaxRequestBytes with its headers. When all are in use, a newcomer takes the place of the oldest
/// of the peer that has the most (Places). So probes are answered, whoever keeps as many
/// connections busy. Thread-safe.
class Listener {
 public:
  static constexpr int kMaxConnections = 64;
  static constexpr size_t kMaxRequestBytes = 16'384;
  static constexpr absl::Duration kIdleTimeout = absl::Seconds(5);

  /// Answers connections to `listening` with `pages` until it is destroyed. UNAVAILABLE if there
  /// is no thread left for it.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(server::Listening listening, Pages pages);

  ~Listener();

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Shows other pages from now on. The former are not in use when it returns.
  void Show(Pages pages);

  /// Returns what a request gets.
  Answer AnswerTo(absl::string_view method, absl::string_view path);

 private:
  explicit Listener(Pages pages) : pages_(std::move(pages)) {}

  absl::Status Serve(server::Listening listening);
  void TakeOver(server::FileDescriptor connection);

  std::mutex mutex_;
  Pages pages_;  // Guarded by mutex_.

  Places places_{kMaxConnections};  // of connections of daemon_
  std::optional<server::SocketFile> file_;
  MHD_Daemon* daemon_ = nullptr;
  std::optional<server::Acceptor> acceptor_;  // Passes connections on to daemon_.
};

}  // namespace content::http
