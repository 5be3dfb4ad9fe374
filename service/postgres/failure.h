#pragma once

#include <exception>

#include "absl/status/status.h"

// Turns exceptions of libpqxx into errors for callers. The only place that knows SQLSTATEs.
namespace content::postgres {

struct Failure {
  enum class Kind {
    /// Another attempt would fail again.
    kFinal,
    /// The attempt lost against another transaction and wrote nothing. Another may succeed.
    kContention,
    /// A statement was cancelled, and its transaction rolled back. Its own timeout may be over, or
    /// a late timer of an earlier statement hit it, or an operator.
    kCancelled,
    /// The connection can no longer be used. The attempt was not committed.
    kConnectionLost,
    /// The connection was lost while committing.
    kOutcomeUnknown,
  };
  Kind kind;
  /// The caller's answer if no other attempt succeeds.
  absl::Status status;
};

/// Whether a batch may have failed because of one of its requests.
bool MayBeOnesFault(const absl::Status& status);

/// Explains an exception of a Connection's method, and logs the parts that the caller is not told.
Failure Explain(const std::exception& exception);

}  // namespace content::postgres
