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
  if (!is_sqlstate || (!absl::ConsumePrefix(&message, ": ") && !message.empty())) {
    return std::nullopt;
  }
  // PostgreSQL quotes the value that it rejects, which may be a user's text.
  if (absl::StartsWith(sqlstate, "22")) message = "a value was refused";
  return ServerError{.sqlstate = std::string(sqlstate), .message = std::string(message)};
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
