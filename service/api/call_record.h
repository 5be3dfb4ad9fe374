#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "access/methods.h"
#include "base/call.h"
#include "base/clock.h"
#include "telemetry/metrics.h"

// Where every call begins and ends, unary or a stream, answered or refused.
namespace content::api {

/// What is known of a call that has arrived. The status and the time of its end complete it
/// (CallRecorder::End).
struct CallRecord {
  /// The method's place in access::kMethods.
  size_t method = 0;
  SteadyTime arrival;
  /// Who calls; nullptr if the call was refused before that was known.
  std::shared_ptr<const Caller> caller = nullptr;
  /// Of the messages, without what gRPC and HTTP/2 add.
  int64_t request_bytes = 0;
  int64_t response_bytes = 0;
};

/// The numbers of one method.
struct MethodNumbers {
  /// What is counted apart from how calls end.
  enum class Count { kStarted, kRequestBytes, kSent, kResponseBytes };

  metrics::Counters<Count, 4> counts;
  metrics::Counters<absl::StatusCode, 17> ended;
  /// From the arrival of a call until its status, with its answer, was given to gRPC.
  metrics::Histogram seconds{metrics::kSeconds};
};

/// Why calls are refused, as the reasons of their errors say (ErrorInfo).
inline constexpr std::array kRefusals = std::to_array<absl::string_view>(
    {"AUTHOR_BLOCKED", "AUTHOR_NOT_CALLER", "AUTHOR_RATE_EXCEEDED", "CALL_RATE_EXCEEDED",
     "CREDENTIALS_MISSING", "MEMORY_SHORT", "METHOD_NOT_ALLOWED", "OVERLOADED", "TOKEN_EXPIRED",
     "TOKEN_INVALID"});

/// Whether the answers to a method, a place in access::kMethods, are streams.
bool IsStream(size_t method);

/// Gets the record of each call at its end, and counts calls. Thread-safe.
class CallRecorder {
 public:
  CallRecorder() : methods_(access::kMethods.size()) {}

  /// To be called when a call of `method`, a place in access::kMethods, has arrived. End must
  /// follow, once.
  CallRecord Begin(size_t method, size_t request_bytes);

  /// Counts a message that is sent.
  void CountSent(CallRecord& record, size_t bytes);

  /// Ends a call: its status is about to be given to gRPC.
  void End(const CallRecord& record, const absl::Status& status, SteadyTime now);

  /// Returns the numbers of a method, by its place.
  const MethodNumbers& numbers(size_t method) const { return methods_[method]; }

  /// Returns the number of calls that have begun and not ended.
  int64_t InFlight(size_t method) const;

  /// Returns how many calls ended with a reason, by its place in kRefusals.
  uint64_t Refused(size_t refusal) const { return refused_.Read(refusal); }

 private:
  void CountRefusal(const absl::Status& status);

  std::vector<MethodNumbers> methods_;
  metrics::Counters<size_t, kRefusals.size()> refused_;
};

}  // namespace content::api
