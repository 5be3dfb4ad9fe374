#include "content/errors.h"

#include <initializer_list>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"

namespace content {
namespace {

constexpr size_t kMostViolations = 16;

using Metadata = std::initializer_list<std::pair<absl::string_view, std::string>>;

template <class Detail>
std::string TypeUrl() {
  return absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name());
}

template <class Detail>
void Attach(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                   Metadata metadata = {}) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[std::string(key)] = value;
  absl::Status status(code, message);
  Attach(status, info);
  return status;
}

absl::Status WithRetry(absl::Status status, absl::Duration after) {
  google::rpc::RetryInfo retry;
  *retry.mutable_retry_delay() =
      google::protobuf::util::TimeUtil::MillisecondsToDuration(absl::ToInt64Milliseconds(after));
  Attach(status, retry);
  return status;
}

absl::Status NotFound(absl::string_view reason, absl::string_view type, absl::string_view name) {
  absl::Status status =
      Error(absl::StatusCode::kNotFound, reason, absl::StrCat(name, " does not exist"));
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(std::string(type));
  resource.set_resource_name(std::string(name));
  resource.set_description("does not exist");
  Attach(status, resource);
  return status;
}

}  // namespace

void Violations::Add(absl::string_view field, absl::string_view description) {
  if (fields_.size() == kMostViolations) {
    ++left_out_;
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
  if (left_out_ > 0) absl::StrAppend(&message, "; and ", left_out_, " more");
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST", message);
  google::rpc::BadRequest details;
  for (const Field& field : fields_) {
    auto* violation = details.add_field_violations();
    violation->set_field(field.path);
    violation->set_description(field.description);
  }
  Attach(status, details);
  return status;
}

absl::Status InvalidField(absl::string_view field, absl::string_view description) {
  Violations violations;
  violations.Add(field, description);
  return violations.ToStatus();
}

absl::Status MalformedRequest(absl::string_view type_name) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST",
               absl::StrCat("the request is not a ", type_name));
}

absl::Status ValueRefused() {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST",
               "the database refused a value");
}

absl::Status ArticleNotFound(absl::string_view name) {
  return NotFound("ARTICLE_NOT_FOUND", "content.v1.Article", name);
}

absl::Status CommentNotFound(absl::string_view name) {
  return NotFound("COMMENT_NOT_FOUND", "content.v1.Comment", name);
}

absl::Status ArticleExists(absl::string_view name) {
  return Error(
      absl::StatusCode::kAlreadyExists, "ARTICLE_EXISTS",
      absl::StrCat(name, " exists with other content; give the name to replace it, or another"),
      {{"name", std::string(name)}});
}

absl::Status NameTaken(absl::string_view name) {
  return Error(absl::StatusCode::kAlreadyExists, "ARTICLE_EXISTS",
               absl::StrCat(name, " is, or once was, the name of another article"),
               {{"name", std::string(name)}});
}

absl::Status EtagMismatch(absl::string_view name) {
  return Error(absl::StatusCode::kAborted, "ETAG_MISMATCH",
               absl::StrCat(name, " has changed since the etag was read"),
               {{"name", std::string(name)}});
}

absl::Status CommentsClosed(absl::string_view article_name) {
  return Error(absl::StatusCode::kFailedPrecondition, "COMMENTS_CLOSED",
               absl::StrCat("comments on ", article_name, " are closed"),
               {{"article", std::string(article_name)}});
}

absl::Status ThreadTooDeep(int limit) {
  return Error(absl::StatusCode::kFailedPrecondition, "THREAD_TOO_DEEP",
               absl::StrCat("replies go at most ", limit, " deep"),
               {{"limit", absl::StrCat(limit)}});
}

absl::Status CommentHidden(absl::string_view name) {
  return Error(absl::StatusCode::kFailedPrecondition, "COMMENT_HIDDEN",
               absl::StrCat("a moderator has hidden ", name), {{"name", std::string(name)}});
}

absl::Status CommentDeleted(absl::string_view name) {
  return Error(absl::StatusCode::kFailedPrecondition, "COMMENT_DELETED",
               absl::StrCat(name, " is deleted"), {{"name", std::string(name)}});
}

absl::Status RequestIdReused(absl::string_view request_id) {
  return Error(absl::StatusCode::kFailedPrecondition, "REQUEST_ID_REUSED",
               absl::StrCat("request_id ", request_id, " was used with other content"),
               {{"request_id", std::string(request_id)}});
}

absl::Status RevisionNotReached(absl::string_view name, int64_t wanted, int64_t current) {
  return Error(absl::StatusCode::kFailedPrecondition, "REVISION_NOT_REACHED",
               absl::StrCat(name, " is at revision ", current, ", not yet at ", wanted),
               {{"current_revision", absl::StrCat(current)}});
}

absl::Status ReplyTooLarge() {
  return Error(absl::StatusCode::kOutOfRange, "REPLY_TOO_LARGE",
               "the answer would pass 3 MiB; ask for fewer articles, or for the BASIC view");
}

absl::Status WatcherTooSlow() {
  return Error(absl::StatusCode::kAborted, "WATCHER_TOO_SLOW",
               "what was sent was not taken in time; go on after the last message received");
}

absl::Status Overloaded(absl::Duration retry_after) {
  return WithRetry(Error(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                         "too many calls are waiting for the database"),
                   retry_after);
}

absl::Status StoreUnavailable() {
  return WithRetry(
      Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", "the database cannot be reached"),
      absl::Seconds(1));
}

absl::Status ServerStopping() {
  return WithRetry(
      Error(absl::StatusCode::kUnavailable, "SERVER_STOPPING", "the server is stopping"),
      absl::Seconds(1));
}

absl::Status OutcomeUnknown() {
  return WithRetry(Error(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN",
                         "the write may or may not have happened; repeat it with its request_id"),
                   absl::Seconds(1));
}

absl::Status Contention() {
  return WithRetry(
      Error(absl::StatusCode::kAborted, "CONTENTION", "the write kept colliding with others"),
      absl::Milliseconds(100));
}

absl::Status DeadlineExceeded() {
  return Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
               "the deadline passed before the work was done");
}

absl::Status Cancelled() {
  return Error(absl::StatusCode::kCancelled, "CANCELLED", "the caller has gone");
}

absl::Status Internal() { return Error(absl::StatusCode::kInternal, "INTERNAL", "internal error"); }

std::string ReasonOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(TypeUrl<google::rpc::ErrorInfo>());
  google::rpc::ErrorInfo info;
  if (payload.has_value()) info.ParseFromString(std::string(*payload));
  return info.reason();
}

}  // namespace content
