#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/call.h"
#include "content/page.h"
#include "content/v1/admin_service.pb.h"

namespace content {

/// Which events to list. Filters that are empty match every event.
struct AuditQuery {
  std::string article_id = {};
  std::string caller = {};
  std::string person_id = {};
  std::string author_id = {};
  v1::AuditAction action = v1::AUDIT_ACTION_UNSPECIFIED;
  /// The first is included, the second is not.
  absl::Time start_time = absl::InfinitePast();
  absl::Time end_time = absl::InfiniteFuture();
  int page_size = 0;
  std::string after_key = {};
};

/// Who did what. Each act writes its event in its own transaction. See content/store.h for what all
/// interfaces have in common.
class AuditTrail {
 public:
  virtual ~AuditTrail() = default;

  /// Answers with a page of events, newest first. ARTICLE_NOT_FOUND if no article has or had the
  /// name.
  virtual void ListAuditEvents(CallContext context, AuditQuery query,
                               Callback<Page<v1::AuditEvent>> done) = 0;
};

}  // namespace content
