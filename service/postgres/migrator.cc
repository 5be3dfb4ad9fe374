#include "postgres/migrator.h"

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "postgres/connect_error.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/known_database.h"
#include "postgres/server_error.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

// A number that other programs on the same database are unlikely to lock.
constexpr int64_t kMigrationLock = 0x636f6e74656e74;  // "content"

struct Applied {
  int version;
  std::string checksum;
};

std::string Checksum(const Migration& migration) {
  return absl::BytesToHexString(Digest({migration.sql}));
}

enum class Purpose { kMigrate, kServe };

// What keeps this session from seeing a schema_migration that is there. A user who may create
// tables of its own, and may not read the others, is another installation of contentd.
constexpr char kSelectObstacle[] = R"sql(
SELECT n.nspname, quote_ident(n.nspname) AS quoted, may_use_schema, is_visible, may_create
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT has_schema_privilege(n.oid, 'USAGE') AS may_use_schema,
         pg_table_is_visible(c.oid) AS is_visible,
         has_table_privilege(c.oid, 'SELECT') AS may_read,
         n.nspname <> current_schema() AND has_schema_privilege(current_schema(), 'CREATE')
           IS TRUE AS may_create) AS found
WHERE c.relname = 'schema_migration' AND c.relkind = 'r'
  AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid
       AND a.attname IN ('version', 'name', 'checksum', 'applied_time')) = 4
  AND NOT (is_visible AND may_read)
  AND ($1::boolean IS FALSE OR may_create IS NOT TRUE OR (may_use_schema AND may_read))
ORDER BY is_visible DESC, may_use_schema DESC
LIMIT 1)sql";

absl::Status CheckObstacle(Connection& connection, const std::string& dsn, Purpose purpose) {
  for (const Row row : connection.Read(kSelectObstacle, purpose == Purpose::kMigrate)) {
    const bool is_secret = IsNamedInDsn(row["nspname"].text(), dsn);
    const std::string schema =
        is_secret ? "whose name is in the database URL" : row["quoted"].as<std::string>();
    const std::string quoted = is_secret ? "<schema>" : schema;
    const absl::string_view otherwise =
        row["may_create"].text() == "t"
            ? ". If they belong to another installation, run `contentd migrate`"
            : "";
    if (!row["may_use_schema"].as<bool>()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "contentd's tables are in the schema ", schema,
          ", which this user may not use: GRANT USAGE ON SCHEMA ", quoted, " to it", otherwise));
    }
    if (!row["is_visible"].as<bool>()) {
      return absl::FailedPreconditionError(
          absl::StrCat("contentd's tables are in the schema ", schema,
                       ", which is not in this user's search_path: ALTER ROLE <user> SET "
                       "search_path = ",
                       quoted, otherwise));
    }
    return absl::FailedPreconditionError(
        "this user may not read contentd's table schema_migration: GRANT it SELECT on that table "
        "and SELECT, INSERT, UPDATE and DELETE on the others");
  }
  return absl::OkStatus();
}

// A database and the reason to look at its schema.
struct Target {
  Connection& connection;
  const std::string& dsn;
  Purpose purpose;
};

absl::StatusOr<std::vector<Applied>> ReadApplied(const Target& target) {
  const Result readable = target.connection.Read(
      "SELECT coalesce(has_table_privilege(to_regclass('schema_migration'), 'SELECT'), false)");
  std::vector<Applied> applied;
  if (!readable[0][0].as<bool>()) {
    absl::Status status = CheckObstacle(target.connection, target.dsn, target.purpose);
    if (!status.ok()) return status;
    return applied;
  }
  for (const Row row :
       target.connection.Read("SELECT version, checksum FROM schema_migration ORDER BY version")) {
    applied.push_back({row[0].as<int>(), row[1].as<std::string>()});
  }
  return applied;
}

