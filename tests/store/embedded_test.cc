#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "embedded/cluster.h"
#include "embedded/data_dir.h"
#include "embedded/postgres.h"
#include "embedded/process.h"

namespace content::embedded {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

Connection Connect(const std::string& url) { return {PQconnectdb(url.c_str()), &PQfinish}; }

/// The first value of the answer, or the error.
std::string Query(const Connection& connection, const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()),
                                                             &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_TUPLES_OK) return PQgetvalue(result.get(), 0, 0);
  return status == PGRES_COMMAND_OK ? "" : PQerrorMessage(connection.get());
}

std::string Query(const std::string& url, const std::string& sql) {
  return Query(Connect(url), sql);
}

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

void WriteFile(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

class Embedded : public testing::Test {
 protected:
  Embedded() {
    std::string name = testing::TempDir() + "embedded.XXXXXX";
    base_ = mkdtemp(name.data());
    fs::permissions(base_, fs::perms(0755));
    data_dir_ = base_ / "data";
  }

  ~Embedded() override { fs::remove_all(base_); }

  std::unique_ptr<Postgres> Start(bool durable = false) {
    absl::StatusOr<std::unique_ptr<Postgres>> database = Postgres::Start({data_dir_, durable});
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }

  absl::Status StartFailure() { return Postgres::Start({data_dir_, false}).status(); }

  /// Leaves the table `kept` behind, in a database whose owner was killed a moment ago.
  void LeaveByKilledOwner() {
    const pid_t owner = fork();
    if (owner == 0) {
      const auto database = Start(/*durable=*/true);
      Query(database->url(), "CREATE TABLE kept AS SELECT 42 AS number");
      raise(SIGKILL);
    }
    const int status = Reap(owner);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << Describe(status);
  }

  /// A directory in place of the cluster, with nothing in it but a version.
  void FakeCluster(const std::string& version) {
    const absl::StatusOr<Layout> layout = LayoutOf(data_dir_);
    ASSERT_TRUE(layout.ok());
    fs::create_directories(layout->root);
    const absl::StatusOr<User> user = DatabaseUser(*layout);
    ASSERT_TRUE(user.ok()) << user.status();
    ASSERT_TRUE(MakePrivateDirectory(layout->cluster, *user).ok());
    WriteFile(layout->cluster + "/PG_VERSION", version + "\n");
  }

  fs::path base_;
  fs::path data_dir_;
};

TEST_F(Embedded, KeepsItsDataAcrossARestart) {
  {
    const auto database = Start();
    ASSERT_NE(database, nullptr);
    EXPECT_EQ(Query(database->url(), "CREATE TABLE kept AS SELECT 42 AS number"), "");
  }
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT number FROM kept"), "42");
}

TEST_F(Embedded, IsDurableAndListensOnItsUnixSocketOnly) {
  const auto database = Start(/*durable=*/true);
  ASSERT_NE(database, nullptr);
  const Connection connection = Connect(database->url());
  EXPECT_EQ(Query(connection, "SHOW fsync"), "on");
  EXPECT_EQ(Query(connection, "SHOW full_page_writes"), "on");
  EXPECT_EQ(Query(connection, "SHOW synchronous_commit"), "on");
  EXPECT_EQ(Query(connection, "SHOW data_checksums"), "on");
  EXPECT_EQ(Query(connection, "SHOW listen_addresses"), "");
  EXPECT_EQ(Query(connection, "SHOW server_encoding"), "UTF8");
  EXPECT_EQ(Query(connection, "SHOW timezone"), "UTC");
  EXPECT_EQ(fs::status(data_dir_ / "socket").permissions(), fs::perms::owner_all);
}

TEST_F(Embedded, MayGiveUpDurabilityForADisposableDatabase) {
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SHOW fsync"), "off");
}

TEST_F(Embedded, RunsAsAnotherUserThanRoot) {
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  struct stat process;
  ASSERT_EQ(stat(absl::StrCat("/proc/", database->pid()).c_str(), &process), 0);
  EXPECT_NE(process.st_uid, 0U);
}

TEST_F(Embedded, InheritsNothingFromItsParent) {
  WriteFile(base_ / "ours", "");
  const int fd = open((base_ / "ours").c_str(), O_RDONLY);
  setenv("PGDATESTYLE", "German", 1);
  const auto database = Start();
  unsetenv("PGDATESTYLE");
  close(fd);
  ASSERT_NE(database, nullptr);

  EXPECT_EQ(Query(database->url(), "SHOW datestyle"), "ISO, MDY");
  EXPECT_NE(getsid(database->pid()), getsid(0));
  for (const auto& open_file :
       fs::directory_iterator(absl::StrCat("/proc/", database->pid(), "/fd"))) {
    EXPECT_NE(fs::read_symlink(open_file), base_ / "ours");
    EXPECT_NE(fs::read_symlink(open_file), data_dir_ / "lock");
  }
}

TEST_F(Embedded, TakesAnyPathThatASocketCanHave) {
  data_dir_ = base_ / "it's a \"new\" \\ place" / "x";
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT current_database()"), "content");
}

TEST_F(Embedded, TakesARelativePath) {
  const fs::path before = fs::current_path();
  fs::current_path(base_);
  data_dir_ = "relative/";
  const auto database = Start();
  fs::current_path(before);
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
}

TEST_F(Embedded, RefusesASecondOwnerAndNamesTheFirst) {
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  const absl::Status refused = StartFailure();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(data_dir_.string()), HasSubstr(absl::StrCat("process ", getpid()))));
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
}

