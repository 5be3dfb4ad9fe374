#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/request_key.h"
#include "content/v1/content_service.pb.h"
#include "postgres/transaction.h"
#include "store/lock.h"

// Records the requests that wrote to an article, so that a repeated one is recognised. Used under
// the article's lock: of concurrent calls with the same request_id, the first does the work and the
// others find its record.
namespace content::store {

/// The record of a write, from which its repetitions are answered.
struct PastRequest {
  /// The comment to answer with; empty if there is none.
  std::string comment_id = {};
  /// Revision of the article after the write.
  int64_t revision = 0;
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
};

/// The requests that a transaction has read, and those that it adds. Not thread-safe.
class RequestLog {
 public:
  struct Key {
    ArticleKey article;
    std::string request_id;

    friend auto operator<=>(const Key&, const Key&) = default;
  };

  explicit RequestLog(postgres::Transaction& transaction) : transaction_(transaction) {}

  /// Reads requests. Ignores keys of requests that do not exist.
  void Read(const std::vector<Key>& keys);

  /// Returns the record of a request; nullopt if the request is new, was not read, or has no id.
  /// REQUEST_ID_REUSED if a different request has used the id.
  absl::StatusOr<std::optional<PastRequest>> Find(ArticleKey article,
                                                  const RequestKey& request) const;

  /// Adds a request with its outcome. Does nothing if the request has no id.
  void Record(const LockedArticle& article, const RequestKey& request,
              const std::string& comment_id = "",
              v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED);

  /// Returns whether a request was added whose caller gave the id and may repeat it. All other
  /// records only serve a commit in doubt, and need not be written if nothing else is.
  bool has_callers_records() const;

  /// Writes the requests that were added, at the latest with the commit.
  void Write() const;

 private:
  struct Entry {
    std::string fingerprint;  // empty: matches every request
    PastRequest past;
    bool is_new;
  };

  postgres::Transaction& transaction_;
  std::map<Key, Entry> entries_;
};

}  // namespace content::store
