#include "store/upkeep/requests.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
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

// What makes the partitions that are missing, of today and of the next days (UTC). `make` makes
// one. PostgreSQL first reads all of request_default, while writes wait, unless a valid constraint
// says that the day is not there: `exclude`, `validate` and `include` add, check and drop it.
// Partitions need no vacuuming, because their rows are never changed and are soon dropped. Reads no
// table of ours: on Citus, the catalog and tables that are elsewhere do not join.
constexpr char kSelectMissingDays[] = R"sql(
SELECT ahead,
       format('CREATE TABLE IF NOT EXISTS %I.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L) '
              'WITH (autovacuum_enabled = off)',
              n.nspname, 'request_' || digits, r.oid::regclass, day, day + 1) AS make,
       format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (create_day < %L OR create_day >= %L) '
              'NOT VALID', 'request_default'::regclass, without, day, day + 1) AS exclude,
       format('ALTER TABLE %s VALIDATE CONSTRAINT %I', 'request_default'::regclass, without)
         AS validate,
       format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', 'request_default'::regclass, without)
         AS include
FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN generate_series(0, 3) AS ahead
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC')::date + ahead) AS days (day)
CROSS JOIN LATERAL (SELECT to_char(day, 'YYYYMMDD')) AS dates (digits)
CROSS JOIN LATERAL (SELECT 'request_default_without_' || digits) AS names (without)
WHERE r.oid = 'request'::regclass
  AND NOT EXISTS (SELECT FROM pg_class p WHERE p.relnamespace = r.relnamespace
                                           AND p.relname = 'request_' || digits)
ORDER BY day
)sql";

// Until a day begins that request_default must not have, a server has this many days to drop the
// constraint, should the one that added it die. The day after it is left to request_default.
constexpr int kMinDaysToExclude = 2;

// $1 kMinDaysToExclude. Statements that drop the constraints of days that have a partition, and of
// days that begin too soon.
constexpr char kSelectEndedExclusions[] = R"sql(
SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', c.conrelid::regclass, c.conname)
         AS statement
FROM pg_constraint c JOIN pg_class d ON d.oid = c.conrelid
CROSS JOIN LATERAL (SELECT substring(c.conname FROM 'request_default_without_(\d{8})$'))
                   AS names (digits)
WHERE c.conrelid = 'request_default'::regclass
  AND (to_date(digits, 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date + $1::integer
       OR EXISTS (SELECT FROM pg_class p WHERE p.relnamespace = d.relnamespace
                                           AND p.relname = 'request_' || digits))
)sql";

// One row if there are any without a partition.
constexpr char kSelectAnyDefault[] =
    "SELECT create_day FROM request_default ORDER BY create_day LIMIT 1";

// $1 retention. Statements that drop the partitions whose last request is older than that.
constexpr char kSelectOldDays[] = R"sql(
SELECT format('DROP TABLE %s', p.oid::regclass) AS statement
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

// How long a change of the partitions waits for the locks of others, such as a backup: writes wait
// behind it.
constexpr absl::Duration kLockTimeout = absl::Milliseconds(50);

// How long it then runs, and writes wait, at most. It takes 3 ms, unless request_default is empty
// but has not been vacuumed yet. On Citus it takes 0.2 s, because every shard gets a partition.
constexpr absl::Duration kChangeTimeout = absl::Seconds(1);
constexpr absl::Duration kDistributedChangeTimeout = absl::Seconds(4);

// How long a change runs for which nothing waits. It reads 10 million rows in a second.
constexpr absl::Duration kValidateTimeout = absl::Seconds(4);

// How long a change waits for the changes of other servers.
constexpr absl::Duration kTurnTimeout = absl::Milliseconds(500);

// After a change that was refused.
constexpr absl::Duration kPause = absl::Minutes(5);

// The same, for lack of a right: the operator may have meant that.
constexpr absl::Duration kDeniedPause = absl::Hours(24);

std::string IntervalParameter(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Microseconds(duration), " microseconds");
}

int64_t Milliseconds(absl::Duration duration) { return absl::ToInt64Milliseconds(duration); }