TEST_F(Embedded, TellsOthersTheUrlWhileItRuns) {
  EXPECT_EQ(RunningUrl(data_dir_).status().code(), absl::StatusCode::kNotFound);
  {
    const auto database = Start();
    ASSERT_NE(database, nullptr);
    const absl::StatusOr<std::string> url = RunningUrl(data_dir_);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(*url, database->url());
  }
  EXPECT_EQ(RunningUrl(data_dir_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Embedded, ComesBackWithItsDataWhenItsServerIsKilled) {
  const auto database = Start(/*durable=*/true);
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "CREATE TABLE kept AS SELECT 42 AS number"), "");
  const int killed = database->pid();
  kill(killed, SIGKILL);
  EXPECT_TRUE(Eventually([&] {
    return database->pid() != killed && Query(database->url(), "SELECT number FROM kept") == "42";
  }));
}

TEST_F(Embedded, ComesBackThoughABackendOfTheKilledServerIsStillBusy) {
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  const Connection busy = Connect(database->url());
  PQsendQuery(busy.get(), "DO $$ BEGIN FOR i IN 1..30000000 LOOP END LOOP; END $$");
  ASSERT_TRUE(Eventually([&] {
    return Query(database->url(), "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'") ==
           "2";
  }));
  kill(database->pid(), SIGKILL);
  EXPECT_TRUE(Eventually([&] { return Query(database->url(), "SELECT 1") == "1"; }));
}

TEST_F(Embedded, EndsWithAnOwnerThatIsKilled) {
  LeaveByKilledOwner();
  EXPECT_TRUE(Eventually([&] { return !FindPostmaster(*LayoutOf(data_dir_)); }));
}

TEST_F(Embedded, TakesOverTheDataOfAnOwnerThatIsKilled) {
  LeaveByKilledOwner();
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT number FROM kept"), "42");
}

TEST_F(Embedded, StopsADatabaseThatOutlivedItsOwner) {
  Start().reset();
  const Layout layout = *LayoutOf(data_dir_);
  const absl::StatusOr<pid_t> orphan =
      Spawn(ServerCommand(layout, *FindPrograms(layout), *DatabaseUser(layout), /*durable=*/false),
            SIGINT);
  ASSERT_TRUE(orphan.ok()) << orphan.status();
  ASSERT_TRUE(Eventually([&] {
    const auto postmaster = FindPostmaster(layout);
    return postmaster && postmaster->is_ready;
  }));
  EXPECT_FALSE(RunningUrl(data_dir_).ok());

  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
  EXPECT_EQ(Reap(*orphan), 0);
}

TEST_F(Embedded, LeavesAStrangerAloneThatHasTheProcessIdOfAnOldServer) {
  Start().reset();
  const Layout layout = *LayoutOf(data_dir_);
  WriteFile(layout.cluster + "/postmaster.pid", absl::StrCat(getpid(), "\n"));
  EXPECT_FALSE(FindPostmaster(layout));
}

TEST_F(Embedded, StartsAfreshWhenAFirstStartWasCutOff) {
  const pid_t owner = fork();
  if (owner == 0) {
    Start();
    _exit(0);
  }
  EXPECT_TRUE(Eventually([&] { return fs::exists(data_dir_ / "postgres.partial" / "global"); }));
  kill(owner, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(Reap(owner)));
  EXPECT_FALSE(fs::exists(data_dir_ / "postgres"));

  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
  EXPECT_FALSE(fs::exists(data_dir_ / "postgres.partial"));
}

TEST_F(Embedded, NamesThePackageOfTheVersionThatAnOldClusterNeeds) {
  FakeCluster("9");
  const absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()),
              AllOf(HasSubstr((data_dir_ / "postgres").string()), HasSubstr("postgresql-9")));
}

TEST_F(Embedded, RefusesADirectoryThatIsNoCluster) {
  FakeCluster("");
  const absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("is not a PostgreSQL cluster"));
}

TEST_F(Embedded, TellsPostgresqlsOwnWordsIfItDoesNotStart) {
  for (const char* version : {"15", "16", "17"}) {
    if (fs::exists(absl::StrCat("/usr/lib/postgresql/", version))) FakeCluster(version);
  }
  const absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("postgresql.conf"));
}

TEST_F(Embedded, RefusesAPathThatASocketCannotHave) {
  data_dir_ = base_ / std::string(100, 'x');
  absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("too long"));
  EXPECT_FALSE(fs::exists(data_dir_));

  data_dir_ = base_ / "a,b";
  failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("comma"));
}

TEST_F(Embedded, RefusesADirectoryThatTheDatabasesUserCannotReach) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs the database as another user";
  fs::permissions(base_, fs::perms::owner_all);
  const absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()),
              AllOf(HasSubstr(data_dir_.string()), HasSubstr("/var/lib/contentd")));
}

TEST_F(Embedded, RefusesADirectoryThatItMayNotWrite) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::permissions(base_, fs::perms::owner_read | fs::perms::owner_exec);
  const absl::Status failure = StartFailure();
  fs::permissions(base_, fs::perms::owner_all);
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace content::embedded
