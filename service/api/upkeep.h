#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "api/stream.h"
#include "base/call.h"
#include "base/memory_guard.h"
#include "content/read_cache.h"
#include "content/upkeep.h"
#include "content/v1/admin_service.pb.h"
#include "watch/feed.h"

// The RPCs for operators; see admin_service.proto. Each has a check and a handler or StreamHandler.
namespace content::api {

/// Returns the author's id.
absl::StatusOr<std::string> CheckExportAuthor(const v1::ExportAuthorRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> ExportAuthor(Upkeep& upkeep,
                                                       const v1::ExportAuthorRequest& request);

/// Returns the author's id.
absl::StatusOr<std::string> CheckEraseAuthor(const v1::EraseAuthorRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> EraseAuthor(Upkeep& upkeep,
                                                      const v1::EraseAuthorRequest& request);

absl::StatusOr<VerifyQuery> CheckVerifyCounters(const v1::VerifyCountersRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> VerifyCounters(Upkeep& upkeep,
                                                         const v1::VerifyCountersRequest& request);

/// The parts that GetServerInfo describes. The references must outlive it.
struct ServerParts {
  Upkeep& upkeep;
  ReadCache& cache;
  const watch::Feed& comments;
  const watch::Feed& articles;
  const MemoryGuard& memory;
  /// The fields that do not change while the server runs.
  v1::GetServerInfoResponse info;
};

void GetServerInfo(const ServerParts& server, CallContext call, v1::GetServerInfoRequest request,
                   Callback<v1::GetServerInfoResponse> done);

}  // namespace content::api
