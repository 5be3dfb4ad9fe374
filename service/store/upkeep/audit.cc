#include "store/upkeep/audit.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "content/uuid.h"

namespace content::store {
namespace {

// Maximum number of events deleted at once. It takes some milliseconds.
constexpr int kMaxForgottenEvents = 1000;

// Stands for all longer ones: no event is as old.
constexpr absl::Duration kForEver = absl::Hours(24 * 365 * 1000);

// $1 retention. Records that it is in use. Servers repeat this every minute.
constexpr char kUseAuditRetention[] = R"sql(
INSERT INTO audit_retention (retention, used_time) VALUES ($1::interval, now())
ON CONFLICT (retention) DO UPDATE SET used_time = excluded.used_time
)sql";

// A server that does not renew its retention may have stopped, or the database was away from it. It
// gets a day to come back, lest one with a shorter retention that comes first deletes too much.
constexpr char kEndAuditRetentions[] =
    "DELETE FROM audit_retention WHERE used_time < now() - interval '1 day'";

// The time, in microseconds, before which events are old. There is one.
constexpr char kSelectStartOfTrail[] =
    "SELECT (extract(epoch FROM now() - max(retention)) * 1000000)::bigint FROM audit_retention";

// $1 the first event that is kept, $2 limit.
constexpr char kSelectOldEvents[] =
    "SELECT event_id FROM audit_event WHERE event_id < $1::uuid "
    "ORDER BY event_id LIMIT $2::integer";

// $1 event.
constexpr char kDeleteEventsUntil[] = "DELETE FROM audit_event WHERE event_id <= $1::uuid";

}  // namespace

absl::StatusOr<int64_t> ForgetAuditEvents(postgres::Connection& connection,
                                          absl::Duration retention) {
  const absl::Duration used = std::min(retention, kForEver);
  connection.Read(kUseAuditRetention,
                  absl::StrCat(absl::ToInt64Microseconds(used), " microseconds"));
  connection.Read(kEndAuditRetentions);
  const auto start = absl::FromUnixMicros(connection.Read(kSelectStartOfTrail)[0][0].as<int64_t>());
  const postgres::Result old =
      connection.Read(kSelectOldEvents, FirstUuidAt(start), kMaxForgottenEvents);
  if (old.empty()) return 0;
  const std::string last = old[old.size() - 1][0].c_str();
  return static_cast<int64_t>(connection.Read(kDeleteEventsUntil, last).affected_rows());
}

}  // namespace content::store
