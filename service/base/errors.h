#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"

// Errors that any room can return. Errors about articles and comments are in content/errors.h.
// google.rpc details are payloads of the absl::Status, each under its type URL; `api` converts them
// to gRPC details (https://google.aip.dev/193).
namespace content {

/// ErrorInfo.domain of every error.
inline constexpr absl::string_view kErrorDomain = "content.v1";

/// ErrorInfo.metadata: names and values.
using ErrorMetadata = std::initializer_list<std::pair<absl::string_view, std::string>>;

/// Returns a status with an ErrorInfo detail. `reason` is a reason from the error table in
/// content_service.proto.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       ErrorMetadata metadata = {});

/// Adds a google.rpc detail to `status`.
void AttachDetail(absl::Status& status, const google::protobuf::Message& detail);

/// Returns `status` with a RetryInfo detail: the call may be repeated after this time.
absl::Status WithRetry(absl::Status status, absl::Duration after);

/// Returns the ErrorInfo.reason of `status`; empty if it has none.
std::string ReasonOf(const absl::Status& status);

/// Collects the invalid fields of a request, so that a caller learns about all of them at once.
/// Keeps the first 16: errors travel in HTTP/2 trailers, and clients accept only 8 KiB of those.
class Violations {
 public:
  /// `field` is the path in the request (`comment.author.id`); `description` says what is wrong.
  void Add(absl::string_view field, absl::string_view description);

  struct Field {
    std::string path;
    std::string description;
  };

  bool empty() const { return fields_.empty(); }

  /// The first 16, and the number of the others.
  const std::vector<Field>& fields() const { return fields_; }
  size_t dropped_count() const { return dropped_count_; }

  /// Returns OK if there are none, otherwise INVALID_ARGUMENT with a BadRequest detail that names
  /// each field.
  absl::Status ToStatus() const;

 private:
  std::vector<Field> fields_;
  size_t dropped_count_ = 0;
};

/// INVALID_ARGUMENT for one field.
absl::Status InvalidField(absl::string_view field, absl::string_view description);

/// INVALID_ARGUMENT for bytes that do not parse as a message of this type.
absl::Status MalformedRequest(absl::string_view type_name);

/// INVALID_ARGUMENT for a request of more than `limit` bytes.
absl::Status RequestTooLarge(size_t limit);

/// INVALID_ARGUMENT for a value that passed our checks but was rejected by the database.
absl::Status ValueRefused();

/// OUT_OF_RANGE: the answer would exceed the maximum size of a reply.
absl::Status ReplyTooLarge();

/// RESOURCE_EXHAUSTED with RetryInfo: a queue is full, or another limit of this server is reached.
absl::Status Overloaded(absl::Duration retry_after,
                        absl::string_view message = "too many calls are waiting for the database");

/// RESOURCE_EXHAUSTED with RetryInfo: this server is short of memory (base/memory_guard.h).
absl::Status MemoryShort();

/// UNAVAILABLE with RetryInfo: the database cannot be reached, or cannot do the work at present.
absl::Status StoreUnavailable(absl::string_view message = "the database cannot be reached");

/// UNAVAILABLE with RetryInfo: this server is stopping; another may take the call.
absl::Status ServerStopping();

/// UNAVAILABLE with RetryInfo: it could not be determined whether the write was committed.
absl::Status OutcomeUnknown();

/// ABORTED with RetryInfo: the write kept losing to concurrent writes.
absl::Status Contention();

/// DEADLINE_EXCEEDED: the caller's deadline has passed.
absl::Status DeadlineExceeded();

/// CANCELLED: the caller has given up.
absl::Status Cancelled();

/// INTERNAL. Logs `cause`, which is not shown to the caller. The only other INTERNAL error is that
/// of a request that did not arrive whole (api/decode.h).
absl::Status Internal(absl::string_view cause);

/// Logs a broken invariant and ends the process.
[[noreturn]] void FailInvariant(absl::string_view what);

/// From now on an exception that nobody catches is a broken invariant. std::terminate would write
/// it to standard error by itself, and wait there for ever if nobody reads.
void FailOnUncaughtExceptions();

}  // namespace content
