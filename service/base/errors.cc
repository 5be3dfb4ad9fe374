#include "base/errors.h"

#include <cstdlib>
#include <exception>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"
#include "telemetry/log.h"

namespace content {
namespace {

constexpr size_t kMaxViolations = 16;

std::string TypeUrl(const google::protobuf::Message& detail) {
  return absl::StrCat("type.googleapis.com/", detail.GetDescriptor()->full_name());
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       ErrorMetadata metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[std::string(key)] = value;
  absl::Status status(code, message);
  AttachDetail(status, info);
  return status;
}

void AttachDetail(absl::Status& status, const google::protobuf::Message& detail) {
  status.SetPayload(TypeUrl(detail), absl::Cord(detail.SerializeAsString()));
}

absl::Status WithRetry(absl::Status status, absl::Duration after) {
  google::rpc::RetryInfo retry;
  *retry.mutable_retry_delay() = google::protobuf::util::TimeUtil::MillisecondsToDuration(
      absl::ToInt64Milliseconds(absl::Ceil(after, absl::Milliseconds(1))));
  AttachDetail(status, retry);
  return status;
}

void Violations::Add(absl::string_view field, absl::string_view description) {
  if (fields_.size() == kMaxViolations) {
    ++dropped_count_;
  } else {
    fields_.push_back({std::string(field), std::string(description)});
  }
}

absl::Status Violations::ToStatus() const {
  if (fields_.empty()) return absl::OkStatus();
  const auto sentence = [](std::string* out, const Field& field) {
    absl::StrAppend(out, field.path, " ", field.description);
  };
  std::string message = absl::StrJoin(fields_, "; ", sentence);
  if (dropped_count_ > 0) absl::StrAppend(&message, "; and ", dropped_count_, " more");
  absl::Status status = MakeError(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST", message);
  google::rpc::BadRequest details;
  for (const Field& field : fields_) {
    auto* violation = details.add_field_violations();
    violation->set_field(field.path);
    violation->set_description(field.description);
  }
  AttachDetail(status, details);
  return status;
}

absl::Status InvalidField(absl::string_view field, absl::string_view description) {
  Violations violations;
  violations.Add(field, description);
  return violations.ToStatus();
}

absl::Status MalformedRequest(absl::string_view type_name) {
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST",
                   absl::StrCat("the request is not a ", type_name));
}

absl::Status RequestTooLarge(size_t limit) {
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST",
                   absl::StrCat("the request has more than ", limit, " bytes"));
}

absl::Status ValueRefused() {
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST",
                   "the database refused a value");
}

absl::Status ReplyTooLarge() {
  return MakeError(absl::StatusCode::kOutOfRange, "REPLY_TOO_LARGE",
                   "the answer would exceed 3 MiB; request fewer articles or the BASIC view");
}

absl::Status Overloaded(absl::Duration retry_after, absl::string_view message) {
  return WithRetry(MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED", message),
                   retry_after);
}

absl::Status MemoryShort() {
  return WithRetry(MakeError(absl::StatusCode::kResourceExhausted, "MEMORY_SHORT",
                             "this server is short of memory; it still answers cached reads"),
                   absl::Seconds(1));
}

absl::Status StoreUnavailable(absl::string_view message) {
  return WithRetry(MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", message),
                   absl::Seconds(1));
}

absl::Status ServerStopping() {
  return WithRetry(
      MakeError(absl::StatusCode::kUnavailable, "SERVER_STOPPING", "the server is stopping"),
      absl::Seconds(1));
}

absl::Status OutcomeUnknown() {
  return WithRetry(
      MakeError(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN",
                "the write may have been committed; repeat it with the same request_id"),
      absl::Seconds(1));
}

absl::Status Contention() {
  return WithRetry(
      MakeError(absl::StatusCode::kAborted, "CONTENTION", "the write kept colliding with others"),
      absl::Milliseconds(100));
}

absl::Status DeadlineExceeded() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                   "the deadline passed before the work was done");
}

absl::Status Cancelled() {
  return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller cancelled the call");
}

absl::Status Internal(absl::string_view cause) {
  log::Error("internal error", {{"cause", cause}});
  return MakeError(absl::StatusCode::kInternal, "INTERNAL", "internal error");
}

void FailInvariant(absl::string_view what) {
  log::Error("invariant broken", {{"what", what}});
  log::Flush();
  std::abort();
}

void FailOnUncaughtExceptions() {
  std::set_terminate([] {
    try {
      if (const std::exception_ptr exception = std::current_exception()) {
        std::rethrow_exception(exception);
      }
      FailInvariant("std::terminate was called");
    } catch (const std::exception& exception) {
      FailInvariant(absl::StrCat("uncaught exception: ", exception.what()));
    } catch (...) {
      FailInvariant("uncaught exception of an unknown type");
    }
  });
}

std::string ReasonOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  const absl::optional<absl::Cord> payload = status.GetPayload(TypeUrl(info));
  if (payload.has_value()) info.ParseFromString(std::string(*payload));
  return info.reason();
}

}  // namespace content
