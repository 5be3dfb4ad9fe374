#include "support/database.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "embedded/postgres.h"
#include "store/schema.h"
#include "support/pgbouncer.h"

namespace content::testing {
namespace {

class Scratch {
 public:
  Scratch() {
    std::string path = (std::filesystem::temp_directory_path() / "contentd-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) std::abort();
    chmod(path.c_str(), 0755);
    path_ = path;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const embedded::Postgres& SharedPostgres() {
  static const auto postgres = [] {
    auto started = embedded::Postgres::Start(
        {.data_dir = absl::StrCat(ScratchDirectory(), "/db"), .durable = false});
    if (!started.ok()) {
      ADD_FAILURE() << started.status();
      std::abort();
    }
    return *std::move(started);
  }();
  return *postgres;
}

// Used if the variable CONTENT_TEST_PGBOUNCER is set. It keeps no idle connections, because many
// databases share PostgreSQL's limit.
const PgBouncer& SharedPgBouncer() {
  if (!PgBouncer::IsInstalled()) {
    ADD_FAILURE() << "PgBouncer is not installed";
    std::exit(1);
  }
  static const PgBouncer pooler(SharedPostgres().url(), {.settings = "server_lifetime = 0"});
  return pooler;
}

std::string UrlOf(const std::string& database) {
  const std::string url = absl::StrReplaceAll(
      SharedPostgres().url(), {{"dbname=content", absl::StrCat("dbname=", database)}});
  return std::getenv("CONTENT_TEST_PGBOUNCER") == nullptr ? url : SharedPgBouncer().UrlOf(url);
}

constexpr char kCountWaiters[] =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
    "AND datname = current_database()";

}  // namespace

std::string ScratchDirectory() {
  static const Scratch scratch;
  return scratch.path();
}

std::string NewDatabase(bool migrated) {
  std::string url = NewDatabaseWith("");
  if (migrated) {
    EXPECT_TRUE(store::Migrate(url).ok());
  }
  return url;
}

std::string NewDatabaseWith(const std::string& options) {
  static std::atomic<int> count = 0;
  const std::string name = absl::StrCat("test_", ++count);
  Query(SharedPostgres().url(), absl::StrCat("CREATE DATABASE ", name, " ", options));
  return UrlOf(name);
}

std::string UrlOfNewRole(const std::string& url, const std::string& options) {
  static std::atomic<int> count = 0;
  const std::string name = absl::StrCat("role_", ++count);
  Query(url, absl::StrCat("CREATE ROLE ", name, " LOGIN ", options));
  return absl::StrReplaceAll(url, {{"user=content", absl::StrCat("user=", name)}});
}

Session::Session(const std::string& url) : connection_(PQconnectdb(url.c_str())) {}

Session::~Session() { PQfinish(connection_); }

std::string Session::Run(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_, sql.c_str()),
                                                             &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    ADD_FAILURE() << sql << ": " << PQerrorMessage(connection_);
    return "";
  }
  const bool has_value = PQntuples(result.get()) > 0 && PQnfields(result.get()) > 0;
  return has_value ? PQgetvalue(result.get(), 0, 0) : "";
}

std::string Query(const std::string& url, const std::string& sql) { return Session(url).Run(sql); }

int WaitersForLocks(const std::string& url) { return std::stoi(Query(url, kCountWaiters)); }

void AwaitWaitersForLocks(const std::string& url, int count) {
  Session session(url);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::stoi(session.Run(kCountWaiters)) < count) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "nobody waits for a lock";
    std::this_thread::yield();
  }
}

void CancelWaitersForLocks(const std::string& url) {
  while (WaitersForLocks(url) > 0) {
    Query(url,
          "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
          "WHERE wait_event_type = 'Lock' AND datname = current_database()");
  }
}

Outage::Outage(const std::string& url) : name_(Query(url, "SELECT current_database()")) {
  Query(SharedPostgres().url(), "ALTER DATABASE " + name_ + " ALLOW_CONNECTIONS false");
  Query(SharedPostgres().url(),
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" + name_ +
            "'");
}

Outage::~Outage() {
  Query(SharedPostgres().url(), "ALTER DATABASE " + name_ + " ALLOW_CONNECTIONS true");
}

}  // namespace content::testing
