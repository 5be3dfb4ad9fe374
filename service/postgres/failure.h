#pragma once

#include <exception>

#include "absl/status/status.h"

// What went wrong in PostgreSQL, as callers may see it. The only place that knows SQLSTATEs.
namespace content::postgres {

struct Failure {
  enum class Kind {
    /// The same again would fail again.
    kFinal,
    /// It lost against another transaction, and nothing was written: try again.
    kContention,
    /// The connection is of no use any more. What was under way was not committed.
    kConnectionLost,
    /// The connection was lost while committing.
    kOutcomeUnknown,
  };
  Kind kind;
  /// What the caller gets unless a retry helps.
  absl::Status status;
};

/// Whether what was done for many callers together may have failed because of what one of them
/// asked for.
bool MayBeOnesFault(const absl::Status& status);

/// Explains an exception caught around libpqxx, and logs what the caller is not told.
Failure Explain(const std::exception& exception);

}  // namespace content::postgres
