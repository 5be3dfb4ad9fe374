#include "store/restored.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "postgres/connection.h"
#include "store/schema.h"

namespace content::store {
namespace {

// Without those that migrations and servers fill by themselves.
constexpr char kSelectTables[] = R"sql(
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND c.relname NOT IN ('schema_migration', 'search_language', 'article_feed', 'request_retention',
                        'audit_retention')
)sql";

// The history of the schema, and where it is if it cannot be seen.
constexpr char kSelectHistory[] = R"sql(
SELECT to_regclass('schema_migration') IS NOT NULL AS is_seen,
       (SELECT min(nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = 'schema_migration' AND c.relkind = 'r') AS schema
)sql";

absl::Status CheckTables(postgres::Connection& connection) {
  for (const postgres::Row row : connection.Read(kSelectTables)) {
    const auto name = row["name"].as<std::string>();
    const std::string has_rows = absl::StrCat("SELECT EXISTS (SELECT FROM ", name, ")");
    if (!connection.Read(has_rows)[0][0].as<bool>()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("there is a database that is not empty: its table ", name, " has rows"));
  }
  return absl::OkStatus();
}

absl::Status CheckIsOurs(postgres::Connection& connection) {
  const postgres::Result history = connection.Read(kSelectHistory);
  if (history[0]["is_seen"].as<bool>()) return absl::OkStatus();
  if (history[0]["schema"].is_null()) {
    return absl::FailedPreconditionError("it is a backup of another program's database");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("its tables are in the schema ", history[0]["schema"].as<std::string>(),
                   ", and must be in public: dump the database again after ALTER TABLE ... SET "
                   "SCHEMA public"));
}

absl::Status Analyze(postgres::Connection& connection) {
  connection.Run("ANALYZE");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckIsEmpty(const std::string& dsn) {
  return postgres::UseDatabase(dsn, CheckTables);
}

absl::Status PrepareRestored(const std::string& dsn, const postgres::MigrateOptions& options) {
  if (absl::Status status = postgres::UseDatabase(dsn, CheckIsOurs); !status.ok()) return status;
  if (absl::Status status = Migrate(dsn, options).status(); !status.ok()) return status;
  if (absl::Status status = CheckSchema(dsn); !status.ok()) return status;
  return postgres::UseDatabase(dsn, Analyze);
}

}  // namespace content::store
