#include "postgres/migrator.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "postgres/connect_error.h"
#include "postgres/dsn.h"
#include "postgres/known_database.h"
#include "postgres/schema_history.h"
#include "postgres/server_error.h"
#include "postgres/transaction.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

// A number that other programs on the same database are unlikely to lock.
constexpr int64_t kMigrationLock = 0x636f6e74656e74;  // "content"
// The application_name of sessions that migrate or check the schema. They are not taken for a
// server's.
constexpr char kMigratorName[] = "contentd migrate";
constexpr char kTurnName[] = "contentd migrate (turn)";

// Overrules a name in `complete_dsn`: the last value of a keyword counts.
std::string NameSessions(absl::string_view complete_dsn, absl::string_view name) {
  return absl::StrCat(complete_dsn, " application_name=", QuoteDsnValue(name));
}

// Returns a CompleteDsn for such a session.
absl::StatusOr<std::string> MigratorDsn(const std::string& dsn) {
  absl::StatusOr<std::string> complete = CompleteDsn(dsn);
  if (complete.ok()) *complete = NameSessions(*complete, kMigratorName);
  return complete;
}

// Opens a session on the primary. `dsn` is a CompleteDsn.
std::unique_ptr<Connection> OpenSession(const std::string& dsn) {
  std::unique_ptr<Connection> connection;
  KnownDatabase(dsn).TryHosts([&connection](const std::string& each) {
    connection = std::make_unique<Connection>(each);
    connection->PrepareSession();
  });
  return connection;
}

constexpr absl::Duration kTurnInterval = absl::Milliseconds(200);

// How long a step waits for a lock, and everybody else behind it. Shorter than deadlock_timeout
// (1 s), after which PostgreSQL looks for a deadlock, so a step never wins one.
constexpr absl::Duration kLockTimeout = absl::Milliseconds(300);
// The same while nobody is served. Longer than deadlock_timeout, after which PostgreSQL cancels an
// autovacuum that is in the way.
constexpr absl::Duration kLongLockTimeout = absl::Seconds(3);
// Between attempts to get a lock, so that those who waited behind are done.
constexpr absl::Duration kMinPause = absl::Milliseconds(200);
constexpr absl::Duration kMaxPause = absl::Seconds(5);

// How long a statement may run whose locks may be in the way of servers; this includes waiting.
constexpr absl::Duration kStatementLimit = absl::Milliseconds(500);
constexpr int kMaxSlowAttempts = 3;

// Batches. Their rows are locked until they are committed. Larger ones would be planned as a scan
// of the table, and hardly be faster.
constexpr int64_t kFirstBatch = 500;
constexpr int64_t kMaxBatch = 2'000;
constexpr absl::Duration kShortBatch = absl::Milliseconds(50);
constexpr absl::Duration kLongBatch = absl::Milliseconds(150);

constexpr absl::Duration kReportInterval = absl::Seconds(2);

// Servers that have just been stopped may still be in the list of sessions for a moment.
constexpr absl::Duration kServersInterval = absl::Milliseconds(200);
constexpr int kServersAttempts = 10;

void Sleep(absl::Duration duration) { SteadyClock::System().SleepFor(duration, {}); }

// ---- Taking turns ----

// The right to migrate, which one process has at a time: a lock in a transaction that stays open on
// a connection of its own. A lock of the session would outlive the process behind a pooler.
//
// Between its statements it must have no snapshot, because CREATE INDEX CONCURRENTLY waits for the
// end of older ones. A statement that is not sent as text keeps its snapshot until the next.
class Turn {
 public:
  explicit Turn(const std::string& dsn)
      : connection_(OpenSession(NameSessions(dsn, kTurnName))), transaction_(*connection_) {
    transaction_.ExecWithQueued(
        "SELECT set_config('idle_in_transaction_session_timeout', '0', true)");
  }

  // Waits until no other process has it. A statement that waits for the lock would keep a snapshot,
  // for whose end the owner's CREATE INDEX CONCURRENTLY would wait in turn.
  void Await(const MigrateOptions& options) {
    for (bool is_reported = false; !Try(); Sleep(kTurnInterval)) {
      if (!std::exchange(is_reported, true)) options.report("waiting for another migration to end");
    }
  }

