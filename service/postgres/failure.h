#pragma once

#include <exception>

#include "absl/status/status.h"

// Turns exceptions of a connection into errors for callers. Knows what each SQLSTATE means for a
// job.
namespace content::postgres {

struct Failure {
  enum class Kind {
    /// Another attempt would fail too.
    kFinal,
    /// The attempt collided with another transaction and wrote nothing. Another attempt may
    /// succeed.
    kContention,
    /// A statement was cancelled and its transaction rolled back: by its own timeout, by a late
    /// timer of an earlier statement, or by an operator.
    kCancelled,
    /// The connection can no longer be used. The attempt was not committed.
    kConnectionLost,
    /// The session takes no writes. One that begins later may.
    kReadOnly,
    /// The connection was lost during the commit.
    kOutcomeUnknown,
  };
  Kind kind;
  /// The error for the caller if no further attempt succeeds.
  absl::Status status;
};

/// Returns whether a batch may have failed with `status` because of a single request in it.
bool MayBeCausedByOneRequest(const absl::Status& status);

/// Turns an exception of a Connection's method into a Failure, and logs what the caller is not
/// told. `is_open`: whether the connection can still be used. If not, that is why its job failed.
Failure ToFailure(const std::exception& exception, bool is_open);

}  // namespace content::postgres