// Returns a script that runs statements in one transaction, within the timeout all together.
// Servers take turns. (EXECUTE, because Citus refuses some of these in a script of several.)
std::string ChangeScript(const std::vector<std::string>& statements, absl::Duration timeout,
                         absl::Duration distributed_timeout) {
  std::string script = absl::StrCat(
      "SET LOCAL lock_timeout = ", Milliseconds(kTurnTimeout),
      "; SELECT pg_advisory_xact_lock('request'::regclass::oid::bigint)",
      "; SET LOCAL lock_timeout = ", Milliseconds(kLockTimeout),
      "; SELECT set_config('statement_timeout', CASE WHEN EXISTS (SELECT FROM pg_extension "
      "WHERE extname = 'citus') THEN '",
      Milliseconds(distributed_timeout), "' ELSE '", Milliseconds(timeout),
      "' END, true); DO $change$ BEGIN ");
  for (const std::string& statement : statements) {
    absl::StrAppend(&script, "EXECUTE $statement$", statement, "$statement$; ");
  }
  return absl::StrCat(script, "END $change$");
}

// Returns whether the error means that there is nothing to do any more: another server has made or
// dropped it (42P01, 42P07, 42704, 42710), or a write that found no partition has begun the day
// (23514).
bool IsOvertaken(const std::string& sqlstate) {
  return sqlstate == "42P01" || sqlstate == "42P07" || sqlstate == "42704" || sqlstate == "42710" ||
         sqlstate == "23514";
}

// Changes the partitions until others hold a lock for too long, or the database refuses a change.
// Then moves `pause_end`, until which it changes nothing. Not thread-safe.
class Days {
 public:
  Days(postgres::Connection& connection, std::atomic<SteadyTime>& pause_end)
      : connection_(connection), pause_end_(pause_end) {}

  // Lets request_default have days again that a server which died has excluded.
  void EndExclusions() {
    for (const auto& row : connection_.Read(kSelectEndedExclusions, kMinDaysToExclude)) {
      Change({row["statement"].c_str()});
    }
  }

  // Returns the number of days dropped.
  int64_t DropOld(const std::string& retention) {
    int64_t count = 0;
    for (const auto& row : connection_.Read(kSelectOldDays, retention)) {
      count += Change({row["statement"].c_str()}) ? 1 : 0;
    }
    return count;
  }

  void MakeMissing() {
    const postgres::Result missing = connection_.Read(kSelectMissingDays);
    if (missing.empty()) return;
    const bool is_default_used = !connection_.Read(kSelectAnyDefault).empty();
    for (const auto& row : missing) {
      if (!is_default_used) {
        Change({row["make"].c_str()});
      } else if (row["ahead"].as<int>() >= kMinDaysToExclude) {
        MakeBesideDefault(row);
      }
    }
  }

 private:
  // If another server is doing the same, both do what is left. A day that request_default has
  // after all stays excluded until kMinDaysToExclude.
  void MakeBesideDefault(const postgres::Row& day) {
    Change({day["exclude"].c_str()});
    if (Change({day["validate"].c_str()}, kValidateTimeout)) {
      Change({day["make"].c_str(), day["include"].c_str()});
    }
  }

  // Runs statements in one transaction. Returns whether it did.
  bool Change(const std::vector<std::string>& statements, absl::Duration timeout = kChangeTimeout) {
    if (SteadyClock::System().Now() < pause_end_.load()) return false;
    try {
      connection_.Run(ChangeScript(statements, timeout, kDistributedChangeTimeout));
      return true;
    } catch (const std::exception& exception) {
      const std::optional<postgres::ServerError> error = postgres::FindServerError(exception);
      if (!connection_.is_open() || !error || absl::StartsWith(error->sqlstate, "57P")) throw;
      if (IsOvertaken(error->sqlstate)) return false;
      const bool is_denied = error->sqlstate == "42501";
      pause_end_ = SteadyClock::System().Now() + (is_denied ? kDeniedPause : kPause);
      if (error->sqlstate != "55P03") {
        log::Warning("request days not kept up",
                     {{"sqlstate", error->sqlstate}, {"message", error->message}});
      }
      return false;
    }
  }

  postgres::Connection& connection_;
  std::atomic<SteadyTime>& pause_end_;
};

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

absl::StatusOr<ForgottenRequests> RequestDays::Forget(postgres::Connection& connection,
                                                      absl::Duration retention) {
  connection.Read(kUseRetention, IntervalParameter(retention));
  connection.Read(kEndRetentions);
  const auto longest = connection.Read(kSelectRetention)[0][0].as<int64_t>();
  ForgottenRequests forgotten{.retention = absl::Microseconds(longest)};
  const std::string retention_kept = IntervalParameter(forgotten.retention);
  Days days(connection, pause_end_);
  days.EndExclusions();
  forgotten.count = days.DropOld(retention_kept);
  // May take all the time there is, but not for ever: what is deleted stays deleted.
  forgotten.count += DeleteOldDefault(connection, retention_kept);
  days.MakeMissing();
  return forgotten;
}

}  // namespace content::store
