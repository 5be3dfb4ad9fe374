#include "postgres/server_error.h"

#include <algorithm>
#include <pqxx/pqxx>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace content::postgres {
namespace {

// Follows the severity, which may be in any language: "ERROR:  42501: permission denied". In
// libpq's own texts a single space follows a colon.
constexpr absl::string_view kEndOfSeverity = ":  ";
constexpr size_t kSqlStateLength = 5;

// Returns `message`, or our own words where PostgreSQL quotes what must not be shown: the value
// that it rejects, which may be a user's text, or a name from the connection string.
absl::string_view WithoutNames(absl::string_view sqlstate, absl::string_view message) {
  if (absl::StartsWith(sqlstate, "22")) return "a value was refused";
  if (sqlstate == "3F000") {
    return "search_path names no schema that exists and that the user may use";
  }
  if (sqlstate == "42704") return "an object that a setting or the schema names does not exist";
  // Tables are ours, but schemas, databases, roles and tablespaces are not.
  if (sqlstate == "42501" && !absl::StartsWith(message, "permission denied for table ") &&
      !absl::StartsWith(message, "must be owner of table ")) {
    return "the user lacks a right on a schema, the database or another object";
  }
  return message;
}

// Citus copies several rows at once to their worker, and reports what is wrong with them as an
// internal error.
absl::string_view TrueState(absl::string_view sqlstate, absl::string_view message) {
  const bool is_duplicate =
      sqlstate == kInternalError &&
      absl::StartsWith(message, "duplicate key value violates unique constraint");
  return is_duplicate ? kUniqueViolation : sqlstate;
}

// Parses what follows the severity.
std::optional<ServerError> Parse(absl::string_view text) {
  const absl::string_view line = text.substr(0, text.find('\n'));
  const absl::string_view sqlstate = line.substr(0, kSqlStateLength);
  const bool is_sqlstate = sqlstate.size() == kSqlStateLength &&
                           std::all_of(sqlstate.begin(), sqlstate.end(), [](char c) {
                             return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                                    absl::ascii_isupper(static_cast<unsigned char>(c));
                           });
  absl::string_view message = line.substr(sqlstate.size());
  if (!is_sqlstate || !absl::ConsumePrefix(&message, ": ")) return std::nullopt;
  return ServerError{.sqlstate = std::string(TrueState(sqlstate, message)),
                     .message = std::string(WithoutNames(sqlstate, message))};
}

}  // namespace

std::optional<ServerError> FindServerError(absl::string_view text) {
  for (size_t at = text.find(kEndOfSeverity); at != absl::string_view::npos;
       at = text.find(kEndOfSeverity, at + 1)) {
    if (auto error = Parse(text.substr(at + kEndOfSeverity.size()))) return error;
  }
  return std::nullopt;
}

std::optional<ServerError> FindServerError(const std::exception& exception) {
  return FindServerError(absl::string_view(exception.what()));
}

std::string DescribeError(const std::exception& exception) {
  if (const std::optional<ServerError> error = FindServerError(exception)) {
    return absl::StrCat(error->message, " (SQLSTATE ", error->sqlstate, ")");
  }
  if (dynamic_cast<const pqxx::failure*>(&exception) != nullptr) {
    return "the connection to the database was lost";
  }
  return exception.what();
}

}  // namespace content::postgres