  // Throws if the right was lost with the connection.
  void Check() { transaction_.ExecWithQueued("SELECT 1"); }

 private:
  bool Try() {
    return transaction_.ExecWithQueued("SELECT pg_try_advisory_xact_lock($1)", kMigrationLock)[0][0]
        .as<bool>();
  }

  const std::unique_ptr<Connection> connection_;
  Transaction transaction_;
};

// ---- Servers that are connected ----

// Version 0 stands for servers that do not tell theirs. Servers that may not read the history
// belong to another installation.
constexpr char kSelectServers[] = R"sql(
SELECT count(*) AS sessions,
       coalesce(min(coalesce(substring(application_name FROM 'schema ([0-9]+)')::integer, 0)), 0)
         AS version
FROM pg_stat_activity
WHERE datname = current_database()
  AND application_name ~ '^contentd( schema [0-9]+)?( notifications)?$'
  AND has_table_privilege(usesysid, to_regclass('schema_migration'), 'SELECT'))sql";

struct Servers {
  int64_t sessions;
  int version;  // the oldest schema that one of them needs
};

Servers FindServers(Connection& connection) {
  const Result found = connection.Read(kSelectServers);
  return {.sessions = found[0]["sessions"].as<int64_t>(), .version = found[0]["version"].as<int>()};
}

// Returns whether servers that need `version` work while and after `migration` is applied.
bool WorksWith(const Migration& migration, int version) {
  return version >= migration.version ||
         (version == migration.version - 1 && IsCompatible(migration));
}

// ---- Steps ----

bool IsContention(absl::string_view sqlstate) {
  return sqlstate == "55P03" || sqlstate == "40P01" || sqlstate == "40001";
}

bool IsTimeout(absl::string_view sqlstate) { return sqlstate == "57014"; }

absl::Duration Jittered(absl::Duration pause) {
  thread_local absl::BitGen random;
  return pause * absl::Uniform(random, 0.5, 1.0);
}

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Milliseconds(duration));
}

void SetLimits(Connection& connection, absl::Duration lock, absl::Duration statement) {
  connection.Run(absl::StrCat("SET lock_timeout = ", Milliseconds(lock),
                              "; SET statement_timeout = ", Milliseconds(statement)));
}

constexpr absl::string_view kTryingAgain = "others use what it must lock; trying again";

// Called when an attempt took too long. Returns OK if another should be made.
using OnTimeout = std::function<absl::Status()>;

// Calls `attempt` until it has not failed because other sessions were in its way; before it waits,
// calls `report` now and then. Returns an error of `on_timeout`, which is nullptr if attempts have
// no time limit.
absl::Status RepeatUntilDone(const Connection& connection, absl::FunctionRef<void()> attempt,
                             const OnTimeout& on_timeout, absl::FunctionRef<void()> report) {
  SteadyTime next_report = SteadyTime::InfinitePast();
  for (absl::Duration pause = kMinPause;; pause = std::min(2 * pause, kMaxPause)) {
    try {
      attempt();
      return absl::OkStatus();
    } catch (const std::exception& exception) {
      const std::optional<ServerError> error = FindServerError(exception);
      const bool is_timeout = on_timeout != nullptr && error && IsTimeout(error->sqlstate);
      const bool may_repeat = is_timeout || (error && IsContention(error->sqlstate));
      if (!may_repeat || !connection.is_open()) throw;
      if (is_timeout) {
        if (absl::Status status = on_timeout(); !status.ok()) return status;
      }
    }
    if (SteadyNow() >= next_report) {
      report();
      next_report = SteadyNow() + kReportInterval;
    }
    Sleep(Jittered(pause));
  }
}

// Waits a moment for servers to end that would not work with the migration.
absl::Status CheckServers(Connection& connection, const Migration& migration) {
  Servers servers = FindServers(connection);
  for (int i = 1; i < kServersAttempts; ++i) {
    if (servers.sessions == 0 || WorksWith(migration, servers.version)) return absl::OkStatus();
    Sleep(kServersInterval);
    servers = FindServers(connection);
  }
  const std::string version =
      servers.version == 0 ? "of an older kind" : absl::StrCat("for schema ", servers.version);
  return absl::FailedPreconditionError(absl::StrCat(
      "servers ", version, " are connected (", servers.sessions,
      " sessions), and they do not work with migration ", migration.name,
      ": stop them, and run `contentd migrate` again. (If none runs, a pooler may have kept the "
      "sessions: --servers-are-stopped does not look for them.)"));
}

