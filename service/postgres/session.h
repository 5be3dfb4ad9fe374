#pragma once

namespace content::postgres {

/// SQL that brings a new session into the state that our statements rely on, whatever the
/// configuration of the server, the database, the role and libpq's environment is. The search path
/// and read-only mode stay the operator's. Its last result is the server's version, which database
/// it is (ReadDatabaseId), and whether tables may be distributed; the timeline is NULL on a
/// standby. (PostgreSQL's control file has the timeline too, but only learns of a promotion at the
/// next checkpoint.)
///
/// - Text is sent and received in UTF-8, and values have one notation.
/// - A limit of the operator's must not end statements or sessions: the pool sets its own.
/// - A client that hangs or was cut off must not keep rows locked.
/// - Locking relies on READ COMMITTED.
/// - An acknowledged commit must be on disk.
/// - A floating-point number that comes back as a parameter must be exact.
/// - Compiling a statement (jit) takes longer than running it.
/// - So does planning it anew for each execution: a read by key runs in 0.02 ms and is planned in
///   0.2 ms. None of our plans gets better by knowing the parameters. Citus is the exception: it
///   has to know the bucket to tell where a statement must go. There PostgreSQL chooses.
/// - A plan that was made while a table was empty is used for some seconds while the table fills
///   (pool.cc), and reading all of an empty table is cheapest. So tables are read by their indexes,
///   if they have any.
/// - Opening more connections to the workers takes Citus longer than writing a few rows to several
///   shards in turn. (Elsewhere this setting means nothing.)
inline constexpr char kSessionSettings[] = R"sql(
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
SET bytea_output = 'hex';
SET extra_float_digits = 1;
SET transform_null_equals = off;
SET client_min_messages = warning;
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_session_timeout = 0;
SET idle_in_transaction_session_timeout = '10s';
SELECT set_config('transaction_timeout', '0', false)  -- since PostgreSQL 17
WHERE current_setting('transaction_timeout', true) IS NOT NULL;
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET default_transaction_isolation = 'read committed';
SET default_transaction_deferrable = off;
SET jit = off;
SET citus.multi_shard_modify_mode = 'sequential';
SELECT set_config('plan_cache_mode', CASE WHEN EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')
                                     THEN 'auto' ELSE 'force_generic_plan' END, false);
SET enable_seqscan = off;
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off';
SELECT current_setting('server_version') AS server_version, system_identifier,
       CASE WHEN NOT pg_is_in_recovery()
            THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS is_distributed
FROM pg_control_system()
)sql";

}  // namespace content::postgres
