#include "store/requests.h"

#include "content/errors.h"
#include "store/rows.h"

namespace content::store {
namespace {

// $1 article key, $2 request id.
constexpr char kSelectRequest[] =
    "SELECT encode(fingerprint, 'hex') AS fingerprint, comment_id, revision, outcome FROM request "
    "WHERE article_id = $1 AND request_id = $2::uuid";

// $1 article key, $2 request id, $3 fingerprint (hex), $4 comment id or '', $5 revision, $6
// outcome, $7 now.
constexpr char kInsertRequest[] = R"sql(
INSERT INTO request (article_id, request_id, fingerprint, comment_id, revision, outcome, create_time)
VALUES ($1, $2::uuid, decode($3, 'hex'), NULLIF($4, '')::uuid, $5::bigint, $6::smallint,
        $7::timestamptz)
)sql";

// $1 time, $2 limit. Instances that do this at the same time take different rows. Deleted by their
// place, where they stay, being locked: joined by key, the table might be scanned.
constexpr char kDeleteRequests[] = R"sql(
DELETE FROM request WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM request WHERE create_time < $1::timestamptz
  ORDER BY create_time LIMIT $2::integer FOR UPDATE SKIP LOCKED))
)sql";

constexpr int kForgetAtOnce = 1000;

}  // namespace

absl::StatusOr<std::optional<PastRequest>> FindRequest(Transaction& transaction,
                                                       const std::string& article_id,
                                                       const RequestKey& request) {
  if (request.id.empty()) return std::nullopt;
  const pqxx::result rows = transaction.Exec(kSelectRequest, article_id, request.id);
  if (rows.empty()) return std::nullopt;
  const std::string fingerprint = rows[0]["fingerprint"].c_str();
  if (!fingerprint.empty() && fingerprint != request.fingerprint) {
    return RequestIdReused(request.id);
  }
  return PastRequest{.comment_id = rows[0]["comment_id"].c_str(),
                     .revision = rows[0]["revision"].as<int64_t>(),
                     .outcome = static_cast<v1::PublishOutcome>(rows[0]["outcome"].as<int>())};
}

void RecordRequest(Transaction& transaction, const LockedArticle& article,
                   const RequestKey& request, const std::string& comment_id,
                   v1::PublishOutcome outcome) {
  const bool is_callers = !request.fingerprint.empty();
  if (!article.changed && !is_callers) return;
  transaction.Exec(kInsertRequest, article.id, request.id, request.fingerprint, comment_id,
                   article.revision, static_cast<int>(outcome), NowParameter());
}

absl::StatusOr<int64_t> ForgetRequests(Connection& connection, absl::Time before) {
  return static_cast<int64_t>(
      connection.Read(kDeleteRequests, TimeParameter(before), kForgetAtOnce).affected_rows());
}

}  // namespace content::store
