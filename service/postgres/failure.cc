#include "postgres/failure.h"

#include <optional>
#include <pqxx/pqxx>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

using Kind = Failure::Kind;

// https://www.postgresql.org/docs/current/errcodes-appendix.html. nullopt if callers can do nothing
// about the error.
std::optional<Failure> FromSqlState(absl::string_view state) {
  if (state == "40001" || state == "40P01") return Failure{Kind::kContention, Contention()};
  // A concurrent attempt of the same write was first. The next attempt finds what it wrote.
  if (state == "23505") return Failure{Kind::kContention, Contention()};
  if (state == "40003") return Failure{Kind::kOutcomeUnknown, OutcomeUnknown()};
  // 25006: the server has become a read-only standby. 57P0x: it is stopping or starting, or has
  // crashed.
  // 25001, 25P01, 25P02: a transaction is open or is not, unlike what the driver believes.
  if (state == "25001" || state == "25P01" || state == "25P02" || state == "25006" ||
      absl::StartsWith(state, "57P0") || absl::StartsWith(state, "08")) {
    return Failure{Kind::kConnectionLost, StoreUnavailable()};
  }
  if (state == "57014") return Failure{Kind::kCancelled, DeadlineExceeded()};
  // No disk space, memory or connection left. This may be temporary.
  if (absl::StartsWith(state, "53")) return Failure{Kind::kFinal, StoreUnavailable()};
  if (state == "55P03") return Failure{Kind::kFinal, Overloaded(absl::Seconds(1))};
  if (absl::StartsWith(state, "22")) return Failure{Kind::kFinal, ValueRefused()};
  return std::nullopt;
}

std::optional<Failure> Classify(const std::exception& exception) {
  // statement_completion_unknown derives from transaction_rollback, so it must be checked first.
  // Otherwise a commit of unknown outcome would be taken for a rollback.
  if (dynamic_cast<const pqxx::statement_completion_unknown*>(&exception) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&exception) != nullptr) {
    return Failure{Kind::kOutcomeUnknown, OutcomeUnknown()};
  }
  if (dynamic_cast<const pqxx::transaction_rollback*>(&exception) != nullptr) {
    return Failure{Kind::kContention, Contention()};  // it has no SQLSTATE in libpqxx 6.4
  }
  if (dynamic_cast<const pqxx::broken_connection*>(&exception) != nullptr) {
    return Failure{Kind::kConnectionLost, StoreUnavailable()};
  }
  if (const auto* error = dynamic_cast<const pqxx::sql_error*>(&exception)) {
    return FromSqlState(error->sqlstate());
  }
  return std::nullopt;
}

}  // namespace

bool MayBeCausedByOneRequest(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsInternal(status);
}

Failure ToFailure(const std::exception& exception, bool is_open) {
  const auto* error = dynamic_cast<const pqxx::sql_error*>(&exception);
  const std::string sqlstate = error != nullptr ? error->sqlstate() : "";
  // PostgreSQL quotes the value that it rejects, which may be a user's text.
  const absl::string_view message = absl::StartsWith(sqlstate, "22")
                                        ? "a value was refused"
                                        : absl::StripAsciiWhitespace(exception.what());
  std::optional<Failure> failure = Classify(exception);
  const bool is_outcome_unknown = failure && failure->kind == Kind::kOutcomeUnknown;
  if (!is_open && !is_outcome_unknown) {
    failure = Failure{Kind::kConnectionLost, StoreUnavailable()};
  }
  if (failure) {
    log::Warning("database error", {{"sqlstate", sqlstate}, {"message", message}});
    return *std::move(failure);
  }
  const std::string origin =
      sqlstate.empty() ? "" : absl::StrCat("database error ", sqlstate, ": ");
  return {Kind::kFinal, Internal(absl::StrCat(origin, message))};
}

}  // namespace content::postgres
