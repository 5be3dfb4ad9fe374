#pragma once

#include "absl/status/status.h"
#include "content/export.h"
#include "postgres/connection.h"
#include "store/names.h"

namespace content::store {

/// See content/export.h. Throws like postgres::Connection.
absl::Status Export(postgres::Connection& connection, ArticleNames& names, const ExportQuery& query,
                    ExportVisitor& visitor);

}  // namespace content::store
