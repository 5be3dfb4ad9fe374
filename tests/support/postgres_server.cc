#include "support/postgres_server.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "embedded/cluster.h"
#include "embedded/data_dir.h"
#include "support/database.h"

namespace content::testing {
namespace {

constexpr std::chrono::seconds kPatience{60};

std::string UrlOfDatabase(const std::string& host, const std::string& database) {
  return absl::StrCat("host=", host, " port=5432 user=content dbname=", database);
}

bool IsReady(const std::string& url) { return PQping(url.c_str()) == PQPING_OK; }

// The processes whose parent is `parent`.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    // After the name, in parentheses: the state and the parent.
    const size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream rest(stat.substr(name_end + 1));
    std::string state;
    pid_t its_parent = 0;
    if (rest >> state >> its_parent && its_parent == parent) children.push_back(pid);
  }
  return children;
}

embedded::Layout MakeDirectory(const std::string& name) {
  const std::string path = absl::StrCat(ScratchDirectory(), "/", name);
  EXPECT_TRUE(std::filesystem::create_directory(path));
  return *embedded::LayoutOf(path);
}

}  // namespace

PostgresServer::PostgresServer(const std::string& name, const std::string& listen_addresses)
    : name_(name),
      layout_(MakeDirectory(name)),
      listen_addresses_(listen_addresses),
      programs_(*embedded::FindPrograms(layout_)),
      user_(*embedded::DatabaseUser(layout_)) {
  MakeDirectories();
  Run({programs_ + "/initdb", "--pgdata", layout_.cluster, "--username=content", "--encoding=UTF8",
       "--locale=C.UTF-8", "--auth=trust", "--no-sync", "--wal-segsize=1"});
  Start();
  Query(UrlOfDatabase(host(), "postgres"), "CREATE DATABASE content");
}

PostgresServer::PostgresServer(const std::string& name, const PostgresServer& primary)
    : name_(name),
      layout_(MakeDirectory(name)),
      programs_(primary.programs_),
      user_(primary.user_) {
  MakeDirectories();
  Run({programs_ + "/pg_basebackup", "--pgdata", layout_.cluster, "--dbname",
       absl::StrCat("host=", primary.host(), " user=content application_name=", name),
       "--write-recovery-conf", "--checkpoint=fast", "--no-sync"});
  Start();
}

void PostgresServer::MakeDirectories() const {
  for (const std::string& path : {layout_.cluster, layout_.socket}) {
    ASSERT_TRUE(embedded::MakePrivateDirectory(path, user_).ok());
  }
}

PostgresServer::~PostgresServer() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(layout_.root, ignored);
}

std::string PostgresServer::url() const { return UrlOfDatabase(host(), "content"); }

void PostgresServer::Run(std::vector<std::string> arguments) const {
  const absl::Status status = embedded::Run({std::move(arguments), user_, layout_.log});
  ASSERT_TRUE(status.ok()) << status;
}

void PostgresServer::Start() {
  std::vector<std::string> arguments = {programs_ + "/postgres", "-D", layout_.cluster};
  const auto set = [&arguments](const std::string& setting) {
    arguments.insert(arguments.end(), {"-c", setting});
  };
  for (const char* setting : {"fsync=off", "wal_retrieve_retry_interval=100ms",
                              "shared_buffers=32MB", "max_connections=60"}) {
    set(setting);
  }
  set("listen_addresses=" + listen_addresses_);
  set("unix_socket_directories=" + layout_.socket);
  const auto pid = embedded::Spawn({arguments, user_, layout_.log}, SIGKILL);
  ASSERT_TRUE(pid.ok()) << pid.status();
  pid_ = *pid;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!IsReady(UrlOfDatabase(host(), "postgres"))) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << name_ << " does not start";
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// The server is stopped first, because it would end in an orderly way when its children die.
void PostgresServer::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGSTOP);
  for (const pid_t child : ChildrenOf(pid_)) kill(child, SIGKILL);
  kill(pid_, SIGKILL);
  embedded::Reap(std::exchange(pid_, -1));
}

// The first process begins no others while it is stopped.
void PostgresServer::Freeze() const {
  ASSERT_EQ(kill(pid_, SIGSTOP), 0);
  for (const pid_t child : ChildrenOf(pid_)) kill(child, SIGSTOP);
}

void PostgresServer::Thaw() const {
  for (const pid_t child : ChildrenOf(pid_)) kill(child, SIGCONT);
  ASSERT_EQ(kill(pid_, SIGCONT), 0);
}

void PostgresServer::RunShell(const std::string& script) const {
  Query(url(), absl::StrCat("COPY (SELECT 1) TO PROGRAM $script$cat >/dev/null; set -e; ", script,
                            "$script$"));
}

// A session tells when the server that began it last read its configuration.
void PostgresServer::SetRules(const std::string& rules) const {
  const char* const read_at = "SELECT pg_conf_load_time()";
  const std::string before = Query(url(), read_at);
  RunShell(absl::StrCat("cat >pg_hba.conf <<'RULES'\nlocal all content trust\n", rules, "\nRULES"));
  Query(url(), "SELECT pg_reload_conf()");
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (Query(url(), read_at) == before) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << name_ << " reads no configuration";
  }
}

void PostgresServer::StopSendingTo(const PostgresServer& standby) const {
  const std::string pid =
      Query(url(), absl::StrCat("SELECT pid FROM pg_stat_replication WHERE application_name = '",
                                standby.name_, "'"));
  ASSERT_EQ(kill(std::stoi(pid), SIGSTOP), 0);
}

void PostgresServer::AwaitStandbys(int count) const {
  Session session(url());
  const std::string current = session.Run("SELECT pg_current_wal_lsn()");
  const std::string have_it =
      absl::StrCat("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '", current, "'");
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (session.Run(have_it) != absl::StrCat(count)) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "the standbys of " << name_ << " lag";
    std::this_thread::yield();
  }
}

void PostgresServer::Promote() const {
  Session session(url());
  session.Run("SELECT pg_promote(wait => false)");
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (session.Run("SELECT pg_is_in_recovery()") != "f") {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << name_ << " is not promoted";
    std::this_thread::yield();
  }
}

std::string UrlOf(const std::vector<const PostgresServer*>& servers) {
  const std::string hosts = absl::StrJoin(
      servers, ",",
      [](std::string* out, const PostgresServer* server) { out->append(server->host()); });
  return absl::StrCat("host=", hosts,
                      " user=content dbname=content target_session_attrs=read-write");
}

}  // namespace content::testing
