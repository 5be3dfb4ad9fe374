#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/read_cache.h"
#include "content/store.h"
#include "content/v1/admin_service.pb.h"

namespace content::server {

struct Options {
  /// Where to listen, `HOST:PORT`. Port 0 takes a free one.
  std::string listen;
  /// How long calls in flight may go on when the server stops.
  absl::Duration drain_timeout;
  /// How long a watcher may take over one message before its watch ends.
  absl::Duration watch_write_timeout = absl::Seconds(30);
  /// The part of GetServerInfo's answer that does not change while the server runs.
  v1::GetServerInfoResponse info;
};

/// The gRPC server: the services of content.v1 on a store, health that follows the store's
/// (grpc.health.v1, for the server and for each service), and reflection (v1 and v1alpha).
class Server {
 public:
  /// Serves until Stop. NOT_SERVING until the store has answered for the first time. `store` and
  /// `reads` must outlive the server. UNAVAILABLE if it cannot listen at that address.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, Store& store,
                                                       ReadCache& reads);

  virtual ~Server() = default;

  /// The address it listens at, with the port that it took.
  virtual std::string address() const = 0;

  /// Turns health to NOT_SERVING, refuses new calls and ends watches. Other calls in flight go on;
  /// those that are left after the drain timeout are cancelled. Open watches of health and
  /// reflection streams are cut. Returns when no call is left. Must be called once, before
  /// destruction.
  virtual void Stop() = 0;
};

}  // namespace content::server
