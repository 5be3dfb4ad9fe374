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

/// What watches are served from. They go through a gate of their own: they end when the feeds stop,
/// and one whose reader has stalled must not hold up the end of the other calls.
struct Watches {
  watch::Feed& comments;
  watch::Feed& articles;
  Gate& gate;
  /// How long a reader may take over one message.
  absl::Duration write_timeout;
};

/// The services of content.v1 on a store, with what is read most from memory. Every call goes
/// through a gate. Store, reads, gates and feeds must outlive them. Their methods are thread-safe
/// and do not block.
std::unique_ptr<grpc::Service> NewContentService(Store& store, ReadCache& reads, Gate& gate,
                                                 const Watches& watches);

/// `info` is what GetServerInfo answers, less what changes.
std::unique_ptr<grpc::Service> NewAdminService(Store& store, ReadCache& reads, Gate& gate,
                                               const Watches& watches,
                                               v1::GetServerInfoResponse info);

}  // namespace content::api
