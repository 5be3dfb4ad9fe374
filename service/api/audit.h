#pragma once

#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/audit.h"
#include "content/v1/admin_service.pb.h"

// The RPC about the audit trail: a check and a handler, as in articles.h.
namespace content::api {

absl::StatusOr<AuditQuery> CheckListAuditEvents(const v1::ListAuditEventsRequest& request);
void ListAuditEvents(AuditTrail& trail, CallContext call, v1::ListAuditEventsRequest request,
                     Callback<v1::ListAuditEventsResponse> done);

}  // namespace content::api
