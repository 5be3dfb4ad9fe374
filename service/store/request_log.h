#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/store.h"
#include "postgres/transaction.h"
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

/// Requests as a transaction finds them, and what it adds to them.
class RequestLog {
 public:
  struct Key {
    /// Of the article in every table.
    std::string article_id;
    std::string request_id;

    bool operator<(const Key& other) const {
      return std::tie(article_id, request_id) < std::tie(other.article_id, other.request_id);
    }
  };

  explicit RequestLog(postgres::Transaction& transaction) : transaction_(transaction) {}

  /// Reads these requests. Those that are new are not found later.
  void Read(const std::vector<Key>& keys);

  /// Nothing if the request is new, was not read, or has no id. REQUEST_ID_REUSED if its id came
  /// with another request. `article_id` is the storage key.
  absl::StatusOr<std::optional<PastRequest>> Find(const std::string& article_id,
                                                  const RequestKey& request) const;

  /// Remembers what a request that has an id came to.
  void Record(const LockedArticle& article, const RequestKey& request,
              const std::string& comment_id = "",
              v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED);

  /// Whether requests were recorded whose callers may repeat them. Others are recorded for the case
  /// that a commit is in doubt, and if nothing has changed need none.
  bool has_callers_records() const;

  /// Writes what was recorded, with the commit at the latest.
  void Write() const;

 private:
  struct Entry {
    std::string fingerprint;  // empty: fits every request
    PastRequest past;
    bool is_new;
  };

  postgres::Transaction& transaction_;
  std::map<Key, Entry> entries_;
};

/// RequestLog::Find of one request, which is read.
absl::StatusOr<std::optional<PastRequest>> FindRequest(postgres::Transaction& transaction,
                                                       const std::string& article_id,
                                                       const RequestKey& request);

/// Records one request and commits what it has done; nothing if it has changed nothing and its
/// caller cannot repeat it.
void CommitRequest(postgres::Transaction& transaction, const LockedArticle& article,
                   const RequestKey& request,
                   v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED);

}  // namespace content::store
