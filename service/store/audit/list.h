#pragma once

#include "absl/status/statusor.h"
#include "content/audit.h"
#include "content/page.h"
#include "content/v1/admin_service.pb.h"
#include "postgres/connection.h"
#include "store/names.h"

namespace content::store {

/// See AuditTrail::ListAuditEvents. Throws like postgres::Connection.
absl::StatusOr<Page<v1::AuditEvent>> ListAuditEvents(postgres::Connection& connection,
                                                     ArticleNames& names, const AuditQuery& query);

}  // namespace content::store
