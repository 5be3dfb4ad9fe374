#include "postgres/schema_watch.h"

#include "base/errors.h"
#include "postgres/schema_history.h"
#include "telemetry/log.h"

namespace content::postgres {

absl::Status SchemaWatch::Look(Connection& connection) {
  const SchemaView view = ViewSchema(connection, needed_version_);
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
