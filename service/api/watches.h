#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "api/stream.h"
#include "content/v1/content_service.pb.h"
#include "watch/feed.h"

// The RPCs that stream changes: a check and a StreamHandler for each. content_service.proto says
// what they do.
namespace content::api {

/// The position at which the watcher begins or goes on.
absl::StatusOr<watch::Position> CheckWatchComments(const v1::WatchCommentsRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> WatchComments(watch::Feed& comments,
                                                        const v1::WatchCommentsRequest& request);

/// The same.
absl::StatusOr<watch::Position> CheckWatchArticles(const v1::WatchArticlesRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> WatchArticles(watch::Feed& articles,
                                                        const v1::WatchArticlesRequest& request);

}  // namespace content::api
