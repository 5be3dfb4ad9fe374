#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "api/stream.h"
#include "content/store.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"
#include "watch/feed.h"

// One function for each streaming RPC, of the form StreamHandler (stream.h); what it does is said
// in the proto files.
namespace content::api::streams {

absl::StatusOr<std::unique_ptr<Producer>> WatchComments(watch::Feed& comments,
                                                        const v1::WatchCommentsRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> WatchArticles(watch::Feed& articles,
                                                        const v1::WatchArticlesRequest& request);

absl::StatusOr<std::unique_ptr<Producer>> ExportAuthor(Store& store,
                                                       const v1::ExportAuthorRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> EraseAuthor(Store& store,
                                                      const v1::EraseAuthorRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> VerifyCounters(Store& store,
                                                         const v1::VerifyCountersRequest& request);

}  // namespace content::api::streams
