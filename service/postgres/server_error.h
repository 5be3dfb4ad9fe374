#pragma once

#include <exception>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// What PostgreSQL says about an error. libpqxx keeps the SQLSTATE of some errors only (6.4 drops
// those of classes 08 and 40, 42501 and 53300), so every session reports errors verbosely and the
// SQLSTATE is read from libpq's text.
namespace content::postgres {

inline constexpr char kInternalError[] = "XX000";
inline constexpr char kUniqueViolation[] = "23505";

struct ServerError {
  /// https://www.postgresql.org/docs/current/errcodes-appendix.html
  std::string sqlstate;
  /// The first line of the primary message, without details, which may contain a user's text. Our
  /// own words if it may quote a user's text or a name from the connection string.
  std::string message;
};

/// Returns what PostgreSQL said in libpq's `text`; nullopt if the text is libpq's own.
std::optional<ServerError> FindServerError(absl::string_view text);

/// Returns what PostgreSQL said; nullopt if it did not raise the exception.
std::optional<ServerError> FindServerError(const std::exception& exception);

/// Returns one line for operators that says what is wrong. It quotes no part of the connection
/// string and no value that PostgreSQL rejected.
std::string DescribeError(const std::exception& exception);

}  // namespace content::postgres
