#include "store/upkeep/requests.h"

#include "store/columns.h"

namespace content::store {
namespace {

// $1 time, $2 limit. Concurrent calls take different rows. The rows are deleted by ctid, which
// stays valid because they are locked; a join by key might scan the table.
constexpr char kDeleteRequests[] = R"sql(
DELETE FROM request WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM request WHERE create_time < $1::timestamptz
  ORDER BY create_time LIMIT $2::integer FOR UPDATE SKIP LOCKED))
)sql";

constexpr int kMaxForgotten = 1000;

}  // namespace

absl::StatusOr<int64_t> ForgetRequests(postgres::Connection& connection, absl::Time before) {
  return static_cast<int64_t>(
      connection.Read(kDeleteRequests, TimeParameter(before), kMaxForgotten).affected_rows());
}

}  // namespace content::store
