#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <system_error>
#include <utility>

#include "postgres/connection.h"

// The parts of a connection that use libpqxx, hidden from other rooms. Only this file and
// connection.cc know how libpqxx 6.4 (Debian 12) and 7.10 (Debian 13) differ.
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

struct Connection::Impl {
  explicit Impl(std::unique_ptr<pqxx::connection> opened)
      : connection(std::move(opened)), socket(connection->sock()) {}

  const std::unique_ptr<pqxx::connection> connection;
  const SocketHandle socket;
  std::map<std::string, std::string> prepared;  // statements and their names
  int64_t preparation_count = 0;
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

}  // namespace content::postgres
