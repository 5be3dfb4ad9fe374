#include "api/call_record.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_replace.h"
#include "base/errors.h"
#include "google/protobuf/descriptor.h"

namespace content::api {
namespace {

using Count = MethodNumbers::Count;

constexpr int kCodes = 17;

bool MayBeRefusal(absl::StatusCode code) {
  return code == absl::StatusCode::kUnauthenticated ||
         code == absl::StatusCode::kPermissionDenied ||
         code == absl::StatusCode::kResourceExhausted;
}

}  // namespace

bool IsStream(size_t method) {
  const std::string name = absl::StrReplaceAll(access::kMethods[method], {{"/", "."}});
  const auto* const descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  return descriptor != nullptr && descriptor->server_streaming();
}

CallRecord CallRecorder::Begin(size_t method, size_t request_bytes) {
  MethodNumbers& numbers = methods_[method];
  numbers.counts.Add(Count::kStarted);
  numbers.counts.Add(Count::kRequestBytes, request_bytes);
  return {.method = method,
          .arrival = SteadyNow(),
          .request_bytes = static_cast<int64_t>(request_bytes)};
}

void CallRecorder::CountSent(CallRecord& record, size_t bytes) {
  MethodNumbers& numbers = methods_[record.method];
  numbers.counts.Add(Count::kSent);
  numbers.counts.Add(Count::kResponseBytes, bytes);
  record.response_bytes += static_cast<int64_t>(bytes);
}

void CallRecorder::End(const CallRecord& record, const absl::Status& status, SteadyTime now) {
  MethodNumbers& numbers = methods_[record.method];
  numbers.seconds.Observe(now - record.arrival);
  numbers.ended.Add(status.code());
  if (MayBeRefusal(status.code())) CountRefusal(status);
}

// Calls that end while they are counted must not make the difference negative.
int64_t CallRecorder::InFlight(size_t method) const {
  const MethodNumbers& numbers = methods_[method];
  uint64_t ended = 0;
  for (int code = 0; code < kCodes; ++code) {
    ended += numbers.ended.Read(static_cast<absl::StatusCode>(code));
  }
  return static_cast<int64_t>(numbers.counts.Read(Count::kStarted) - ended);
}

void CallRecorder::CountRefusal(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  const auto found = std::find(kRefusals.begin(), kRefusals.end(), absl::string_view(reason));
  if (found != kRefusals.end()) refused_.Add(static_cast<size_t>(found - kRefusals.begin()));
}

}  // namespace content::api
