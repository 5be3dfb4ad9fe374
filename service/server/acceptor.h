#pragma once

#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "server/file_descriptor.h"
#include "telemetry/metrics.h"

namespace content::server {

/// Accepts connections on a thread of its own and passes them on. (gRPC 1.51 can do that too, but
/// stops for good when the process has run out of file descriptors once.) When there is no
/// descriptor for a connection, the acceptor closes the connection, so that the client goes
/// elsewhere or tries again, and goes on. Nothing but its destruction ends it.
class Acceptor {
 public:
  /// Gets a connection, which is non-blocking and which it owns, and the listening socket. Called
  /// by one thread; must not block.
  using TakeOver = std::function<void(FileDescriptor connection, int listener)>;

  /// `listeners` are non-blocking sockets that listen. While connections are closed, that is logged
  /// at once and then once in `report_interval`, with their number since the last time. `refused`,
  /// unless it is nullptr, counts them, and outlives the acceptor.
  Acceptor(std::vector<FileDescriptor> listeners, TakeOver take_over,
           metrics::Counter* refused = nullptr, absl::Duration report_interval = absl::Minutes(1));

  /// Passes on the connections that wait, and those whose handshake ends within 20 ms, and closes
  /// the listeners. Who begins to connect meanwhile is refused, over TCP after a second.
  ~Acceptor();

  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  void Run(const std::stop_token& stop);
  bool Accept(int listener);
  void AcceptTheLast();
  void TurnAway(int listener);
  int Timeout() const;
  void ReportShortage();

  const std::vector<FileDescriptor> listeners_;
  const TakeOver take_over_;
  metrics::Counter* const all_refused_;
  const absl::Duration report_interval_;
  const FileDescriptor wake_up_;  // an eventfd
  // Belongs to the thread, like everything below. Closed to make room for a connection that is to
  // be closed.
  FileDescriptor spare_;
  bool is_resting_ = false;
  int shortage_ = 0;  // The error of the last one that was not reported; 0: none.
  int refused_ = 0;   // Connections closed since the last report.
  SteadyTime next_report_ = SteadyTime::InfinitePast();
  std::jthread thread_;
};

}  // namespace content::server