// Returns a transaction's SQL as one statement, to which a time limit applies as a whole.
std::string AsOneStatement(absl::string_view sql) {
  return absl::StrCat("DO $contentd_step$ BEGIN EXECUTE $contentd_sql$", sql,
                      "$contentd_sql$; END $contentd_step$");
}

// The index that a step makes, in the schema of our tables, if it is there in some form.
constexpr char kSelectIndex[] = R"sql(
SELECT format('%I.%I', n.nspname, c.relname) AS name, i.indisvalid,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
         AS is_being_made
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $1
  AND n.oid = (SELECT relnamespace FROM pg_class WHERE oid = 'schema_migration'::regclass))sql";

// Returns whether an earlier run may have changed something, not just announced the migration.
bool HasBegun(const MigrationProgress& recorded, const std::vector<MigrationStep>& steps) {
  return recorded.steps_left < static_cast<int>(steps.size()) || !recorded.cursor.empty() ||
         steps.front().kind != MigrationStep::Kind::kTransaction;
}

// A migration under way.
class Application {
 public:
  // `begun`: how far it has come, if it was begun before.
  Application(Connection& connection, Turn& turn, const MigrateOptions& options,
              const Migration& migration, const std::vector<MigrationStep>& steps,
              const std::optional<MigrationProgress>& begun)
      : connection_(connection),
        turn_(turn),
        options_(options),
        migration_(migration),
        steps_(steps),
        has_begun_(begun && HasBegun(*begun, steps)),
        progress_(begun.value_or(MigrationProgress{.steps_left = static_cast<int>(steps.size())})) {
  }

  absl::Status Run() {
    // A transaction can be recorded with its changes if servers need not know of it before.
    const bool begins_with_record =
        IsCompatible(migration_) && steps_.front().kind == Kind::kTransaction;
    return has_begun_ || begins_with_record ? RunSteps() : AnnounceAndRunSteps();
  }

 private:
  using Kind = MigrationStep::Kind;

  // Servers that start from now on know of the migration. Those that started before are looked for.
  absl::Status AnnounceAndRunSteps() {
    const MigrationProgress announced = progress_;
    connection_.RunScript(RecordScript(migration_, announced, announced));
    try {
      absl::Status status =
          options_.servers_are_stopped ? absl::OkStatus() : CheckServers(connection_, migration_);
      if (status.ok()) status = RunSteps();
      if (!status.ok()) WithdrawUnlessChanged(announced);
      return status;
    } catch (const std::exception&) {
      WithdrawUnlessChanged(announced);
      throw;
    }
  }

  // If the announcement cannot be withdrawn, the next run goes on with the migration.
  void WithdrawUnlessChanged(const MigrationProgress& announced) {
    if (has_changed_) return;
    try {
      turn_.Check();
      Withdraw(connection_, migration_, announced);
    } catch (const std::exception&) {
    }
  }

