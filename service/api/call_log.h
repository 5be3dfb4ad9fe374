#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "access/methods.h"
#include "base/call_trace.h"
#include "base/clock.h"
#include "telemetry/call_log_options.h"

namespace grpc {
class ServerContextBase;
}  // namespace grpc

namespace content::api {

struct CallRecord;

/// Metadata with which a caller may name its call, and which names it in an answer that the access
/// log has.
inline constexpr char kRequestIdKey[] = "x-request-id";

/// Writes what is known of calls when they end: a line of the access log, and the spans of sampled
/// calls. Thread-safe.
class CallLog {
 public:
  explicit CallLog(const CallLogOptions& options);

  /// Returns what learns the steps of a call that has arrived; nullptr if nobody will want to know.
  std::shared_ptr<CallTrace> Begin(const grpc::ServerContextBase& context) const;

  /// Writes about a call that has a trace, and whose status is about to be given to gRPC.
  void End(const CallRecord& record, const absl::Status& status, SteadyTime now,
           grpc::ServerContextBase& context);

 private:
  bool IsLogged(const CallRecord& record, const absl::Status& status, absl::Duration took);

  const CallLogOptions options_;
  const access::MethodSet streams_;
  std::atomic<uint64_t> usual_calls_ = 0;  // those that only kAll has
};

}  // namespace content::api
