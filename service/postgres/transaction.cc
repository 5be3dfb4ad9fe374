#include "postgres/transaction.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"
#include "postgres/connection_impl.h"

namespace content::postgres {
namespace {

// Whether PostgreSQL itself has said that what it was asked for is not done.
bool IsRefusal(const std::exception& exception) {
  const auto* error = dynamic_cast<const pqxx::sql_error*>(&exception);
  return (error != nullptr && !error->sqlstate().empty()) ||
         dynamic_cast<const pqxx::transaction_rollback*>(&exception) != nullptr;
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
  try {
    impl_->session.exec("ROLLBACK");
  } catch (const std::exception&) {
    connection_.ShutdownSocket();  // so that nobody uses it in the middle of this transaction
  }
}

Result Transaction::ExecPrepared(const std::string& sql, const Parameters& parameters) {
  const std::string& name = connection_.Prepare(sql);
  if (!queued_.empty()) Send();
  return Result(ExecutePrepared(impl_->session, name, parameters));
}

void Transaction::Append(const std::string& sql, const Parameters& parameters) {
  const std::string& name = connection_.Prepare(sql);
  absl::StrAppend(&queued_, queued_.empty() ? "" : "; ", "EXECUTE ", name);
  const char* separator = " (";
  for (const std::string& parameter : parameters) {
    absl::StrAppend(&queued_, std::exchange(separator, ", "), impl_->session.quote(parameter));
  }
  if (!parameters.empty()) absl::StrAppend(&queued_, ")");
}

Result Transaction::Send() {
  is_open_ = true;
  return Result(impl_->session.exec(std::exchange(queued_, "")));
}

void Transaction::Commit() {
  absl::StrAppend(&queued_, queued_.empty() ? "" : "; ", "COMMIT");
  try {
    Send();
  } catch (const std::exception& exception) {
    if (connection_.is_open() && IsRefusal(exception)) throw;
    is_open_ = false;  // as far as this connection can tell; it is thrown away
    throw pqxx::in_doubt_error(exception.what());
  }
  is_open_ = false;
}

}  // namespace content::postgres
