#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "absl/time/time.h"
#include "api/gate.h"
#include "content/read_cache.h"
#include "content/store.h"
#include "content/v1/admin_service.pb.h"
#include "watch/feed.h"

namespace content::api {

/// What watches are served from. They have a gate of their own, because they end when the feeds
/// stop, and one whose reader has stalled must not delay the end of the other calls.
struct Watches {
  watch::Feed& comments;
  watch::Feed& articles;
  Gate& gate;
  /// How long a reader may take over one message.
  absl::Duration write_timeout;
};

/// The services of content.v1. They answer from `store`, and what is read most from `cache`. Every
/// call is inside a gate until it is answered. Store, cache, gates and feeds must outlive the
/// services. Thread-safe; methods do not block.
std::unique_ptr<grpc::Service> NewContentService(Store& store, ReadCache& cache, Gate& gate,
                                                 const Watches& watches);

/// The same. `info` is the part of GetServerInfo's answer that does not change.
std::unique_ptr<grpc::Service> NewAdminService(Store& store, ReadCache& cache, Gate& gate,
                                               const Watches& watches,
                                               v1::GetServerInfoResponse info);

}  // namespace content::api
