#pragma once

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"

namespace content::store {

/// See Store::ListModerationQueue. Throws pqxx exceptions.
absl::StatusOr<Page<v1::Comment>> ListModerationQueue(postgres::Connection& connection,
                                                      const ModerationQuery& query);

}  // namespace content::store
