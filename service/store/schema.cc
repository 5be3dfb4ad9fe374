#include "store/schema.h"

namespace content::store {

int NeededSchemaVersion() { return KnownMigrations().back().version; }

absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn) {
  return postgres::Migrate(dsn, KnownMigrations());
}

absl::Status CheckSchema(const std::string& dsn) {
  return postgres::CheckSchema(dsn, KnownMigrations());
}

}  // namespace content::store
