#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "absl/time/time.h"
#include "api/admission.h"
#include "base/memory_guard.h"
#include "content/read_cache.h"
#include "content/store.h"
#include "content/v1/admin_service.pb.h"
#include "watch/feed.h"

namespace content::api {

/// What watches need, and other streams.
struct Watches {
  watch::Feed& comments;
  watch::Feed& articles;
  /// Maximum time for a reader to take one message.
  absl::Duration write_timeout;
};

/// Creates ContentService, which answers the most frequent reads from `cache` and all other calls
/// from `store`. Every call but a watch is one of `calls` until it is answered: watches end
/// when the feeds stop, and one whose reader has stalled must not delay the drain. Store, cache,
/// feeds and what `passage` refers to must outlive the service. Its methods are thread-safe and do
/// not block.
std::unique_ptr<grpc::Service> NewContentService(Store& store, ReadCache& cache,
                                                 const Passage& passage, const Watches& watches);

/// Creates AdminService in the same way. `info` is the constant part of GetServerInfo's answer;
/// `memory` must outlive the service.
std::unique_ptr<grpc::Service> NewAdminService(Store& store, ReadCache& cache,
                                               const Passage& passage, const Watches& watches,
                                               const MemoryGuard& memory,
                                               v1::GetServerInfoResponse info);

}  // namespace content::api
