#include "store/upkeep/requests.h"

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "postgres/server_error.h"
#include "store/article_key.h"
#include "telemetry/log.h"

namespace content::store {
namespace {

// $1 retention. Records that it is in use. Servers repeat this every minute or more often.
constexpr char kUseRetention[] = R"sql(
INSERT INTO request_retention (retention, used_time) VALUES ($1::interval, now())
ON CONFLICT (retention) DO UPDATE SET used_time = excluded.used_time
)sql";

// Removes the retentions that no longer protect any request. The one in use stays.
constexpr char kEndRetentions[] =
    "DELETE FROM request_retention WHERE used_time < now() - retention - interval '10 minutes'";

// The longest, in microseconds. There is one.
constexpr char kSelectRetention[] =
    "SELECT (extract(epoch FROM max(retention)) * 1000000)::bigint FROM request_retention";

// Statements that make the partitions that are missing, of today and of the next days. Each has one
// day (UTC). A day that has begun without a partition does not get one any more. Partitions need no
// vacuuming, because their rows are never changed and are soon dropped.
constexpr char kSelectMissingDays[] = R"sql(
WITH begun AS MATERIALIZED (
  SELECT create_day FROM request_default WHERE create_day >= (now() AT TIME ZONE 'UTC')::date
  GROUP BY create_day
)
SELECT format('CREATE TABLE IF NOT EXISTS %I.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L) '
              'WITH (autovacuum_enabled = off)',
              n.nspname, name, r.oid::regclass, day, day + 1) AS statement
FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN generate_series(0, 3) AS ahead
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC')::date + ahead) AS days (day)
CROSS JOIN LATERAL (SELECT 'request_' || to_char(day, 'YYYYMMDD')) AS names (name)
WHERE r.oid = 'request'::regclass
  AND NOT EXISTS (SELECT FROM pg_class p WHERE p.relnamespace = r.relnamespace AND p.relname = name)
  AND day NOT IN (SELECT create_day FROM begun)
ORDER BY day
)sql";

// $1 retention. Statements that drop the partitions whose last request is older than that.
constexpr char kSelectOldDays[] = R"sql(
SELECT format('DROP TABLE IF EXISTS %s', p.oid::regclass) AS statement
FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
CROSS JOIN LATERAL (
  SELECT substring(pg_get_expr(p.relpartbound, p.oid) FROM 'TO \(''(.*)''\)')::date
) AS bounds (end_day)
WHERE i.inhparent = 'request'::regclass AND end_day <= (now() - $1::interval) AT TIME ZONE 'UTC'
ORDER BY end_day
)sql";

// $1 retention. The first day of which all requests are older than that, among those for which
// there was no partition.
constexpr char kSelectOldDefault[] = R"sql(
SELECT min(create_day) AS day FROM request_default
HAVING min(create_day) + 1 <= (now() - $1::interval) AT TIME ZONE 'UTC'
)sql";

// $1 bucket, $2 day.
constexpr char kDeleteDefault[] =
    "DELETE FROM request WHERE bucket = $1::smallint AND create_day = $2::date";

// What writes may wait for at most while partitions are made or dropped.
constexpr absl::Duration kLockTimeout = absl::Milliseconds(300);

std::string IntervalParameter(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Microseconds(duration), " microseconds");
}

// Runs a statement that changes the partitions. Returns false if others hold a lock on the table,
// or if the database refuses the statement. The next round tries again.
bool ChangePartitions(postgres::Connection& connection, const std::string& statement) {
  try {
    // The lock makes servers take turns, so that none makes or drops what another does.
    connection.RunScript(
        absl::StrCat("SET LOCAL lock_timeout = ", absl::ToInt64Milliseconds(kLockTimeout),
                     "; LOCK TABLE request IN SHARE UPDATE EXCLUSIVE MODE; ", statement));
    return true;
  } catch (const std::exception& exception) {
    const std::optional<postgres::ServerError> error = postgres::FindServerError(exception);
    if (!connection.is_open() || !error || absl::StartsWith(error->sqlstate, "57")) throw;
    if (error->sqlstate != "55P03") {
      log::Warning("request days not kept up",
                   {{"sqlstate", error->sqlstate}, {"message", error->message}});
    }
    return false;
  }
}

// Runs statements in turn, until one fails. Returns how many succeeded.
int64_t ChangePartitions(postgres::Connection& connection, const postgres::Result& statements) {
  int64_t count = 0;
  for (const auto& row : statements) {
    if (!ChangePartitions(connection, row["statement"].c_str())) break;
    ++count;
  }
  return count;
}

// Deletes an old day for which there was no partition. Returns the number of days: 0 or 1.
int64_t DeleteOldDefault(postgres::Connection& connection, const std::string& retention) {
  const postgres::Result old = connection.Read(kSelectOldDefault, retention);
  if (old.empty()) return 0;
  for (int bucket = 0; bucket < ArticleKey::kBuckets; ++bucket) {
    connection.Read(kDeleteDefault, bucket, old[0]["day"].c_str());
  }
  return 1;
}

}  // namespace

absl::StatusOr<ForgottenRequests> ForgetRequests(postgres::Connection& connection,
                                                 absl::Duration retention) {
  connection.Read(kUseRetention, IntervalParameter(retention));
  connection.Read(kEndRetentions);
  const auto longest = connection.Read(kSelectRetention)[0][0].as<int64_t>();
  ForgottenRequests forgotten{.retention = absl::Microseconds(longest)};
  const std::string retention_kept = IntervalParameter(forgotten.retention);
  ChangePartitions(connection, connection.Read(kSelectMissingDays));
  forgotten.count = ChangePartitions(connection, connection.Read(kSelectOldDays, retention_kept));
  forgotten.count += DeleteOldDefault(connection, retention_kept);
  return forgotten;
}

}  // namespace content::store
