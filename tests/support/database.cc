#include "support/database.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "embedded/postgres.h"
#include "store/schema.h"
#include "support/locks.h"
#include "support/nodes.h"
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

std::unique_ptr<embedded::Postgres> StartNode(const std::string& name) {
  auto started = embedded::Postgres::Start(
      {.data_dir = absl::StrCat(ScratchDirectory(), "/", name), .durable = false});
  if (!started.ok()) {
    ADD_FAILURE() << started.status();
    std::abort();
  }
  // Autovacuum would visit each of the hundreds of databases in every minute.
  Query((*started)->url(), "ALTER SYSTEM SET autovacuum_naptime = '1d'");
  Query((*started)->url(), "SELECT pg_reload_conf()");
  return *std::move(started);
}

// ---- Citus ----

constexpr char kCoordinator[] = "coordinator";

// Returns the directory of a node's socket, which can be used as a host.
std::string HostOf(const embedded::Postgres& node) {
  return Query(node.url(), "SELECT btrim(current_setting('unix_socket_directories'), '\"')");
}

std::unique_ptr<embedded::Postgres> StartCitusNode(const std::string& name) {
  Query(StartNode(name)->url(), "ALTER SYSTEM SET shared_preload_libraries = citus");
  auto node = StartNode(name);
  const std::string& url = node->url();
  Query(url, absl::StrCat("ALTER SYSTEM SET citus.local_hostname = '", HostOf(*node), "'"));
  Query(url, "ALTER SYSTEM SET citus.recover_2pc_interval = '1s'");
  Query(url, "SELECT pg_reload_conf()");
  return node;
}

bool IsCitusInstalled() {
  return Query(StartNode(kCoordinator)->url(),
               "SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'") == "1";
}

// Drops the distributed databases that a test made. Citus runs a process for each, on each node.
class DropDistributedDatabases : public ::testing::EmptyTestEventListener {
 public:
  void OnTestEnd(const ::testing::TestInfo& /*test*/) override;
};

class RequireCitus : public ::testing::Environment {
 public:
  void SetUp() override {
    if (!OnCitus()) return;
    if (!IsCitusInstalled()) GTEST_SKIP() << "Citus is not installed";
    // The list owns it.
    ::testing::UnitTest::GetInstance()->listeners().Append(new DropDistributedDatabases);
  }
};

[[maybe_unused]] const auto* const kRequireCitus =
    ::testing::AddGlobalTestEnvironment(new RequireCitus);

// ---- Nodes ----

// The servers of this process. Tests connect to the first one. On Citus it is the coordinator, and
// the others are workers.
using Nodes = std::vector<std::unique_ptr<embedded::Postgres>>;

const Nodes& SharedNodes() {
  static const Nodes nodes = [] {
    Nodes started;
    if (OnCitus()) {
      for (const char* name : {kCoordinator, "worker-1", "worker-2"}) {
        started.push_back(StartCitusNode(name));
      }
    } else {
      started.push_back(StartNode("db"));
    }
    return started;
  }();
  return nodes;
}

const embedded::Postgres& SharedPostgres() { return *SharedNodes().front(); }

std::string UrlOf(const embedded::Postgres& node, const std::string& database) {
  return absl::StrReplaceAll(node.url(), {{"dbname=content", absl::StrCat("dbname=", database)}});
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
  const std::string url = UrlOf(SharedPostgres(), database);
  return std::getenv("CONTENT_TEST_PGBOUNCER") == nullptr ? url : SharedPgBouncer().UrlOf(url);
}

// Runs SQL on all nodes, in another database.
void QueryNodes(const std::string& sql) {
  for (const auto& node : SharedNodes()) Query(node->url(), sql);
}

// Ends the sessions of the database and admits no others.
void Close(const std::string& database) {
  QueryNodes(absl::StrCat("ALTER DATABASE ", database, " ALLOW_CONNECTIONS false"));
  QueryNodes(absl::StrCat(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '", database,
      "' AND backend_type <> 'autovacuum worker'"));
}

// ---- Databases with the service's schema ----

// Makes a database that has an empty schema. It is copied for each test, which spares them the
// migrations.
std::string MakeTemplate() {
  std::string name = "migrated";
  Query(SharedPostgres().url(), absl::StrCat("CREATE DATABASE ", name));
  const absl::Status migrated = store::Migrate(UrlOf(SharedPostgres(), name)).status();
  EXPECT_TRUE(migrated.ok()) << migrated;
  Close(name);  // a template must not be in use
  return name;
}

std::string NewMigratedDatabase() {
  static const std::string from = MakeTemplate();
  return NewDatabaseWith(absl::StrCat("TEMPLATE ", from));
}

// ---- Distributed databases ----

