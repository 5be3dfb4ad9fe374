#include "support/pgbouncer.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/await_that.h"
#include "support/database.h"

extern char** environ;

namespace content::testing {
namespace {

constexpr char kProgram[] = "/usr/sbin/pgbouncer";

}  // namespace

bool PgBouncer::IsInstalled() { return access(kProgram, X_OK) == 0; }

PgBouncer::PgBouncer(const std::string& url) : PgBouncer(url, Options()) {}

PgBouncer::PgBouncer(const std::string& url, Options options) : options_(std::move(options)) {
  server_directory_ =
      Query(url, "SELECT trim('\"' FROM current_setting('unix_socket_directories'))");
  directory_ = ScratchDirectory() + "/pgbouncer.XXXXXX";
  EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  // PgBouncer does not run as root, and only PostgreSQL's user may use its socket.
  struct stat owner = {};
  EXPECT_EQ(stat(server_directory_.c_str(), &owner), 0);
  EXPECT_EQ(chown(directory_.c_str(), owner.st_uid, owner.st_gid), 0);
  WriteConfiguration();
  std::vector<std::string> arguments = {"/usr/bin/setpriv", "--pdeathsig", "KILL"};
  if (geteuid() == 0) {
    arguments.insert(arguments.end(), {"--reuid", absl::StrCat(owner.st_uid), "--regid",
                                       absl::StrCat(owner.st_gid), "--clear-groups"});
  }
  arguments.insert(arguments.end(), {"--", kProgram, "--quiet", directory_ + "/pgbouncer.ini"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  EXPECT_EQ(posix_spawn(&pid_, argv[0], nullptr, nullptr, argv.data(), environ), 0);
  const std::string through = UrlOf(url);
  AwaitThat([&through] { return PQping(through.c_str()) == PQPING_OK; });
}

PgBouncer::~PgBouncer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string PgBouncer::UrlOf(const std::string& url) const {
  return absl::StrCat(url, " host=", directory_, " port=5432");
}

void PgBouncer::SetMode(const std::string& mode) {
  options_.mode = mode;
  WriteConfiguration();
  Command("RELOAD");
}

void PgBouncer::WriteConfiguration() const {
  std::ofstream(directory_ + "/pgbouncer.ini")
      << "[databases]\n* = host=" << server_directory_ << " port=5432 user=content\n"
      << "[pgbouncer]\nunix_socket_dir = " << directory_ << "\nlisten_port = 5432\n"
      << "logfile = " << directory_ << "/log\nauth_type = any\nadmin_users = content\n"
      << "max_client_conn = 1000\npool_mode = " << options_.mode
      << "\ndefault_pool_size = " << options_.pool_size << "\n"
      << options_.settings << "\n";
}

void PgBouncer::Command(const std::string& statement) const {
  Query(UrlOf("user=content dbname=pgbouncer"), statement);
}

}  // namespace content::testing