  absl::Status RunSteps() {
    while (progress_.steps_left > 0) {
      turn_.Check();
      const MigrationStep& step = steps_[steps_.size() - static_cast<size_t>(progress_.steps_left)];
      Report(DescribeStep(step));
      if (absl::Status status = RunStep(step); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status RunStep(const MigrationStep& step) {
    if (step.kind != Kind::kTransaction) has_changed_ = true;
    switch (step.kind) {
      case Kind::kTransaction:
        return RunTransaction(step);
      case Kind::kStatement:
        return RunAlone([&] { connection_.Run(std::string(step.sql)); });
      case Kind::kIndex:
        return RunAlone([&] { MakeIndex(step); });
      case Kind::kBatches:
        break;
    }
    return RunBatches(step);
  }

  absl::Status RunTransaction(const MigrationStep& step) {
    const MigrationProgress next = AfterStep();
    const auto attempt = [&] {
      const bool may_hold_up = IsCompatible(migration_) && !options_.servers_are_stopped &&
                               FindServers(connection_).sessions > 0;
      if (may_hold_up) {
        SetLimits(connection_, kLockTimeout, kStatementLimit);
      } else {
        SetLimits(connection_, kLongLockTimeout, absl::ZeroDuration());
      }
      connection_.RunScript(
          absl::StrCat(may_hold_up ? AsOneStatement(step.sql) : std::string(step.sql), ";\n",
                       RecordScript(migration_, progress_, next)));
    };
    int timeouts = 0;
    const auto on_timeout = [&] {
      return ++timeouts < kMaxSlowAttempts ? absl::OkStatus() : TakesTooLong();
    };
    if (absl::Status status = Repeat(attempt, on_timeout); !status.ok()) return status;
    progress_ = next;
    has_changed_ = true;
    return absl::OkStatus();
  }

  // Nobody waits behind these statements, so they wait for locks for as long as it takes.
  absl::Status RunAlone(absl::FunctionRef<void()> statement) {
    const MigrationProgress next = AfterStep();
    const auto attempt = [&] {
      SetLimits(connection_, absl::ZeroDuration(), absl::ZeroDuration());
      statement();
    };
    if (absl::Status status = Repeat(attempt, nullptr); !status.ok()) return status;
    connection_.RunScript(RecordScript(migration_, progress_, next));
    progress_ = next;
    return absl::OkStatus();
  }

  void MakeIndex(const MigrationStep& step) {
    const std::string object(step.object);
    for (bool is_reported = false;;) {
      const Result found = connection_.Read(kSelectIndex, object);
      if (found.empty()) break;
      if (found[0]["indisvalid"].as<bool>()) return;
      if (!found[0]["is_being_made"].as<bool>()) {
        connection_.Run(absl::StrCat("DROP INDEX CONCURRENTLY ", found[0]["name"].text()));
        break;
      }
      // By a process that has lost its turn or was killed.
      if (!std::exchange(is_reported, true)) Report("waiting for a session that makes the index");
      Sleep(kTurnInterval);
      turn_.Check();
    }
    connection_.Run(std::string(step.sql));
  }

  absl::Status RunBatches(const MigrationStep& step) {
    const int step_number = progress_.steps_left;
    const int64_t total = EstimateRows(step);
    int64_t size = kFirstBatch;
    SteadyTime next_report = SteadyNow();
    while (progress_.steps_left == step_number) {
      turn_.Check();
      absl::Duration took;
      const auto attempt = [&] {
        SetLimits(connection_, kLockTimeout, kStatementLimit);
        const SteadyTime start = SteadyNow();
        RunBatch(step, size);
        took = SteadyNow() - start;
      };
      const auto shrink = [&] {
        if (size == 1) return TakesTooLong();
        size = std::max<int64_t>(size / 4, 1);
        return absl::OkStatus();
      };
      if (absl::Status status = Repeat(attempt, shrink); !status.ok()) return status;
      if (took > kLongBatch) size = std::max<int64_t>(size / 2, 1);
      if (took < kShortBatch) size = std::min(size * 2, kMaxBatch);
      if (SteadyNow() >= next_report && progress_.steps_left == step_number) {
        Report(DescribeRows(step, total));
        next_report = SteadyNow() + kReportInterval;
      }
      if (IsCompatible(migration_)) Sleep(took);  // half of the time is the servers'
    }
    return absl::OkStatus();
  }

  void RunBatch(const MigrationStep& step, int64_t size) {
    Transaction transaction(connection_);
    const Result batch = transaction.Exec(std::string(step.sql), size, progress_.cursor);
    MigrationProgress next = AfterStep();
    if (!batch.empty() && !batch[0]["cursor"].is_null()) {
      next = {.steps_left = progress_.steps_left,
              .cursor = batch[0]["cursor"].as<std::string>(),
              .row_count = progress_.row_count + batch[0]["rows"].as<int64_t>()};
    }
    Record(transaction, migration_, progress_, next);
    transaction.Commit();
    progress_ = next;
  }

  absl::Status Repeat(absl::FunctionRef<void()> attempt, const OnTimeout& on_timeout) {
    return RepeatUntilDone(connection_, attempt, on_timeout, [this] { Report(kTryingAgain); });
  }

  absl::Status TakesTooLong() const {
    return absl::FailedPreconditionError(absl::StrCat(
        "migration ", migration_.name, ", ", Place(),
        ", takes too long to be run while servers are connected, or waits for "
        "a lock each time: see which sessions hold locks, or stop the servers, and run "
        "`contentd migrate` again"));
  }

  MigrationProgress AfterStep() const { return {.steps_left = progress_.steps_left - 1}; }

  int64_t EstimateRows(const MigrationStep& step) {
    const Result found = connection_.Read(
        "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass($1)",
        std::string(step.object));
    return found.empty() ? 0 : found[0][0].as<int64_t>();
  }

  std::string Place() const {
    return absl::StrCat("step ", static_cast<int>(steps_.size()) - progress_.steps_left + 1, " of ",
                        steps_.size());
  }

  std::string DescribeStep(const MigrationStep& step) const {
    if (step.kind == Kind::kIndex) return absl::StrCat("making the index ", step.object);
    if (step.kind == Kind::kBatches) return absl::StrCat("rows of ", step.object);
    return "";
  }

  std::string DescribeRows(const MigrationStep& step, int64_t total) const {
    const std::string of = total > 0 ? absl::StrCat(" of about ", total) : "";
    return absl::StrCat(progress_.row_count, of, " rows of ", step.object);
  }

  void Report(absl::string_view what) const {
    const std::string place = steps_.size() > 1 ? absl::StrCat(", ", Place()) : "";
    options_.report(absl::StrCat(migration_.name, place, what.empty() ? "" : ": ", what));
  }

  Connection& connection_;
  Turn& turn_;
  const MigrateOptions& options_;
  const Migration& migration_;
  const std::vector<MigrationStep>& steps_;
  const bool has_begun_;      // in an earlier run
  bool has_changed_ = false;  // whether a step may have had an effect
  MigrationProgress progress_;
};

// ---- Migrating ----

// A migration that is missing or not complete, and its steps.
struct Pending {
  const Migration* migration;
  std::vector<MigrationStep> steps;
  std::optional<MigrationProgress> begun;
};

absl::StatusOr<std::vector<Pending>> FindPending(const std::vector<AppliedMigration>& applied,
                                                 const std::vector<Migration>& known) {
  std::vector<Pending> pending;
  for (size_t i = 0; i < known.size(); ++i) {
    std::optional<MigrationProgress> begun;
    if (i < applied.size()) begun = applied[i].progress;
    if (begun && begun->steps_left == 0) continue;
    absl::StatusOr<std::vector<MigrationStep>> steps = StepsOf(known[i]);
    if (!steps.ok()) return steps.status();
    pending.push_back({&known[i], *std::move(steps), begun});
  }
  return pending;
}

absl::StatusOr<std::vector<std::string>> MigrateInTurn(Connection& connection, Turn& turn,
                                                       const std::string& dsn,
                                                       const std::vector<Migration>& known,
                                                       const MigrateOptions& options) {
  if (!IsHistoryPrepared(connection)) {
    SetLimits(connection, kLockTimeout, absl::ZeroDuration());
    absl::Status status = RepeatUntilDone(
        connection, [&] { PrepareHistory(connection); }, nullptr,
        [&] { options.report(kTryingAgain); });
    if (!status.ok()) return status;
  }
  const auto applied = ReadHistory(connection, dsn, Purpose::kMigrate, known);
  if (!applied.ok()) return applied.status();
  const absl::StatusOr<std::vector<Pending>> pending = FindPending(*applied, known);
  if (!pending.ok()) return pending.status();
  // Nobody can use a database without a schema.
  const bool may_have_servers = !applied->empty() && !options.servers_are_stopped;
  for (const Pending& next : *pending) {
    if (!may_have_servers) break;
    absl::Status status = CheckServers(connection, *next.migration);
    if (!status.ok()) return status;
  }
  std::vector<std::string> names;
  for (const Pending& next : *pending) {
    if (may_have_servers) {  // others may have started since
      absl::Status status = CheckServers(connection, *next.migration);
      if (!status.ok()) return status;
    }
    Application application(connection, turn, options, *next.migration, next.steps, next.begun);
    if (absl::Status status = application.Run(); !status.ok()) return status;
    names.emplace_back(next.migration->name);
    log::Info("migration applied", {{"name", next.migration->name}});
  }
  return names;
}

// Settings of the session that migrates. If this process ends, so does the statement under way.
// Migrations read whole tables, and the size of a batch is a parameter that its plan depends on.
constexpr char kMigratorSettings[] =
    "SET client_connection_check_interval = '1s'; SET plan_cache_mode = force_custom_plan; "
    "SET enable_seqscan = on";

absl::StatusOr<std::vector<std::string>> MigrateIfNeeded(Connection& connection,
                                                         const std::string& dsn,
                                                         const std::vector<Migration>& known,
                                                         const MigrateOptions& options) {
  // With nothing to do, no rights are needed but to read.
  const auto applied = ReadHistory(connection, dsn, Purpose::kMigrate, known);
  if (!applied.ok()) return applied.status();
  const absl::StatusOr<std::vector<Pending>> pending = FindPending(*applied, known);
  if (!pending.ok()) return pending.status();
  if (pending->empty()) return std::vector<std::string>();
  const absl::StatusOr<std::string> complete_dsn = MigratorDsn(dsn);
  if (!complete_dsn.ok()) return complete_dsn.status();
  Turn turn(*complete_dsn);
  turn.Await(options);
  connection.Run(kMigratorSettings);
  return MigrateInTurn(connection, turn, dsn, known, options);
}

// Text is exchanged in UTF-8, and most of it does not fit into other encodings.
absl::Status CheckEncoding(Connection& connection) {
  const Result result = connection.Read("SELECT current_setting('server_encoding')");
  if (result[0][0].text() == "UTF8") return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the database is encoded in ", result[0][0].text(),
                   "; contentd needs UTF8: create a database with TEMPLATE template0 and ENCODING "
                   "'UTF8'"));
}

// Whether another attempt would fail too.
bool IsPermanent(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const ConnectError*>(&exception)) {
    return error->is_permanent();
  }
  const std::optional<ServerError> error = FindServerError(exception);
  return error && !absl::StartsWith(error->sqlstate, "08") &&
         !absl::StartsWith(error->sqlstate, "53") && !absl::StartsWith(error->sqlstate, "57");
}

