#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "content/request_key.h"
#include "content/v1/content_service.pb.h"
#include "postgres/transaction.h"
#include "store/lock.h"

// Remembers the requests that wrote to an article, so that a repeated one is recognised. Used under
// the article's lock: of concurrent calls with one request_id, the first does the work and the
// others find its record.
namespace content::store {

/// What is remembered of a write, to answer its repetitions.
struct PastRequest {
  /// Empty if the write left no comment to answer with.
  std::string comment_id = {};
  /// Revision of the article after the write.
  int64_t revision = 0;
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
};

/// The requests that a transaction has read, and those that it adds. Not thread-safe.
class RequestLog {
 public:
  struct Key {
    /// The article's key in every table.
    std::string article_id;
    std::string request_id;

    bool operator<(const Key& other) const {
      return std::tie(article_id, request_id) < std::tie(other.article_id, other.request_id);
    }
  };

  explicit RequestLog(postgres::Transaction& transaction) : transaction_(transaction) {}

  /// Reads requests. Keys of requests that do not exist are ignored.
  void Read(const std::vector<Key>& keys);

  /// nullopt if the request is new, was not read, or has no id. REQUEST_ID_REUSED if another
  /// request has used the id. `article_id` is the article's key.
  absl::StatusOr<std::optional<PastRequest>> Find(const std::string& article_id,
                                                  const RequestKey& request) const;

  /// Adds a request and what it has done; nothing if the request has no id.
  void Record(const LockedArticle& article, const RequestKey& request,
              const std::string& comment_id = "",
              v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED);

  /// Whether a request was added whose caller gave its id and may repeat it. The others are there
  /// for a commit in doubt, and need not be written if nothing else is.
  bool has_callers_records() const;

  /// Writes the requests that were added, with the commit at the latest.
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

/// Reads one request and returns RequestLog::Find of it.
absl::StatusOr<std::optional<PastRequest>> FindRequest(postgres::Transaction& transaction,
                                                       const std::string& article_id,
                                                       const RequestKey& request);

/// Records one request and commits the transaction. Does neither if the request has changed nothing
/// and its caller cannot repeat it.
void CommitRequest(postgres::Transaction& transaction, const LockedArticle& article,
                   const RequestKey& request,
                   v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED);

}  // namespace content::store
