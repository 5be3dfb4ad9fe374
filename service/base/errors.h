#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"

// Errors that callers can get from any room. Errors about articles and comments are in
// content/errors.h. The google.rpc details travel as payloads of the absl::Status, each under its
// type URL, and `api` turns them into gRPC details (https://google.aip.dev/193).
namespace content {

/// ErrorInfo.domain of every error.
inline constexpr absl::string_view kErrorDomain = "content.v1";

/// ErrorInfo.metadata: names and values.
using ErrorMetadata = std::initializer_list<std::pair<absl::string_view, std::string>>;

/// A status with an ErrorInfo detail. `reason` is one of the table in content_service.proto.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       ErrorMetadata metadata = {});

/// Adds a google.rpc detail to `status`.
void AttachDetail(absl::Status& status, const google::protobuf::Message& detail);

/// ErrorInfo.reason of `status`; empty if it has none.
std::string ReasonOf(const absl::Status& status);

/// Collects the bad fields of a request, so that a caller learns of all of them at once. Only the
/// first 16 are kept: an error travels in HTTP/2 trailers, of which clients accept 8 KiB.
class Violations {
 public:
  /// `field` is the path in the request (`comment.author.id`); `description` says what is wrong.
  void Add(absl::string_view field, absl::string_view description);

  bool empty() const { return fields_.empty(); }

  /// OK if there are none, otherwise INVALID_ARGUMENT with a BadRequest detail that names each.
  absl::Status ToStatus() const;

 private:
  struct Field {
    std::string path;
    std::string description;
  };
  std::vector<Field> fields_;
  size_t dropped_count_ = 0;
};

/// INVALID_ARGUMENT for one field.
absl::Status InvalidField(absl::string_view field, absl::string_view description);

/// INVALID_ARGUMENT for bytes that do not parse as a message of this type.
absl::Status MalformedRequest(absl::string_view type_name);

/// INVALID_ARGUMENT for a value that only the database rejected.
absl::Status ValueRefused();

/// OUT_OF_RANGE: the answer would be larger than a reply may be.
absl::Status ReplyTooLarge();

/// RESOURCE_EXHAUSTED with RetryInfo: a queue is full, or another limit of this server is reached.
absl::Status Overloaded(absl::Duration retry_after,
                        absl::string_view message = "too many calls are waiting for the database");

/// UNAVAILABLE with RetryInfo: the database cannot be reached.
absl::Status StoreUnavailable();

/// UNAVAILABLE with RetryInfo: this server is stopping; another may take the call.
absl::Status ServerStopping();

/// UNAVAILABLE with RetryInfo: a commit whose outcome could not be determined.
absl::Status OutcomeUnknown();

/// ABORTED with RetryInfo: the write kept losing to concurrent writes.
absl::Status Contention();

/// DEADLINE_EXCEEDED: the caller's deadline has passed.
absl::Status DeadlineExceeded();

/// CANCELLED: the caller has given up.
absl::Status Cancelled();

/// INTERNAL. Logs `cause`, which the caller does not get to see. Every INTERNAL is made here.
absl::Status Internal(absl::string_view cause);

/// Logs a broken invariant and ends the process.
[[noreturn]] void FailInvariant(absl::string_view what);

}  // namespace content
