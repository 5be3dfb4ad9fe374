#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "embedded/data_dir.h"
#include "embedded/process.h"

namespace content::testing {

/// A PostgreSQL server that a test can kill, promote and start again: a primary or a standby. It
/// listens on a unix socket and does not fsync. It is killed and removed with this object, and
/// killed when the thread that started it ends. Not thread-safe.
class PostgresServer {
 public:
  /// Starts a primary with the empty database `content`. `name` is unique in this process.
  /// `listen_addresses` is PostgreSQL's setting, for port 5432.
  explicit PostgresServer(const std::string& name, const std::string& listen_addresses = "");

  /// Starts a standby of a running primary, to which it is known by its name.
  PostgresServer(const std::string& name, const PostgresServer& primary);

  ~PostgresServer();

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  const std::string& name() const { return name_; }

  /// The directory of its socket.
  const std::string& host() const { return layout_.socket; }

  /// Returns the libpq connection string of the database `content`.
  std::string url() const;

  /// Starts it again.
  void Start();

  /// Kills all its processes with SIGKILL.
  void Kill();

  /// Stops all its processes, which keep their connections and answer nothing until Thaw.
  void Freeze() const;
  void Thaw() const;

  /// Runs a shell script in its data directory, as its user, who owns what that makes there.
  void RunShell(const std::string& script) const;

  /// Reads its configuration again, with these rules about who may connect (pg_hba.conf), after
  /// the one that lets the user `content` use its socket.
  void SetRules(const std::string& rules) const;

  /// Stops the processes that send the changes to a standby, so that it lags behind.
  void StopSendingTo(const PostgresServer& standby) const;

  /// Waits until the standbys of this primary have everything.
  void AwaitStandbys(int count) const;

  /// Makes a standby a primary. Returns when it takes writes.
  void Promote() const;

 private:
  void MakeDirectories() const;
  void Run(std::vector<std::string> arguments) const;

  const std::string name_;
  const embedded::Layout layout_;
  const std::string listen_addresses_;
  const std::string programs_;  // the directory of PostgreSQL's programs
  const embedded::User user_;
  pid_t pid_ = -1;
};

/// Returns the libpq connection string of the database `content` of whichever of these servers
/// takes writes. It names them in this order.
std::string UrlOf(const std::vector<const PostgresServer*>& servers);

}  // namespace content::testing
