#include "postgres/schema_history.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/digest.h"
#include "postgres/dsn.h"

namespace content::postgres {
namespace {

// Programs that knew of no steps made the table with the first four columns only.
constexpr char kPrepare[] = R"sql(
CREATE TABLE IF NOT EXISTS schema_migration (
  version integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_time timestamptz NOT NULL
);
ALTER TABLE schema_migration
  ADD COLUMN IF NOT EXISTS is_compatible boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS steps_left integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS batch_cursor text NOT NULL DEFAULT '',
  ADD COLUMN IF NOT EXISTS row_count bigint NOT NULL DEFAULT 0
)sql";

// Columns that the table lacks have their defaults.
constexpr char kSelectHistory[] = R"sql(
SELECT version, name, checksum,
       coalesce((columns ->> 'is_compatible')::boolean, false) AS is_compatible,
       coalesce((columns ->> 'steps_left')::integer, 0) AS steps_left,
       coalesce(columns ->> 'batch_cursor', '') AS batch_cursor,
       coalesce((columns ->> 'row_count')::bigint, 0) AS row_count
FROM schema_migration m
CROSS JOIN LATERAL to_jsonb(m) AS columns
ORDER BY version)sql";

// steps_left takes no NULL.
constexpr char kRecord[] = R"sql(
INSERT INTO schema_migration AS m (version, name, checksum, applied_time, is_compatible, steps_left,
                                   batch_cursor, row_count)
VALUES ($1, $2, $3, now(), $4, $5, $6, $7)
ON CONFLICT (version) DO UPDATE
SET applied_time = now(), batch_cursor = EXCLUDED.batch_cursor, row_count = EXCLUDED.row_count,
    steps_left = CASE WHEN m.steps_left = $8 AND m.batch_cursor = $9 THEN EXCLUDED.steps_left END
)sql";

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

absl::StatusOr<std::vector<AppliedMigration>> ReadRows(Connection& connection,
                                                       const std::string& dsn, Purpose purpose) {
  const Result readable = connection.Read(
      "SELECT coalesce(has_table_privilege(to_regclass('schema_migration'), 'SELECT'), false)");
  std::vector<AppliedMigration> applied;
  if (!readable[0][0].as<bool>()) {
    absl::Status status = CheckObstacle(connection, dsn, purpose);
    if (!status.ok()) return status;
    return applied;
  }
  for (const Row row : connection.Read(kSelectHistory)) {
    applied.push_back({.version = row["version"].as<int>(),
                       .name = row["name"].as<std::string>(),
                       .checksum = row["checksum"].as<std::string>(),
                       .is_compatible = row["is_compatible"].as<bool>(),
                       .progress = {.steps_left = row["steps_left"].as<int>(),
                                    .cursor = row["batch_cursor"].as<std::string>(),
                                    .row_count = row["row_count"].as<int64_t>()}});
  }
  return applied;
}

std::string ChecksumOf(const Migration& migration) {
  return absl::BytesToHexString(Digest({migration.sql}));
}

bool IsOneCompatibleMore(const std::vector<AppliedMigration>& applied,
                         const std::vector<Migration>& known) {
  const AppliedMigration& last = applied.back();
  return applied.size() == known.size() + 1 && last.version == known.back().version + 1 &&
         last.is_compatible;
}

absl::Status CheckHistory(const std::vector<AppliedMigration>& applied,
                          const std::vector<Migration>& known) {
  if (applied.size() > known.size() && !IsOneCompatibleMore(applied, known)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database has schema version ", applied.back().version, ", newer than version ",
        known.back().version, ", which this contentd needs: run a newer contentd"));
  }
  for (size_t i = 0; i < std::min(applied.size(), known.size()); ++i) {
    if (applied[i].version != known[i].version || applied[i].checksum != ChecksumOf(known[i])) {
      return absl::FailedPreconditionError(
          absl::StrCat("migration ", known[i].name, " of this contentd is not the one that was ",
                       "applied to the database as version ", applied[i].version));
    }
  }
  return absl::OkStatus();
}

// The parameters of kRecord.
std::array<std::string, 9> RecordValues(const Migration& migration, const MigrationProgress& old,
                                        const MigrationProgress& now) {
  return {absl::StrCat(migration.version),
          std::string(migration.name),
          ChecksumOf(migration),
          IsCompatible(migration) ? "true" : "false",
          absl::StrCat(now.steps_left),
          now.cursor,
          absl::StrCat(now.row_count),
          absl::StrCat(old.steps_left),
          old.cursor};
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

}  // namespace

absl::StatusOr<std::vector<AppliedMigration>> ReadHistory(Connection& connection,
                                                          const std::string& dsn, Purpose purpose,
                                                          const std::vector<Migration>& known) {
  absl::StatusOr<std::vector<AppliedMigration>> applied = ReadRows(connection, dsn, purpose);
  if (!applied.ok()) return applied;
  if (absl::Status status = CheckHistory(*applied, known); !status.ok()) return status;
  return applied;
}

bool IsHistoryPrepared(Connection& connection) {
  // The last column that was added. A table that this user may not read is another installation's.
  return !connection
              .Read(
                  "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('schema_migration') "
                  "AND attname = 'row_count' AND has_table_privilege(attrelid, 'SELECT')")
              .empty();
}

void PrepareHistory(Connection& connection) { connection.RunScript(kPrepare); }

void Record(Transaction& transaction, const Migration& migration, const MigrationProgress& old,
            const MigrationProgress& now) {
  const auto values = RecordValues(migration, old, now);
  std::apply([&](const auto&... value) { transaction.Exec(kRecord, value...); }, values);
}

std::string RecordScript(const Migration& migration, const MigrationProgress& old,
                         const MigrationProgress& now) {
  const auto values = RecordValues(migration, old, now);
  std::vector<std::pair<std::string, std::string>> literals;
  for (size_t i = 0; i < values.size(); ++i) {
    literals.emplace_back(absl::StrCat("$", i + 1), Quoted(values[i]));
  }
  return absl::StrReplaceAll(kRecord, literals);
}

void Withdraw(Connection& connection, const Migration& migration,
              const MigrationProgress& announced) {
  connection.Run(absl::StrCat("DELETE FROM schema_migration WHERE version = ", migration.version,
                              " AND steps_left = ", announced.steps_left,
                              " AND batch_cursor = ''"));
}

SchemaView ViewSchema(Connection& connection, int needed_version) {
  SchemaView view;
  for (const Row row : connection.Read(kSelectHistory)) {
    const int version = row["version"].as<int>();
    const bool is_next = version == needed_version + 1 && row["is_compatible"].as<bool>();
    if (version > needed_version && !is_next) view.is_suitable = false;
    if (row["steps_left"].as<int>() == 0) view.version = version;
  }
  // A standby was promoted that lacked the last migration, or an older dump restored.
  if (view.version < needed_version) view.is_suitable = false;
  return view;
}

}  // namespace content::postgres