// For operators at a terminal. Unlike callers of the service, they see what PostgreSQL says.
absl::Status Describe(const std::exception& exception) {
  const std::string message = absl::StrCat("database: ", DescribeError(exception));
  return IsPermanent(exception) ? absl::FailedPreconditionError(message)
                                : absl::UnavailableError(message);
}

}  // namespace

absl::Status UseDatabase(const std::string& dsn,
                         const std::function<absl::Status(Connection&)>& use) {
  const absl::StatusOr<std::string> complete_dsn = MigratorDsn(dsn);
  if (!complete_dsn.ok()) return complete_dsn.status();
  try {
    const std::unique_ptr<Connection> connection = OpenSession(*complete_dsn);
    if (absl::Status status = CheckEncoding(*connection); !status.ok()) return status;
    return use(*connection);
  } catch (const std::exception& exception) {
    return Describe(exception);
  }
}

absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const std::vector<Migration>& known,
                                                 const MigrateOptions& options) {
  std::vector<std::string> names;
  const auto migrate = [&](Connection& connection) -> absl::Status {
    auto migrated = MigrateIfNeeded(connection, dsn, known, options);
    if (!migrated.ok()) return migrated.status();
    names = *std::move(migrated);
    return absl::OkStatus();
  };
  if (absl::Status status = UseDatabase(dsn, migrate); !status.ok()) return status;
  return names;
}

absl::Status CheckSchema(const std::string& dsn, const std::vector<Migration>& known) {
  return UseDatabase(dsn, [&](Connection& connection) -> absl::Status {
    const auto applied = ReadHistory(connection, dsn, Purpose::kServe, known);
    if (!applied.ok()) return applied.status();
    for (size_t i = 0; i < known.size(); ++i) {
      if (i < applied->size() && (*applied)[i].progress.steps_left == 0) continue;
      const bool is_begun = i < applied->size();
      return absl::FailedPreconditionError(
          absl::StrCat("the database has schema version ", i == 0 ? 0 : known[i - 1].version,
                       is_begun ? " and a part of the next" : "", "; this contentd needs version ",
                       known.back().version, ": run `contentd migrate`",
                       is_begun ? " (again), and let it finish" : " first"));
    }
    return absl::OkStatus();
  });
}

std::string ServerDsn(absl::string_view complete_dsn, int schema_version) {
  return NameSessions(complete_dsn, absl::StrCat("contentd schema ", schema_version));
}

}  // namespace content::postgres
