#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "api/stream.h"
#include "content/v1/content_service.pb.h"
#include "watch/feed.h"

// The RPCs that stream changes; see content_service.proto. Each has a check and a StreamHandler.
namespace content::api {

/// Returns the position at which the watcher begins or continues.
absl::StatusOr<watch::Position> CheckWatchComments(const v1::WatchCommentsRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> WatchComments(watch::Feed& comments,
                                                        const v1::WatchCommentsRequest& request);

/// Returns the position at which the watcher begins or continues.
absl::StatusOr<watch::Position> CheckWatchArticles(const v1::WatchArticlesRequest& request);
absl::StatusOr<std::unique_ptr<Producer>> WatchArticles(watch::Feed& articles,
                                                        const v1::WatchArticlesRequest& request);

}  // namespace content::api
