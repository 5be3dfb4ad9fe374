#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <system_error>
#include <utility>

#include "postgres/connect.h"
#include "postgres/connection.h"

// The parts of a connection that use libpqxx, hidden from other rooms. Only this file and
// Connection::Prepare know how libpqxx 6.4 (Debian 12) and 7.10 (Debian 13) differ.
namespace content::postgres {

// A duplicate of a socket's descriptor. It refers to the same socket whatever libpq does with its
// own descriptor, so another thread may shut the socket down through it.
class SocketHandle {
 public:
  explicit SocketHandle(int socket) : fd_(fcntl(socket, F_DUPFD_CLOEXEC, 0)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot duplicate socket");
  }
  ~SocketHandle() { close(fd_); }

  SocketHandle(const SocketHandle&) = delete;
  SocketHandle& operator=(const SocketHandle&) = delete;

  void Shutdown() const { ::shutdown(fd_, SHUT_RDWR); }

 private:
  const int fd_;
};

#if PQXX_VERSION_MAJOR >= 7
using PqxxConnection = pqxx::connection;

// Verbose errors contain their SQLSTATEs (server_error.h).
inline std::unique_ptr<PqxxConnection> OpenPqxxConnection(const std::string& dsn) {
  auto connection = std::make_unique<PqxxConnection>(
      PqxxConnection::seize_raw_connection(OpenRawConnection(dsn).release()));
  connection->set_verbosity(pqxx::error_verbosity::verbose);
  return connection;
}
#else
// Makes libpqxx use a connection that was opened without it.
class ConnectPolicy : public pqxx::connectionpolicy {
 public:
  using pqxx::connectionpolicy::connectionpolicy;

  handle do_startconnect(handle connection) override {
    return connection == nullptr ? OpenRawConnection(options()).release() : connection;
  }
};
using PqxxConnection = pqxx::basic_connection_base<ConnectPolicy>;

inline std::unique_ptr<PqxxConnection> OpenPqxxConnection(const std::string& dsn) {
  auto connection = std::make_unique<PqxxConnection>(dsn);
  // A silent reconnect would lose the session's settings and repeat statements blindly.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  connection->set_verbosity(pqxx::connection_base::verbose);
  return connection;
}
#endif

struct Connection::Impl {
  explicit Impl(std::unique_ptr<PqxxConnection> opened)
      : connection(std::move(opened)), socket(connection->sock()) {}

  const std::unique_ptr<PqxxConnection> connection;
  const SocketHandle socket;
  std::map<std::string, std::string> prepared;     // statements and their names
  std::unique_ptr<pqxx::nontransaction> snapshot;  // while a Snapshot is open
};

inline pqxx::result ExecutePrepared(pqxx::transaction_base& transaction, const std::string& name,
                                    const Parameters& parameters) {
#if PQXX_VERSION_MAJOR >= 7
  pqxx::params params;
  for (const std::string& parameter : parameters) params.append(parameter);
  return transaction.exec(pqxx::prepped{name}, params);
#else
  return transaction.exec_prepared(name, pqxx::prepare::make_dynamic_params(parameters));
#endif
}

// Runs a statement that is not prepared.
inline pqxx::result ExecuteText(pqxx::transaction_base& transaction, const std::string& sql,
                                const Parameters& parameters) {
#if PQXX_VERSION_MAJOR >= 7
  pqxx::params params;
  for (const std::string& parameter : parameters) params.append(parameter);
  return transaction.exec(sql, params);
#else
  return transaction.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters));
#endif
}

}  // namespace content::postgres
