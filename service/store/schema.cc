#include "store/schema.h"

#include "absl/strings/str_cat.h"
#include "postgres/connection.h"
#include "store/articles/search.h"

namespace content::store {
namespace {

// The mark is set by the migration that empties the index, in its transaction.
constexpr char kIsIndexOwed[] = "SELECT bool_or(search_index_owed) FROM schema_migration";
constexpr char kIndexIsComplete[] =
    "UPDATE schema_migration SET search_index_owed = false WHERE search_index_owed";

bool IsIndexOwed(postgres::Connection& connection) {
  return connection.Read(kIsIndexOwed)[0][0].as<bool>();
}

absl::Status IndexIfOwed(postgres::Connection& connection) {
  if (!IsIndexOwed(connection)) return absl::OkStatus();
  IndexMissingArticles(connection);
  connection.Run(kIndexIsComplete);
  return absl::OkStatus();
}

// The tables and the rights that serving needs. FOR UPDATE needs UPDATE.
constexpr char kSelectMissingRight[] = R"sql(
SELECT n.name, upper(p.privilege) AS privilege, c.oid IS NULL AS is_missing
FROM (VALUES ('article', 'select insert update'),
             ('article_change', 'select insert delete'),
             ('article_feed', 'select update'),
             ('article_label', 'select insert delete'),
             ('article_name', 'select insert'),
             ('article_search', 'select insert update delete'),
             ('article_state', 'select insert update'),
             ('audit_event', 'select insert update delete'),
             ('audit_retention', 'select insert update delete'),
             ('author_block', 'select insert update delete'),
             ('comment', 'select insert update'),
             ('comment_report', 'select insert update delete'),
             ('comment_report_count', 'select insert update delete'),
             ('request', 'select insert delete'),
             ('request_default', 'select'),
             ('request_retention', 'select insert update delete'),
             ('search_language', 'select')) AS n (name, privileges)
CROSS JOIN regexp_split_to_table(n.privileges, ' ') WITH ORDINALITY AS p (privilege, number)
LEFT JOIN pg_class c ON c.oid = to_regclass(n.name)
WHERE has_table_privilege(c.oid, p.privilege) IS NOT TRUE
ORDER BY n.name, p.number
LIMIT 1)sql";

absl::Status CheckRights(postgres::Connection& connection) {
  for (const postgres::Row row : connection.Read(kSelectMissingRight)) {
    const absl::string_view table = row["name"].text();
    if (row["is_missing"].as<bool>()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database lacks contentd's table ", table,
                       ": it was removed, or this user may not see it"));
    }
    return absl::FailedPreconditionError(
        absl::StrCat("this user lacks the right ", row["privilege"].text(), " on contentd's table ",
                     table, ": GRANT ", row["privilege"].text(), " ON ", table,
                     " to it (serving needs SELECT, INSERT, UPDATE and DELETE on all of "
                     "contentd's tables)"));
  }
  return absl::OkStatus();
}

absl::Status CheckUse(postgres::Connection& connection) {
  if (IsIndexOwed(connection)) {
    return absl::FailedPreconditionError(
        "the search index is not complete: run `contentd migrate` (again), and let it finish");
  }
  return CheckRights(connection);
}

constexpr char kSelectIdentity[] =
    "SELECT system_identifier, oid FROM pg_control_system(), pg_database "
    "WHERE datname = current_database()";

absl::StatusOr<std::string> IdentityOf(const std::string& dsn) {
  std::string identity;
  const auto read = [&identity](postgres::Connection& connection) {
    const postgres::Result result = connection.Read(kSelectIdentity);
    identity = absl::StrCat(result[0][0].text(), " ", result[0][1].text());
    return absl::OkStatus();
  };
  if (absl::Status status = postgres::UseDatabase(dsn, read); !status.ok()) return status;
  return identity;
}

}  // namespace

int NeededSchemaVersion() { return KnownMigrations().back().version; }

absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const postgres::MigrateOptions& options) {
  absl::StatusOr<std::vector<std::string>> applied =
      postgres::Migrate(dsn, KnownMigrations(), options);
  if (!applied.ok()) return applied;
  if (absl::Status status = postgres::UseDatabase(dsn, IndexIfOwed); !status.ok()) return status;
  return applied;
}

absl::Status CheckSchema(const std::string& dsn) {
  absl::Status status = postgres::CheckSchema(dsn, KnownMigrations());
  return status.ok() ? postgres::UseDatabase(dsn, CheckUse) : status;
}

absl::Status CheckSameDatabase(const std::string& dsn, const std::string& other_dsn) {
  const absl::StatusOr<std::string> identity = IdentityOf(dsn);
  if (!identity.ok()) return identity.status();
  const absl::StatusOr<std::string> other = IdentityOf(other_dsn);
  if (!other.ok()) return other.status();
  if (*identity == *other) return absl::OkStatus();
  return absl::FailedPreconditionError("it leads to another database than --database-url");
}

}  // namespace content::store
