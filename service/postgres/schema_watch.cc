#include "postgres/schema_watch.h"

#include <exception>
#include <optional>

#include "base/errors.h"
#include "postgres/schema_history.h"
#include "postgres/server_error.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

// Also if there is no schema, as while a dump is restored: 42P01, 3F000.
SchemaView View(Connection& connection, int needed_version) {
  try {
    return ViewSchema(connection, needed_version);
  } catch (const std::exception& exception) {
    const std::optional<ServerError> error = FindServerError(exception);
    if (!error || (error->sqlstate != "42P01" && error->sqlstate != "3F000")) throw;
    return {.version = 0, .is_suitable = false};
  }
}

}  // namespace

absl::Status SchemaWatch::Look(Connection& connection) {
  const SchemaView view = View(connection, needed_version_);
  const int before = version_.exchange(view.version);
  if (is_suitable_.exchange(view.is_suitable) && !view.is_suitable) {
    log::Error("schema does not fit", {{"database", view.version}, {"needed", needed_version_}});
  } else if (view.is_suitable && view.version != before && view.version > needed_version_) {
    log::Info("schema is newer", {{"database", view.version}, {"needed", needed_version_}});
  }
  return view.is_suitable ? absl::OkStatus()
                          : StoreUnavailable("the database's schema does not fit this server");
}

}  // namespace content::postgres
