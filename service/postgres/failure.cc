#include "postgres/failure.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "postgres/server_error.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

constexpr absl::string_view kDiskFull = "53100";

bool IsOneOf(absl::string_view state, std::initializer_list<absl::string_view> states) {
  return std::find(states.begin(), states.end(), state) != states.end();
}

// No disk space, memory or connection left. This may be temporary.
absl::Status OutOfResources(absl::string_view state) {
  return StoreUnavailable(state == kDiskFull ? "the database cannot write: its disk is full"
                                             : "the database has run out of memory or connections");
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html. nullopt if callers can do nothing
// about the error.
std::optional<Failure> FromSqlState(absl::string_view state) {
  if (state == "40003") return Failure{Failure::Kind::kOutcomeUnknown, OutcomeUnknown()};
  // kUniqueViolation: a concurrent attempt of the same write was first. The next attempt finds what
  // it wrote.
  if (IsOneOf(state, {"40000", "40001", "40P01", kUniqueViolation})) {
    return Failure{Failure::Kind::kContention, Contention()};
  }
  // The session does not take writes: the server has become a standby, or the session began while
  // the database was read-only.
  if (state == "25006") {
    return Failure{Failure::Kind::kReadOnly, StoreUnavailable("the database accepts no writes")};
  }
  // 57P0x: the server is stopping or starting, or has crashed.
  // The others: a transaction is open or is not, or a prepared statement exists or does not, unlike
  // what the driver believes.
  if (IsOneOf(state, {"25001", "25P01", "25P02", "26000", "42P05"}) ||
      absl::StartsWith(state, "57P0") || absl::StartsWith(state, "08")) {
    return Failure{Failure::Kind::kConnectionLost, StoreUnavailable()};
  }
  if (state == "57014") return Failure{Failure::Kind::kCancelled, DeadlineExceeded()};
  if (absl::StartsWith(state, "53")) return Failure{Failure::Kind::kFinal, OutOfResources(state)};
  if (state == "55P03") return Failure{Failure::Kind::kFinal, Overloaded(absl::Seconds(1))};
  if (absl::StartsWith(state, "22")) return Failure{Failure::Kind::kFinal, ValueRefused()};
  return std::nullopt;
}

std::optional<Failure> Classify(const std::exception& exception, absl::string_view state) {
  if (dynamic_cast<const pqxx::in_doubt_error*>(&exception) != nullptr) {
    return Failure{Failure::Kind::kOutcomeUnknown, OutcomeUnknown()};
  }
  if (!state.empty()) return FromSqlState(state);
  if (dynamic_cast<const pqxx::broken_connection*>(&exception) != nullptr) {
    return Failure{Failure::Kind::kConnectionLost, StoreUnavailable()};
  }
  return std::nullopt;
}

// `error` is what PostgreSQL said, if it said anything.
void Log(const std::optional<ServerError>& error, absl::string_view trace_id) {
  std::vector<log::Field> fields;
  if (error) fields.emplace_back("sqlstate", error->sqlstate);
  fields.emplace_back("message", error ? error->message : "the database did not say why");
  if (!trace_id.empty()) fields.emplace_back("trace_id", trace_id);
  if (!error || absl::StartsWith(error->sqlstate, "57P0")) {
    log::Warning("database connection lost", fields);
  } else if (error->sqlstate == kDiskFull) {
    log::Error("database disk full", fields);
  } else {
    log::Warning("database error", fields);
  }
}

Failure Explain(const std::exception& exception, const std::optional<ServerError>& error,
                bool is_open, absl::string_view trace_id) {
  std::optional<Failure> failure = Classify(exception, error ? error->sqlstate : "");
  const bool is_outcome_unknown = failure && failure->kind == Failure::Kind::kOutcomeUnknown;
  if (!is_open && !is_outcome_unknown) {
    // PostgreSQL ends all sessions if it has no room for its log.
    const bool is_full = error && error->sqlstate == kDiskFull;
    failure = Failure{Failure::Kind::kConnectionLost,
                      is_full ? OutOfResources(kDiskFull) : StoreUnavailable()};
  }
  if (failure) {
    Log(error, trace_id);
    return *std::move(failure);
  }
  const std::string cause =
      error ? absl::StrCat("database error ", error->sqlstate, ": ", error->message)
            : std::string(exception.what());
  return {Failure::Kind::kFinal,
          Internal(trace_id.empty() ? cause : absl::StrCat(cause, " (trace ", trace_id, ")"))};
}

}  // namespace

bool MayBeCausedByOneRequest(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsInternal(status);
}

size_t ErrorClassOf(absl::string_view sqlstate) {
  const auto* const others = &kErrorClasses.back();
  const auto* const found = std::find_if(kErrorClasses.begin(), others, [&](const ErrorClass& one) {
    return one.name == sqlstate.substr(0, 2);
  });
  return static_cast<size_t>(found - kErrorClasses.begin());
}

Failure ToFailure(const std::exception& exception, bool is_open, absl::string_view trace_id) {
  const std::optional<ServerError> error = FindServerError(exception);
  Failure failure = Explain(exception, error, is_open, trace_id);
  if (error) {
    failure.sqlstate = error->sqlstate;
  } else if (failure.kind != Failure::Kind::kFinal) {
    failure.sqlstate = kConnectionException;
  }
  return failure;
}

}  // namespace content::postgres
