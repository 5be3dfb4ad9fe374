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
  /// Where to listen, `HOST:PORT`; port 0 takes a free one.
  std::string listen;
  /// How long calls in flight may go on when the server stops.
  absl::Duration drain_timeout;
  /// How long a watcher may take over one message before the watch ends.
  absl::Duration watch_write_timeout = absl::Seconds(30);
  /// What GetServerInfo answers, less what changes while the server runs.
  v1::GetServerInfoResponse info;
};

/// The gRPC server: content.v1's services on a store, health that follows the store
/// (grpc.health.v1, for the server as a whole and for each service), reflection (v1 and v1alpha).
class Server {
 public:
  /// Serves until stopped; NOT_SERVING until the store has answered for the first time. `store`
  /// and `reads` must outlive the server. UNAVAILABLE if it cannot listen there.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, Store& store,
                                                       ReadCache& reads);

  virtual ~Server() = default;

  /// Where it listens, with the port it took.
  virtual std::string address() const = 0;

  /// Health turns NOT_SERVING, new calls are refused, watches end, other calls in flight end or,
  /// after the drain timeout, are cancelled; open watches on health and reflection streams are cut.
  /// Returns when nothing is left. Called once, before destruction.
  virtual void Stop() = 0;
};

}  // namespace content::server
