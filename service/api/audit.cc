#include "api/audit.h"

#include <utility>

#include "api/answers.h"
#include "api/checks.h"
#include "api/identity.h"
#include "content/rules.h"

namespace content::api {
namespace {

constexpr PageSizes kEventPageSizes = {.default_size = 25, .max_size = 200};

// Returns the time in a field that is set.
absl::Time CheckBound(const google::protobuf::Timestamp& time, absl::string_view field,
                      Violations& violations) {
  CheckTime(time, field, violations);
  return ToTime(time);
}

}  // namespace

absl::StatusOr<AuditQuery> CheckListAuditEvents(const v1::ListAuditEventsRequest& request) {
  Violations violations;
  AuditQuery query{
      .caller = request.caller(),
      .person_id = request.person_id(),
      .author_id = request.author_id(),
      .action = request.action(),
      .page_size = CheckPageSize(request.page_size(), kEventPageSizes, "page_size", violations)};
  if (!request.article().empty()) {
    query.article_id = CheckArticleName(request.article(), "article", violations);
  }
  CheckNameFilter(request.caller(), "caller", violations);
  CheckNameFilter(request.person_id(), "person_id", violations);
  CheckNameFilter(request.author_id(), "author_id", violations);
  if (!v1::AuditAction_IsValid(request.action())) violations.Add("action", "is not known");
  if (request.has_start_time()) {
    query.start_time = CheckBound(request.start_time(), "start_time", violations);
  }
  if (request.has_end_time()) {
    query.end_time = CheckBound(request.end_time(), "end_time", violations);
  }
  query.after_key = CheckPageToken(request, request.page_token(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

void ListAuditEvents(AuditTrail& trail, CallContext call, v1::ListAuditEventsRequest request,
                     Callback<v1::ListAuditEventsResponse> done) {
  absl::StatusOr<AuditQuery> query = CheckListAuditEvents(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::AuditEvent>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::AuditEvent> page) {
        v1::ListAuditEventsResponse response;
        for (v1::AuditEvent& event : page.items) *response.add_events() = std::move(event);
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  trail.ListAuditEvents(std::move(call), *std::move(query), std::move(reply));
}

}  // namespace content::api
