#include "store/schema.h"

#include <exception>

#include "absl/strings/str_cat.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/server_error.h"
#include "store/articles/search.h"

namespace content::store {
namespace {

absl::Status IndexMissing(const std::string& dsn) {
  const absl::StatusOr<std::string> complete_dsn = postgres::CompleteDsn(dsn);
  if (!complete_dsn.ok()) return complete_dsn.status();
  try {
    postgres::Connection connection(*complete_dsn);
    connection.PrepareSession();
    IndexMissingArticles(connection);
    return absl::OkStatus();
  } catch (const std::exception& exception) {
    return absl::UnavailableError(absl::StrCat("database: ", postgres::DescribeError(exception)));
  }
}

}  // namespace

int NeededSchemaVersion() { return KnownMigrations().back().version; }

absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn) {
  absl::StatusOr<std::vector<std::string>> applied = postgres::Migrate(dsn, KnownMigrations());
  if (!applied.ok()) return applied;
  if (absl::Status status = IndexMissing(dsn); !status.ok()) return status;
  return applied;
}

absl::Status CheckSchema(const std::string& dsn) {
  return postgres::CheckSchema(dsn, KnownMigrations());
}

}  // namespace content::store
