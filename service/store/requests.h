#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "store/connection.h"
#include "store/lock.h"

// Writes that carried a request_id, remembered per article so that a repeated one is recognised. To
// be used under the article's lock: of calls with one id at the same time, the first does the work
// and the others find its record.
namespace content::store {

/// What a write left to answer its repetitions with.
struct PastRequest {
  /// Empty if it was not about a comment.
  std::string comment_id = {};
  /// The article's, after the write.
  int64_t revision = 0;
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
};

/// What the same request did before; nothing if it is new or has no id. REQUEST_ID_REUSED if its id
/// came with another request. `article_id` is the storage key.
absl::StatusOr<std::optional<PastRequest>> FindRequest(Transaction& transaction,
                                                       const std::string& article_id,
                                                       const RequestKey& request);

/// Remembers what the request has done to the article. One that changed nothing is remembered only
/// if its id is the caller's: it may as well be done again.
void RecordRequest(Transaction& transaction, const LockedArticle& article,
                   const RequestKey& request, const std::string& comment_id = "",
                   v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED);

/// See Store::ForgetRequests.
absl::StatusOr<int64_t> ForgetRequests(Connection& connection, absl::Time before);

}  // namespace content::store
