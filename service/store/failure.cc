#include "store/failure.h"

#include <pqxx/pqxx>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "content/errors.h"
#include "telemetry/log.h"

namespace content::store {
namespace {

using Kind = Failure::Kind;

// https://www.postgresql.org/docs/current/errcodes-appendix.html
Failure FromSqlState(absl::string_view state) {
  if (state == "40001" || state == "40P01") return {Kind::kContention, Contention()};
  if (state == "23505") return {Kind::kContention, Contention()};  // a twin came first: see it
  if (state == "40003") return {Kind::kOutcomeUnknown, OutcomeUnknown()};
  // Read-only: this server has become a standby. 57P0x: it shuts down, crashed or starts up.
  if (state == "25006" || absl::StartsWith(state, "57P0") || absl::StartsWith(state, "08")) {
    return {Kind::kConnectionLost, StoreUnavailable()};
  }
  if (state == "57014") return {Kind::kFinal, DeadlineExceeded()};
  // No disk, no memory, no connection left: not this caller's doing, and it may pass.
  if (absl::StartsWith(state, "53")) return {Kind::kFinal, StoreUnavailable()};
  if (state == "55P03") return {Kind::kFinal, Overloaded(absl::Seconds(1))};
  if (absl::StartsWith(state, "22")) {
    return {Kind::kFinal, ValueRefused()};
  }
  return {Kind::kFinal, Internal()};
}

Failure Classify(const std::exception& exception) {
  // statement_completion_unknown derives from transaction_rollback: it comes first, or a commit of
  // unknown outcome is taken for one that was rolled back.
  if (dynamic_cast<const pqxx::statement_completion_unknown*>(&exception) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&exception) != nullptr) {
    return {Kind::kOutcomeUnknown, OutcomeUnknown()};
  }
  if (dynamic_cast<const pqxx::transaction_rollback*>(&exception) != nullptr) {
    return {Kind::kContention, Contention()};  // in libpqxx 6.4 these carry no SQLSTATE
  }
  if (dynamic_cast<const pqxx::broken_connection*>(&exception) != nullptr) {
    return {Kind::kConnectionLost, StoreUnavailable()};
  }
  if (const auto* error = dynamic_cast<const pqxx::sql_error*>(&exception)) {
    return FromSqlState(error->sqlstate());
  }
  return {Kind::kFinal, Internal()};
}

}  // namespace

bool MayBeOnesFault(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsInternal(status);
}

Failure Explain(const std::exception& exception) {
  Failure failure = Classify(exception);
  const auto* error = dynamic_cast<const pqxx::sql_error*>(&exception);
  const std::string sqlstate = error != nullptr ? error->sqlstate() : "";
  // PostgreSQL quotes the value it refuses, which is a user's.
  const absl::string_view message = absl::StartsWith(sqlstate, "22")
                                        ? "a value was refused"
                                        : absl::StripAsciiWhitespace(exception.what());
  const bool is_ours = failure.status.code() == absl::StatusCode::kInternal;
  (is_ours ? log::Error : log::Warning)("database error",
                                        {{"sqlstate", sqlstate}, {"message", message}});
  return failure;
}

}  // namespace content::store
