#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Every error a caller can get, made in one place. The google.rpc details travel as payloads of the
// absl::Status, each under its type URL, and become gRPC details in `api`.
namespace content {

/// ErrorInfo.domain of every error.
inline constexpr absl::string_view kErrorDomain = "content.v1";

/// The bad fields of a request, collected so that a caller learns of all of them at once. Of very
/// many only the first 16 are kept: an error travels in HTTP/2 trailers, of which clients take 8
/// KiB.
class Violations {
 public:
  /// `field` is the path in the request (`comment.author.id`), `description` says what is wrong.
  void Add(absl::string_view field, absl::string_view description);

  bool empty() const { return fields_.empty(); }

  /// OK if there are none, otherwise INVALID_ARGUMENT with a BadRequest detail naming each.
  absl::Status ToStatus() const;

 private:
  struct Field {
    std::string path;
    std::string description;
  };
  std::vector<Field> fields_;
  size_t left_out_ = 0;
};

/// INVALID_ARGUMENT for one field.
absl::Status InvalidField(absl::string_view field, absl::string_view description);

/// INVALID_ARGUMENT for bytes that are no message of this type.
absl::Status MalformedRequest(absl::string_view type_name);

/// INVALID_ARGUMENT for a value that only the database found fault with.
absl::Status ValueRefused();

/// NOT_FOUND with a ResourceInfo detail. `name` is the resource name as the caller gave it.
absl::Status ArticleNotFound(absl::string_view name);
absl::Status CommentNotFound(absl::string_view name);

/// ALREADY_EXISTS: the id made from a title belongs to another article.
absl::Status ArticleExists(absl::string_view name);

/// ALREADY_EXISTS: another article has, or had, the name.
absl::Status NameTaken(absl::string_view name);

/// ABORTED: the etag the caller holds is not the current one.
absl::Status EtagMismatch(absl::string_view name);

/// FAILED_PRECONDITION, each with its own reason.
absl::Status CommentsClosed(absl::string_view article_name);
absl::Status ThreadTooDeep(int limit);
absl::Status CommentHidden(absl::string_view name);
absl::Status CommentDeleted(absl::string_view name);
absl::Status RequestIdReused(absl::string_view request_id);
absl::Status RevisionNotReached(absl::string_view name, int64_t wanted, int64_t current);

/// OUT_OF_RANGE: the answer would be larger than a reply may be.
absl::Status ReplyTooLarge();

/// ABORTED: a watcher that did not take what it was sent for too long.
absl::Status WatcherTooSlow();

/// RESOURCE_EXHAUSTED with RetryInfo: a queue is full.
absl::Status Overloaded(absl::Duration retry_after);

/// UNAVAILABLE with RetryInfo: the database cannot be reached.
absl::Status StoreUnavailable();

/// UNAVAILABLE with RetryInfo: the server stops, another may take the call.
absl::Status ServerStopping();

/// UNAVAILABLE: a commit whose outcome could not be found out.
absl::Status OutcomeUnknown();

/// ABORTED with RetryInfo: the write kept losing against others.
absl::Status Contention();

/// DEADLINE_EXCEEDED and CANCELLED: the caller's time is up, or the caller is gone.
absl::Status DeadlineExceeded();
absl::Status Cancelled();

/// INTERNAL, with nothing in it for the caller to see; the cause belongs in the log.
absl::Status Internal();

/// ErrorInfo.reason of a status made here; empty if it carries none.
std::string ReasonOf(const absl::Status& status);

}  // namespace content
