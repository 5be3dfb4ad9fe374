#include "postgres/pooler.h"

#include <libpq-fe.h>
#include <poll.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "postgres/connect_error.h"

namespace content::postgres {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(3);
constexpr int kRounds = 4;

ConnectError SharedBackends() {
  return {
      "a pooler in transaction or statement mode is in front of it; contentd needs session mode "
      "(PgBouncer: pool_mode = session) or a direct connection",
      ConnectError::Kind::kPermanent};
}

ConnectError NoTurn() {
  return {
      "the database accepts the connection, but answers no statement; a pooler in front of it may "
      "have no connection left (PgBouncer: pool_size)",
      ConnectError::Kind::kTurnedAway};
}

// Returns nullptr after the last result of the statement.
std::unique_ptr<PGresult, decltype(&PQclear)> NextResult(PGconn* session, SteadyTime deadline) {
  while (PQisBusy(session) != 0) {
    if (!AwaitSocket(PQsocket(session), POLLIN, deadline)) throw NoTurn();
    if (PQconsumeInput(session) == 0) throw ExplainConnectFailure(PQerrorMessage(session));
  }
  return {PQgetResult(session), &PQclear};
}

// Returns the id of the PostgreSQL process that runs this statement.
int BackendOf(PGconn* session, SteadyTime deadline = SteadyNow() + kTimeout) {
  if (PQsendQuery(session, "SELECT pg_catalog.pg_backend_pid()") == 0) {
    throw ExplainConnectFailure(PQerrorMessage(session));
  }
  int backend = 0;
  while (const auto result = NextResult(session, deadline)) {
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK ||
        !absl::SimpleAtoi(PQgetvalue(result.get(), 0, 0), &backend)) {
      throw ExplainConnectFailure(PQresultErrorMessage(result.get()));
    }
  }
  return backend;
}

// A pooler tells clients an id of its own, because it has no process for them yet, or not always
// the same.
bool IsPooled(const PGconn* session, int backend) { return backend != PQbackendPID(session); }
// Two checks at a time might take the last connections and both wait.
class Turn {
 public:
  explicit Turn(SteadyTime deadline) {
    std::unique_lock lock(mutex_);
    SteadyClock::System().WaitUntil(deadline, lock, ended_, {}, [] { return !is_taken_; });
    if (is_taken_) throw NoTurn();
    is_taken_ = true;
  }

  ~Turn() {
    const std::lock_guard lock(mutex_);
    is_taken_ = false;
    ended_.notify_one();
  }

  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  static inline std::mutex mutex_;
  static inline std::condition_variable_any ended_;
  static inline bool is_taken_ = false;  // Guarded by mutex_.
};

}  // namespace

void CheckPooler(PGconn* session, const std::function<RawConnection()>& open_another) {
  const int backend = BackendOf(session);
  if (!IsPooled(session, backend)) return;
  const Turn turn(SteadyNow() + kTimeout);
  const RawConnection other = open_another();
  const SteadyTime deadline = SteadyNow() + kTimeout;
  const int other_backend = BackendOf(other.get(), deadline);
  if (other_backend == backend) throw SharedBackends();
  // A pooler that shares takes the connection that it used last, so both sessions get the same one,
  // or all in turn, so a session that sends two statements gets two. Others may use it meanwhile.
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& [asked, expected] :
         {std::pair(session, backend), std::pair(session, backend),
          std::pair(other.get(), other_backend), std::pair(other.get(), other_backend)}) {
      if (BackendOf(asked, deadline) != expected) throw SharedBackends();
    }
  }
}

absl::Status CheckPoolSize(const std::string& dsn, int sessions) {
  std::vector<RawConnection> opened;
  try {
    for (int i = 0; i < sessions; ++i) {
      PGconn* const session = opened.emplace_back(OpenRawConnection(dsn)).get();
      if (!IsPooled(session, BackendOf(session))) break;
    }
  } catch (const ConnectError& error) {
    if (!error.is_turned_away() || opened.empty()) return absl::OkStatus();
    // Another session is open while one is checked.
    return absl::FailedPreconditionError(
        absl::StrCat("the pooler in front of the database has ", opened.size() + 1,
                     " connections left for this server, which needs ", sessions + 1,
                     ": raise its limit (PgBouncer: pool_size), or lower --read-connections or "
                     "--write-connections"));
  }
  return absl::OkStatus();
}

}  // namespace content::postgres
