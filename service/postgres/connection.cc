#include "postgres/connection.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "postgres/connection_impl.h"
#include "postgres/session.h"

namespace content::postgres {
namespace {

constexpr absl::Duration kMinStatementTimeout = absl::Milliseconds(128);
constexpr absl::Duration kMaxStatementTimeout = absl::Hours(24);

}  // namespace

Connection::Connection(const std::string& dsn, const SteadyClock& clock)
    : monitor_(clock), impl_(std::make_unique<Impl>(OpenPqxxConnection(dsn))) {}

Connection::~Connection() = default;

std::string Connection::PrepareSession(KnownDatabase* known) {
  const StatementMonitor::Scope scope(monitor_, absl::ZeroDuration());
  pqxx::nontransaction transaction(*impl_->connection);
  const pqxx::result result = transaction.exec(kSessionSettings);
  const pqxx::row row = result[0];
  database_ = ReadDatabaseId(row["system_identifier"].c_str(), row["timeline"].c_str());
  if (known != nullptr) {
    known->Admit(database_, impl_->connection->hostname(), impl_->connection->port());
  }
  known_ = known;
  is_distributed_ = row["is_distributed"].as<bool>();
  return row["server_version"].c_str();
}

bool Connection::is_open() const { return impl_->connection->is_open(); }

void Connection::SetStatementTimeout(absl::Duration limit, absl::Duration max) {
  const absl::Duration raised = std::clamp(limit, kMinStatementTimeout, kMaxStatementTimeout);
  const auto wanted_ms = static_cast<uint64_t>(absl::ToInt64Milliseconds(raised));
  const auto rounded = absl::Milliseconds(static_cast<int64_t>(std::bit_ceil(wanted_ms)));
  const absl::Duration timeout = std::min(rounded, max);
  if (timeout == statement_timeout_) return;
  RunWithin(std::min(statement_timeout_, max),
            absl::StrCat("SET statement_timeout = ", absl::ToInt64Milliseconds(timeout)));
  statement_timeout_ = timeout;
}

bool Connection::ShutdownIfOverdue() {
  if (!monitor_.ClaimOverdue()) return false;
  ShutdownSocket();
  return true;
}

void Connection::ShutdownSocket() const { impl_->socket.Shutdown(); }

void Connection::RunScript(const std::string& sql) {
  const StatementMonitor::Scope scope(monitor_, absl::InfiniteDuration());
  pqxx::nontransaction session(*impl_->connection);
  session.exec(sql);
}

void Connection::Run(const std::string& sql) { RunWithin(statement_timeout_, sql); }

void Connection::RunWithin(absl::Duration limit, const std::string& sql) {
  const StatementMonitor::Scope scope(monitor_, limit);
  pqxx::nontransaction transaction(*impl_->connection);
  transaction.exec(sql);
}

Result Connection::ReadPrepared(const std::string& sql, const Parameters& parameters) {
  if (impl_->snapshot) return Execute(*impl_->snapshot, sql, parameters);
  pqxx::nontransaction transaction(*impl_->connection);
  return Execute(transaction, sql, parameters);
}

Result Connection::Execute(pqxx::transaction_base& transaction, const std::string& sql,
                           const Parameters& parameters) {
  const std::string* const name = comment_.empty() ? &Prepare(sql) : nullptr;
  const StatementMonitor::Scope scope(monitor_, statement_timeout_);
  return Result(name != nullptr ? ExecutePrepared(transaction, *name, parameters)
                                : ExecuteText(transaction, comment_ + sql, parameters));
}

const std::string& Connection::Prepare(const std::string& sql) {
  if (const auto entry = impl_->prepared.find(sql); entry != impl_->prepared.end()) {
    return entry->second;
  }
  const StatementMonitor::Scope scope(monitor_, statement_timeout_);
  // A name never means another statement, whichever session has prepared it.
  const std::string name = absl::StrCat("s", absl::BytesToHexString(Digest({sql}).substr(0, 8)));
  impl_->connection->prepare(name, sql);
#if PQXX_VERSION_MAJOR < 7
  impl_->connection->prepare_now(name);  // not at its first use, which may be in an EXECUTE
#endif
  return impl_->prepared.emplace(sql, name).first->second;
}

void LookAtHosts(KnownDatabase& database, const std::stop_token& stop) {
  for (const std::string& dsn : database.Dsns()) {
    if (stop.stop_requested()) return;
    try {
      Connection(dsn).PrepareSession(&database);
    } catch (const std::exception&) {
      // Sessions that are needed say why they fail.
    }
  }
}

// libpqxx's own transactions hide a ROLLBACK that failed, so the next job would find this one open.
Snapshot::Snapshot(Connection& connection) : connection_(connection) {
  const StatementMonitor::Scope scope(connection_.monitor_, connection_.statement_timeout_);
  auto session = std::make_unique<pqxx::nontransaction>(*connection_.impl_->connection);
  session->exec(connection_.comment_ + "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  connection_.impl_->snapshot = std::move(session);
}

Snapshot::~Snapshot() {
  const StatementMonitor::Scope scope(connection_.monitor_, connection_.statement_timeout_);
  try {
    connection_.impl_->snapshot->exec("ROLLBACK");
  } catch (const std::exception&) {
    connection_.ShutdownSocket();  // nobody may use it in the middle of this transaction
  }
  connection_.impl_->snapshot = nullptr;
}

TracedSession::TracedSession(Connection& connection, CallTrace* trace)
    : connection_(trace != nullptr && trace->context().is_sampled ? &connection : nullptr) {
  if (connection_ == nullptr) return;
  connection_->comment_ = absl::StrCat("/*trace_id='", trace->context().trace_id, "'*/ ");
  connection_->monitor_.SetTrace(trace);
}

TracedSession::~TracedSession() {
  if (connection_ == nullptr) return;
  connection_->monitor_.SetTrace(nullptr);
  connection_->comment_.clear();
}

}  // namespace content::postgres
