#include "postgres/transaction.h"

#include <optional>
#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "postgres/connection_impl.h"
#include "postgres/server_error.h"

namespace content::postgres {
namespace {

// A commit has no timeout, because a busy disk may take long to flush it. This is its limit for the
// monitor.
constexpr absl::Duration kCommitLimit = absl::Minutes(1);

// Returns whether the exception shows that PostgreSQL refused the commit. 40003, and 08007 of
// class 08, say that PostgreSQL itself does not know. So does Citus with an internal error, if it
// lost a worker that was committing.
bool IsRefusal(const std::exception& exception, bool is_distributed) {
  const std::optional<ServerError> error = FindServerError(exception);
  return error && error->sqlstate != "40003" && !absl::StartsWith(error->sqlstate, "08") &&
         !(is_distributed && error->sqlstate == kInternalError);
}

}  // namespace

struct Transaction::Impl {
  pqxx::nontransaction session;
};

Transaction::Transaction(Connection& connection)
    : connection_(connection),
      impl_(new Impl{pqxx::nontransaction(*connection.impl_->connection)}) {}

Transaction::~Transaction() {
  if (!is_open_) return;
  const StatementMonitor::Scope scope(connection_.monitor_, connection_.statement_timeout_);
  try {
    impl_->session.exec("ROLLBACK");
  } catch (const std::exception&) {
    connection_.ShutdownSocket();  // nobody may reuse it within this transaction
  }
}

Result Transaction::ExecPrepared(const std::string& sql, const Parameters& parameters) {
  if (!queued_.empty()) Send();
  return connection_.Execute(impl_->session, sql, parameters);
}

void Transaction::Append(const std::string& sql, const Parameters& parameters) {
  const std::string& name = connection_.Prepare(sql);
  ++queued_count_;
  absl::StrAppend(&queued_, queued_.empty() ? "" : "; ", "EXECUTE ", name);
  const char* separator = " (";
  for (const std::string& parameter : parameters) {
    absl::StrAppend(&queued_, std::exchange(separator, ", "), impl_->session.quote(parameter));
  }
  if (!parameters.empty()) absl::StrAppend(&queued_, ")");
}

Result Transaction::Send(absl::Duration extra_limit, CallTrace::Kind kind) {
  const int count = std::exchange(queued_count_, 0);
  const StatementMonitor::Scope scope(connection_.monitor_,
                                      count * connection_.statement_timeout_ + extra_limit, kind);
  is_open_ = true;
  return Result(impl_->session.exec(connection_.comment_ + std::exchange(queued_, "")));
}

void Transaction::Commit() {
  absl::StrAppend(&queued_, queued_.empty() ? "" : "; ", "COMMIT");
  TookStandbyWarning();  // about an earlier statement
  try {
    Send(kCommitLimit, CallTrace::Kind::kCommit);
  } catch (const std::exception& exception) {
    if (connection_.is_open() && IsRefusal(exception, is_distributed())) throw;
    is_open_ = false;  // the connection is discarded
    throw pqxx::in_doubt_error(exception.what());
  }
  is_open_ = false;
  if (TookStandbyWarning()) throw pqxx::in_doubt_error("the wait for a standby was cancelled");
  // An old primary took it, and the new one may lack it.
  if (connection_.is_outdated()) throw pqxx::in_doubt_error("the database has failed over");
}

}  // namespace content::postgres
