#include "store/connection.h"

#include <libpq-fe.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace content::store {
namespace {

std::unique_ptr<pqxx::connection> Connect(const std::string& url) {
  auto connection = std::make_unique<pqxx::connection>(url);
#if PQXX_VERSION_MAJOR >= 7
  connection->set_verbosity(pqxx::error_verbosity::terse);
#else
  // A silent reconnect would lose prepared statements and settings, and repeat statements blindly.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  connection->set_verbosity(pqxx::connection_base::terse);
#endif
  return connection;
}

// What no session of ours may inherit from the server's configuration. An instance that froze or
// was cut off must not keep an article locked; locking relies on READ COMMITTED; an acknowledged
// write is on disk; a number in the key of a page is exact. (Compiling a statement takes longer
// than running any of ours, and planning one anew each time longer than running most: those by key
// take 0.02 ms, and 0.2 ms to plan. No plan of ours is better for knowing the values.)
constexpr char kSessionSettings[] = R"sql(
SET idle_in_transaction_session_timeout = '10s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET default_transaction_isolation = 'read committed';
SET extra_float_digits = 1;
SET jit = off;
SET plan_cache_mode = force_generic_plan;
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off';
SHOW server_version
)sql";

std::string Quoted(absl::string_view value) {
  return absl::StrCat("'", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// Whether PostgreSQL itself has said that what it was asked for is not done.
bool IsRefusal(const std::exception& exception) {
  const auto* error = dynamic_cast<const pqxx::sql_error*>(&exception);
  return (error != nullptr && !error->sqlstate().empty()) ||
         dynamic_cast<const pqxx::transaction_rollback*>(&exception) != nullptr;
}

}  // namespace

std::string CompleteUrl(absl::string_view url) {
  std::map<std::string, std::string> keywords = {
      {"application_name", "contentd"}, {"client_encoding", "UTF8"},  {"connect_timeout", "3"},
      {"keepalives_idle", "10"},        {"keepalives_interval", "5"}, {"keepalives_count", "3"},
      {"tcp_user_timeout", "20000"},
  };
  // libpq's own message may quote the string, and with it a password.
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(std::string(url).c_str(), nullptr), &PQconninfoFree);
  if (!options) throw pqxx::usage_error("the database URL is not a valid connection string");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) keywords[option->keyword] = option->val;
  }
  std::string complete;
  for (const auto& [keyword, value] : keywords) {
    absl::StrAppend(&complete, keyword, "=", Quoted(value), " ");
  }
  return complete;
}

Connection::Connection(const std::string& url) : connection_(Connect(url)) {}

std::string Connection::PrepareSession() {
  pqxx::nontransaction transaction(*connection_);
  return transaction.exec(kSessionSettings)[0][0].c_str();
}

void Connection::LimitStatements(absl::Duration limit, absl::Duration most) {
  const auto wanted = static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Milliseconds(limit), 1));
  const auto rounded = absl::Milliseconds(static_cast<int64_t>(std::bit_ceil(wanted)));
  const int64_t timeout_ms = absl::ToInt64Milliseconds(std::min(rounded, most));
  if (timeout_ms == statement_timeout_ms_) return;
  Run(absl::StrCat("SET statement_timeout = ", timeout_ms));
  statement_timeout_ms_ = timeout_ms;
}

void Connection::Sever() const { ::shutdown(connection_->sock(), SHUT_RDWR); }

void Connection::RunScript(const std::string& sql) {
  pqxx::work transaction(*connection_);
  transaction.exec(sql);
  transaction.commit();
}

void Connection::Run(const std::string& sql) {
  pqxx::nontransaction transaction(*connection_);
  transaction.exec(sql);
}

const std::string& Connection::Prepared(const std::string& sql) {
  if (const auto entry = prepared_.find(sql); entry != prepared_.end()) return entry->second;
  // A name for every attempt: libpqxx 6.4 remembers those of attempts that failed.
  const std::string name = absl::StrCat("s", ++preparations_);
  connection_->prepare(name, sql);
#if PQXX_VERSION_MAJOR < 7
  connection_->prepare_now(name);  // and not at its first use, which may be in an EXECUTE
#endif
  return prepared_.emplace(sql, name).first->second;
}

Transaction::Transaction(Connection& connection)
    : connection_(connection), session_(*connection.connection_) {}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    session_.exec("ROLLBACK");
  } catch (const std::exception&) {
    connection_.Sever();  // so that it is not used in the middle of this transaction
  }
}

void Transaction::Append(const std::string& name, const std::vector<std::string>& parameters) {
  absl::StrAppend(&queued_, queued_.empty() ? "" : "; ", "EXECUTE ", name);
  const char* separator = " (";
  for (const std::string& parameter : parameters) {
    absl::StrAppend(&queued_, std::exchange(separator, ", "), session_.quote(parameter));
  }
  if (!parameters.empty()) absl::StrAppend(&queued_, ")");
}

pqxx::result Transaction::Send() {
  open_ = true;
  return session_.exec(std::exchange(queued_, ""));
}

void Transaction::Commit() {
  absl::StrAppend(&queued_, queued_.empty() ? "" : "; ", "COMMIT");
  try {
    Send();
  } catch (const std::exception& exception) {
    if (connection_.is_open() && IsRefusal(exception)) throw;
    open_ = false;  // as far as this connection can tell: it is of no use any more
    throw pqxx::in_doubt_error(exception.what());
  }
  open_ = false;
}

}  // namespace content::store