// The applied migrations must be the first of the known ones.
absl::Status CheckHistory(const std::vector<Applied>& applied,
                          const std::vector<Migration>& known) {
  if (applied.size() > known.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database has schema version ", applied.back().version, ", newer than version ",
        known.back().version, ", which this contentd needs: run a newer contentd"));
  }
  for (size_t i = 0; i < applied.size(); ++i) {
    if (applied[i].version != known[i].version || applied[i].checksum != Checksum(known[i])) {
      return absl::FailedPreconditionError(
          absl::StrCat("migration ", known[i].name, " of this contentd is not the one that was ",
                       "applied to the database as version ", applied[i].version));
    }
  }
  return absl::OkStatus();
}

void Apply(Connection& connection, const Migration& migration) {
  // One script, so that the schema and its record are committed together. The name and the checksum
  // are ours and need no quoting.
  connection.RunScript(absl::StrCat(
      migration.sql,
      ";\nINSERT INTO schema_migration (version, name, checksum, applied_time) VALUES (",
      migration.version, ", '", migration.name, "', '", Checksum(migration), "', now())"));
}

// Returns the applied migrations, which are the first of the known ones.
absl::StatusOr<std::vector<Applied>> ReadHistory(const Target& target,
                                                 const std::vector<Migration>& known) {
  absl::StatusOr<std::vector<Applied>> applied = ReadApplied(target);
  if (!applied.ok()) return applied;
  if (absl::Status status = CheckHistory(*applied, known); !status.ok()) return status;
  return applied;
}

absl::StatusOr<std::vector<std::string>> MigrateLocked(const Target& target,
                                                       const std::vector<Migration>& known) {
  target.connection.Run(
      "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, "
      "name text NOT NULL, checksum text NOT NULL, applied_time timestamptz NOT NULL)");
  const absl::StatusOr<std::vector<Applied>> applied = ReadHistory(target, known);
  if (!applied.ok()) return applied.status();
  std::vector<std::string> names;
  for (size_t i = applied->size(); i < known.size(); ++i) {
    Apply(target.connection, known[i]);
    names.emplace_back(known[i].name);
    log::Info("migration applied", {{"name", known[i].name}});
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> MigrateIfNeeded(const Target& target,
                                                         const std::vector<Migration>& known) {
  // With nothing to do, no rights are needed but to read.
  const absl::StatusOr<std::vector<Applied>> applied = ReadHistory(target, known);
  if (!applied.ok()) return applied.status();
  if (applied->size() == known.size()) return std::vector<std::string>();
  // The session holds the lock, so it is released when the connection closes for any reason.
  target.connection.Run(absl::StrCat("SELECT pg_advisory_lock(", kMigrationLock, ")"));
  return MigrateLocked(target, known);
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
  const absl::StatusOr<std::string> complete_dsn = CompleteDsn(dsn);
  if (!complete_dsn.ok()) return complete_dsn.status();
  try {
    std::optional<Connection> connection;
    KnownDatabase(*complete_dsn).TryHosts([&connection](const std::string& each) {
      connection.emplace(each);
      connection->PrepareSession();
    });
    if (absl::Status status = CheckEncoding(*connection); !status.ok()) return status;
    return use(*connection);
  } catch (const std::exception& exception) {
    return Describe(exception);
  }
}

absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const std::vector<Migration>& known) {
  std::vector<std::string> names;
  const auto migrate = [&](Connection& connection) -> absl::Status {
    auto migrated = MigrateIfNeeded({connection, dsn, Purpose::kMigrate}, known);
    if (!migrated.ok()) return migrated.status();
    names = *std::move(migrated);
    return absl::OkStatus();
  };
  if (absl::Status status = UseDatabase(dsn, migrate); !status.ok()) return status;
  return names;
}

absl::Status CheckSchema(const std::string& dsn, const std::vector<Migration>& known) {
  return UseDatabase(dsn, [&](Connection& connection) -> absl::Status {
    const absl::StatusOr<std::vector<Applied>> applied =
        ReadHistory({connection, dsn, Purpose::kServe}, known);
    if (!applied.ok()) return applied.status();
    if (applied->size() == known.size()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "the database has schema version ", applied->empty() ? 0 : applied->back().version,
        "; this contentd needs version ", known.back().version, ": run `contentd migrate` first"));
  });
}

}  // namespace content::postgres
