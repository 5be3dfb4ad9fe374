#include "postgres/connect_error.h"

#include <libpq-fe.h>
#include <poll.h>

#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "postgres/server_error.h"

namespace content::postgres {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(3);

using Kind = ConnectError::Kind;

// What a cause means for operators.
struct Explanation {
  absl::string_view cause;  // an SQLSTATE or its class, or a part of libpq's message
  absl::string_view meaning;
  Kind kind;
  bool may_be_the_url = false;
};

// The first that fits counts.
constexpr Explanation kSqlStates[] = {
    {"28", "the database refuses the user or its password", Kind::kPermanent, true},
    {"3D000", "the database does not exist", Kind::kPermanent, true},
    {"42501", "the user may not connect to the database", Kind::kPermanent},
    {"53300",
     "the database has no connection left (max_connections, or the CONNECTION LIMIT of the user or "
     "the database)",
     Kind::kTurnedAway},
    {"53", "the database has run out of disk or memory", Kind::kTemporary},
    {"55", "the database accepts no connections at present", Kind::kTemporary},
    {"57", "the database is starting or stopping", Kind::kTemporary},
    {"0A", "the database refuses a setting of the connection string", Kind::kPermanent},
    {"22", "the database refuses a setting of the connection string", Kind::kPermanent},
    {"42", "the database refuses a setting of the connection string", Kind::kPermanent},
    {"", "the database refuses the connection", Kind::kTurnedAway},
};

// Texts of libpq in English, which it uses because the process sets no locale.
constexpr Explanation kMessages[] = {
    {"could not translate host name", "the database's host name cannot be resolved",
     Kind::kTemporary, true},
    {"no password supplied", "the database asks for a password, and there is none",
     Kind::kPermanent},
    {"Connection refused", "nothing listens at the database's address", Kind::kTemporary},
    {"No such file or directory", "nothing listens at the database's socket", Kind::kTemporary},
    {"Permission denied", "this process may not use the database's socket", Kind::kTemporary},
    {"timeout expired", "the database does not answer in time", Kind::kTemporary},
    {"timed out", "the database does not answer in time", Kind::kTemporary},
    {"No route to host", "there is no route to the database", Kind::kTemporary},
    {"unreachable", "there is no route to the database", Kind::kTemporary},
    {"closed the connection", "the connection was cut while it was being opened", Kind::kTemporary},
    {"reset by peer", "the connection was cut while it was being opened", Kind::kTemporary},
    {"SYSCALL", "the connection was cut while it was being opened", Kind::kTemporary},
    {"read-only", "no server has the attributes that target_session_attrs demands",
     Kind::kTemporary},
    {"hot standby", "no server has the attributes that target_session_attrs demands",
     Kind::kTemporary},
    {"GSS", "the database does not offer the encryption that is demanded", Kind::kPermanent},
    {"channel binding", "the database does not offer the channel binding that is demanded",
     Kind::kPermanent},
    {"SSL", "the database does not offer the TLS that is demanded", Kind::kPermanent},
    {"certificate", "the certificates for TLS do not fit", Kind::kPermanent},
    {"connection to server", "the database cannot be reached", Kind::kTemporary},
    {"", "an option of the connection string is wrong", Kind::kPermanent, true},
};

ConnectError ToError(const Explanation& explanation, absl::string_view sqlstate = "") {
  std::string text(explanation.meaning);
  if (!sqlstate.empty()) absl::StrAppend(&text, " (SQLSTATE ", sqlstate, ")");
  if (explanation.may_be_the_url) absl::StrAppend(&text, "; ", kPercentEncodeHint);
  return {text, explanation.kind};
}

// Connects step by step, because only then can libpq be asked for SQLSTATEs in time. Not the way to
// connect: libpq would not go on to the next host if one does not answer. Returns libpq's message.
std::string ConnectForSqlState(const std::string& dsn) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectStart(dsn.c_str()),
                                                                &PQfinish);
  PQsetErrorVerbosity(connection.get(), PQERRORS_SQLSTATE);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const SteadyTime deadline = SteadyNow() + kTimeout;
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD &&
         (step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING)) {
    pollfd socket = {PQsocket(connection.get()),
                     static_cast<short>(step == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const absl::Duration left = deadline - SteadyNow();
    if (left <= absl::ZeroDuration()) return "";
    poll(&socket, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    step = PQconnectPoll(connection.get());
  }
  return PQerrorMessage(connection.get());
}

}  // namespace

ConnectError ExplainConnectFailure(const std::string& dsn, absl::string_view message) {
  // The database's own message, in which two spaces follow the severity.
  if (absl::StrContains(message, ":  ")) {
    const std::optional<ServerError> error = FindServerError(ConnectForSqlState(dsn));
    const std::string sqlstate = error ? error->sqlstate : "";
    for (const Explanation& explanation : kSqlStates) {
      if (absl::StartsWith(sqlstate, explanation.cause)) return ToError(explanation, sqlstate);
    }
  }
  for (const Explanation& explanation : kMessages) {
    if (absl::StrContains(message, explanation.cause)) return ToError(explanation);
  }
  return {"the database cannot be reached", Kind::kTemporary};
}

}  // namespace content::postgres