// Distributes the tables of a migrated database, as operators do.
void Distribute(const std::string& url) {
  const std::string command = absl::StrCat("psql --quiet --no-psqlrc --dbname=\"", url,
                                           "\" --set=shards=4 --output=/dev/null ", "--file='",
                                           CONTENT_SOURCE_DIR, "/deploy/citus.sql'");
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

// Makes a database that has an empty, distributed schema. It is copied for each test, on every
// node.
std::string MakeDistributedTemplate() {
  std::string name = "distributed";
  for (const auto& node : SharedNodes()) {
    Query(node->url(), absl::StrCat("CREATE DATABASE ", name));
    Query(UrlOf(*node, name), "CREATE EXTENSION citus");
  }
  const std::string url = UrlOf(SharedPostgres(), name);
  Query(url,
        absl::StrCat("SELECT citus_set_coordinator_host('", HostOf(SharedPostgres()), "', 5432)"));
  for (size_t i = 1; i < SharedNodes().size(); ++i) {
    Query(url, absl::StrCat("SELECT citus_add_node('", HostOf(*SharedNodes()[i]), "', 5432)"));
  }
  const absl::Status migrated = store::Migrate(url).status();
  EXPECT_TRUE(migrated.ok()) << migrated;
  Distribute(url);
  Close(name);  // Citus itself uses it, and a template must not be in use
  return name;
}

// Guarded by distributed_mutex.
std::vector<std::string> distributed_databases;
std::mutex distributed_mutex;

std::string NewDistributedDatabase() {
  static int count = 0;
  static const std::string from = MakeDistributedTemplate();
  const std::lock_guard lock(distributed_mutex);
  const std::string name = absl::StrCat("distributed_", ++count);
  distributed_databases.push_back(name);
  QueryNodes(absl::StrCat("CREATE DATABASE ", name, " TEMPLATE ", from));
  // On the workers no session of ours sets this.
  QueryNodes(absl::StrCat("ALTER DATABASE ", name, " SET synchronous_commit = on"));
  return UrlOf(SharedPostgres(), name);
}

void DropDistributedDatabases::OnTestEnd(const ::testing::TestInfo& /*test*/) {
  const std::lock_guard lock(distributed_mutex);
  for (const std::string& name : std::exchange(distributed_databases, {})) {
    Close(name);
    QueryNodes(absl::StrCat("DROP DATABASE ", name, " WITH (FORCE)"));
  }
}

constexpr char kCountWaiters[] =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
    "AND datname = current_database()";

}  // namespace

std::string ScratchDirectory() {
  static const Scratch scratch;
  return scratch.path();
}

std::vector<std::string> UrlsOnNodes(const std::string& url) {
  const std::string database = Query(url, "SELECT current_database()");
  std::vector<std::string> urls;
  for (const auto& node : SharedNodes()) urls.push_back(UrlOf(*node, database));
  return urls;
}

bool OnCitus() { return std::getenv("TEST_ON_CITUS") != nullptr; }

std::string NewDatabase(bool migrated) {
  if (!migrated) return NewDatabaseWith("");
  return OnCitus() ? NewDistributedDatabase() : NewMigratedDatabase();
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

int WaitersForLocks(const std::string& url) {
  int count = 0;
  for (const std::string& node : UrlsOnNodes(url)) count += std::stoi(Query(node, kCountWaiters));
  return count;
}

void AwaitWaitersForLocks(const std::string& url, int count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (WaitersForLocks(url) < count) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "nobody waits for a lock";
    std::this_thread::yield();
  }
}

void CancelWaitersForLocks(const std::string& url) {
  while (WaitersForLocks(url) > 0) {
    for (const std::string& node : UrlsOnNodes(url)) {
      Query(node,
            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()");
    }
  }
}

std::string LockArticles(const std::string& url, const std::string& condition) {
  return Query(url,
               "SELECT string_agg(format('SELECT FROM article_state WHERE bucket = %s AND "
               "article_key = %s FOR UPDATE', bucket, article_key), '; ' ORDER BY article_key) "
               "FROM article_state WHERE " +
                   condition);
}

int TerminateWaitersForLocks(const std::string& url) {
  int count = 0;
  for (const std::string& node : UrlsOnNodes(url)) {
    count += std::stoi(Query(node,
                             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                             "WHERE datname = current_database() AND wait_event_type = 'Lock'"));
  }
  return count;
}

std::string Before(const std::string& column, const std::string& interval) {
  return absl::StrCat("((", column, " AT TIME ZONE 'UTC' - interval '", interval,
                      "') AT TIME ZONE 'UTC')");
}

int PidOfNode(size_t node) { return SharedNodes()[node]->pid(); }

Outage::Outage(const std::string& url) : name_(Query(url, "SELECT current_database()")) {
  Close(name_);
}

Outage::~Outage() { QueryNodes("ALTER DATABASE " + name_ + " ALLOW_CONNECTIONS true"); }

}  // namespace content::testing
