#pragma once

#include <exception>

#include "absl/status/status.h"

// Turns libpqxx's exceptions into errors for callers. The only file that knows SQLSTATEs.
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
    /// The connection was lost during the commit.
    kOutcomeUnknown,
  };
  Kind kind;
  /// The error for the caller if no further attempt succeeds.
  absl::Status status;
};

/// Returns whether a batch may have failed with `status` because of a single request in it.
bool MayBeOnesFault(const absl::Status& status);

/// Explains an exception thrown by a method of Connection, and logs the details that callers must
/// not see.
Failure Explain(const std::exception& exception);

}  // namespace content::postgres
