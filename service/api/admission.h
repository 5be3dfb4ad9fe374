#pragma once

#include <grpcpp/server_context.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "access/gate.h"
#include "api/answers_in_flight.h"
#include "api/call_record.h"
#include "api/calls_in_flight.h"
#include "base/call.h"

namespace content::api {

/// What every call passes on its way in and out.
struct Passage {
  access::Gate& gate;
  CallsInFlight& calls;
  AnswersInFlight& answers;
  CallRecorder& recorder;
};

/// Returns who calls `method` (content.v1.ContentService/GetArticle), or why the call is refused;
/// see Gate::Admit. To be called once for each call, before anything else is done for it.
absl::StatusOr<std::shared_ptr<const Caller>> Admit(access::Gate& gate, absl::string_view method,
                                                    const grpc::ServerContextBase& context);

}  // namespace content::api
