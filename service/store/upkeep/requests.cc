#include "store/upkeep/requests.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace content::store {
namespace {

// $1 retention. Records that it is in use, and removes those that no longer protect any request.
// Servers repeat this every minute or more often.
constexpr char kUseRetention[] = R"sql(
WITH ended AS (
  DELETE FROM request_retention
  WHERE used_time < now() - retention - interval '10 minutes' AND retention <> $1::interval
)
INSERT INTO request_retention (retention, used_time) VALUES ($1::interval, now())
ON CONFLICT (retention) DO UPDATE SET used_time = excluded.used_time
)sql";

// The longest, in microseconds. There is one.
constexpr char kSelectRetention[] =
    "SELECT (extract(epoch FROM max(retention)) * 1000000)::bigint FROM request_retention";

// $1 retention, $2 limit. Concurrent calls take different rows. The rows are deleted by ctid, which
// stays valid because they are locked; a join by key might scan the table.
constexpr char kDeleteRequests[] = R"sql(
DELETE FROM request WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM request WHERE create_time < now() - $1::interval
  ORDER BY create_time LIMIT $2::integer FOR UPDATE SKIP LOCKED))
)sql";

constexpr int kMaxForgotten = 1000;

std::string IntervalParameter(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Microseconds(duration), " microseconds");
}

}  // namespace

absl::StatusOr<ForgottenRequests> ForgetRequests(postgres::Connection& connection,
                                                 absl::Duration retention) {
  connection.Read(kUseRetention, IntervalParameter(retention));
  const auto longest = connection.Read(kSelectRetention)[0][0].as<int64_t>();
  ForgottenRequests forgotten{.retention = absl::Microseconds(longest)};
  forgotten.count = static_cast<int64_t>(
      connection.Read(kDeleteRequests, IntervalParameter(forgotten.retention), kMaxForgotten)
          .affected_rows());
  return forgotten;
}

}  // namespace content::store
