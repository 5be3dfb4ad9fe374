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

/// What watches need. They have their own gate, because they end when the feeds stop, and a watch
/// whose reader has stalled must not delay the drain of the other calls.
struct Watches {
  watch::Feed& comments;
  watch::Feed& articles;
  Gate& gate;
  /// Maximum time for a reader to take one message.
  absl::Duration write_timeout;
};

/// Creates ContentService, which answers the most frequent reads from `cache` and all other calls
/// from `store`. Every call is inside a gate until it is answered. Store, cache, gates and feeds
/// must outlive the service. Its methods are thread-safe and do not block.
std::unique_ptr<grpc::Service> NewContentService(Store& store, ReadCache& cache, Gate& gate,
                                                 const Watches& watches);

/// Creates AdminService in the same way. `info` is the constant part of GetServerInfo's answer.
std::unique_ptr<grpc::Service> NewAdminService(Store& store, ReadCache& cache, Gate& gate,
                                               const Watches& watches,
                                               v1::GetServerInfoResponse info);

}  // namespace content::api
