#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>

#include "postgres/connection.h"

// The parts of a connection that other rooms do not see: libpqxx. This is the only file that knows
// how libpqxx 6.4 (Debian 12) and 7.10 (Debian 13) differ, but for Connect in connection.cc.
namespace content::postgres {

#if PQXX_VERSION_MAJOR >= 7
using SnapshotTransaction =
    pqxx::transaction<pqxx::isolation_level::repeatable_read, pqxx::write_policy::read_only>;
#else
using SnapshotTransaction =
    pqxx::transaction<pqxx::isolation_level::repeatable_read, pqxx::readwrite_policy::read_only>;
#endif

struct Connection::Impl {
  std::unique_ptr<pqxx::connection> connection;
  std::map<std::string, std::string> prepared;  // statements and their names
  int64_t preparations = 0;
  std::unique_ptr<SnapshotTransaction> snapshot;  // while a Snapshot is open
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
