#include "store/upkeep/requests.h"

#include "store/columns.h"

namespace content::store {
namespace {

// $1 time, $2 limit. Instances that do this at the same time take different rows. Deleted by their
// place, where they stay, being locked: joined by key, the table might be scanned.
constexpr char kDeleteRequests[] = R"sql(
DELETE FROM request WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM request WHERE create_time < $1::timestamptz
  ORDER BY create_time LIMIT $2::integer FOR UPDATE SKIP LOCKED))
)sql";

constexpr int kForgetAtOnce = 1000;

}  // namespace

absl::StatusOr<int64_t> ForgetRequests(postgres::Connection& connection, absl::Time before) {
  return static_cast<int64_t>(
      connection.Read(kDeleteRequests, TimeParameter(before), kForgetAtOnce).affected_rows());
}

}  // namespace content::store
