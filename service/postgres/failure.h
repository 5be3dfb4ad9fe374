#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

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
  /// What the database reported; that the connection failed (08000) if it reported nothing, but the
  /// connection is lost. Empty if the error is not the database's.
  std::string sqlstate = {};
};

/// Errors whose SQLSTATEs begin alike.
struct ErrorClass {
  /// Two characters, or "other".
  absl::string_view name;
  /// For people.
  absl::string_view meaning;
};

/// The classes that are counted apart, and one for all others
/// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
inline constexpr auto kErrorClasses = std::to_array<ErrorClass>({{"08", "connection"},
                                                                 {"22", "data"},
                                                                 {"23", "constraint"},
                                                                 {"25", "transaction state"},
                                                                 {"26", "prepared statement"},
                                                                 {"28", "authorization"},
                                                                 {"40", "rolled back"},
                                                                 {"42", "statement or right"},
                                                                 {"53", "resources"},
                                                                 {"54", "limit exceeded"},
                                                                 {"55", "not ready or locked"},
                                                                 {"57", "operator"},
                                                                 {"58", "system"},
                                                                 {"XX", "internal"},
                                                                 {"other", "any other class"}});

/// Returns the place of a SQLSTATE's class in kErrorClasses.
size_t ErrorClassOf(absl::string_view sqlstate);

/// Of connections that fail, or cannot be opened.
inline constexpr char kConnectionException[] = "08000";

/// Returns whether a batch may have failed with `status` because of a single request in it.
bool MayBeCausedByOneRequest(const absl::Status& status);

/// Turns an exception of a Connection's method into a Failure, and logs what the caller is not
/// told. `is_open`: whether the connection can still be used. If not, that is why its job failed.
/// `trace_id`: of the trace that the job belongs to, for the log; empty if there is none.
Failure ToFailure(const std::exception& exception, bool is_open, absl::string_view trace_id = "");

}  // namespace content::postgres
