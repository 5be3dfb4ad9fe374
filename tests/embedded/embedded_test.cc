#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "embedded/backup.h"
#include "embedded/cluster.h"
#include "embedded/data_dir.h"
#include "embedded/postgres.h"
#include "embedded/process.h"
#include "support/database.h"

namespace content::embedded {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Query;
using testing::Session;

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

// A statement that runs for `time` and does not notice the end of its server.
std::string Busy(std::chrono::seconds time) {
  return absl::StrCat("DO $$ DECLARE until timestamptz := clock_timestamp() + interval '",
                      time.count(),
                      " s'; BEGIN WHILE clock_timestamp() < until LOOP END LOOP; END $$");
}

class Embedded : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = ::testing::TempDir() + "embedded.made.XXXXXX";
    made_ = mkdtemp(name.data());
    fs::permissions(made_, fs::perms(0755));
    EXPECT_TRUE(
        Postgres::Start({.data_dir = made_ / "data", .create = true, .durable = false}).ok());
  }

  static void TearDownTestSuite() { fs::remove_all(made_); }

  Embedded() {
    std::string name = ::testing::TempDir() + "embedded.XXXXXX";
    base_ = mkdtemp(name.data());
    fs::permissions(base_, fs::perms(0755));
    data_dir_ = base_ / "data";
  }

  ~Embedded() override { fs::remove_all(base_); }

  // Gives the data directory a cluster as a first start would, but faster.
  void CopyCluster() {
    const std::string copy =
        absl::StrCat("cp --archive '", (made_ / "data").string(), "' '", data_dir_.string(), "'");
    ASSERT_EQ(std::system(copy.c_str()), 0);
  }

  std::unique_ptr<Postgres> Start(bool durable = false) {
    absl::StatusOr<std::unique_ptr<Postgres>> database =
        Postgres::Start({.data_dir = data_dir_, .create = true, .durable = durable});
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }

  absl::Status StartFailure() {
    return Postgres::Start({.data_dir = data_dir_, .create = true, .durable = false}).status();
  }

  // Leaves behind a database with the table `kept`, whose owner has just been killed.
  void LeaveByKilledOwner() {
    CopyCluster();
    const pid_t owner = fork();
    if (owner == 0) {
      const auto database = Start(/*durable=*/true);
      Query(database->url(), "CREATE TABLE kept AS SELECT 42 AS number");
      raise(SIGKILL);
    }
    const int status = Reap(owner);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << DescribeWaitStatus(status);
  }

  // Runs a statement in a thread, and returns when it has started. The destructor of the result
  // waits for its end.
  static std::future<void> Occupy(const Postgres& database, const std::string& statement) {
    auto done = std::async(std::launch::async,
                           [url = database.url(), statement] { Query(url, statement); });
    EXPECT_TRUE(Eventually([&database] {
      return Query(database.url(),
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %'") == "1";
    }));
    return done;
  }

  // Makes a directory in place of the cluster that contains only a version.
  void FakeCluster(const std::string& version) {
    const absl::StatusOr<Layout> layout = LayoutOf(data_dir_);
    ASSERT_TRUE(layout.ok());
    fs::create_directories(layout->root);
    fs::permissions(layout->root, fs::perms(0755));
    const absl::StatusOr<User> user = DatabaseUser(*layout);
    ASSERT_TRUE(user.ok()) << user.status();
    ASSERT_TRUE(MakePrivateDirectory(layout->cluster, *user).ok());
    WriteFile(layout->cluster + "/PG_VERSION", version + "\n");
  }

  static inline fs::path made_;
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
  Session session(database->url());
  EXPECT_EQ(session.Run("SHOW fsync"), "on");
  EXPECT_EQ(session.Run("SHOW full_page_writes"), "on");
  EXPECT_EQ(session.Run("SHOW synchronous_commit"), "on");
  EXPECT_EQ(session.Run("SHOW data_checksums"), "on");
  EXPECT_EQ(session.Run("SHOW listen_addresses"), "");
  EXPECT_EQ(session.Run("SHOW server_encoding"), "UTF8");
  EXPECT_EQ(session.Run("SHOW timezone"), "UTC");
  EXPECT_EQ(fs::status(data_dir_ / "socket").permissions(), fs::perms::owner_all);
}

TEST_F(Embedded, DoesNotSyncADisposableDatabase) {
  CopyCluster();
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SHOW fsync"), "off");
}

TEST_F(Embedded, NeverRunsAsRoot) {
  CopyCluster();
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  struct stat process;
  ASSERT_EQ(stat(absl::StrCat("/proc/", database->pid()).c_str(), &process), 0);
  EXPECT_NE(process.st_uid, 0U);
}

TEST_F(Embedded, InheritsNothingFromItsParent) {
  CopyCluster();
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

TEST_F(Embedded, AcceptsAnyPathThatASocketCanHave) {
  data_dir_ = base_ / "it's a \"new\" \\ place" / "x";
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT current_database()"), "content");
}

TEST_F(Embedded, AcceptsARelativePath) {
  const fs::path before = fs::current_path();
  fs::current_path(base_);
  data_dir_ = "relative/";
  const auto database = Start();
  fs::current_path(before);
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
}

TEST_F(Embedded, RefusesASecondOwnerAndNamesTheFirst) {
  CopyCluster();
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  const absl::Status refused = StartFailure();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(data_dir_.string()), HasSubstr(absl::StrCat("process ", getpid()))));
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
}

TEST_F(Embedded, OtherProcessesFindTheUrlWhileItRuns) {
  EXPECT_EQ(RunningUrl(data_dir_).status().code(), absl::StatusCode::kNotFound);
  CopyCluster();
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

TEST_F(Embedded, OtherProcessesWaitForTheUrlWhileItStarts) {
  auto start = std::async(std::launch::async, [this] { return Start(); });
  const Layout layout = *LayoutOf(data_dir_);
  ASSERT_TRUE(Eventually([&layout] { return IsLocked(layout); }));
  const absl::StatusOr<std::string> url = RunningUrl(data_dir_);
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(Query(*url, "SELECT 1"), "1");
  EXPECT_NE(start.get(), nullptr);
}

TEST_F(Embedded, RestartsWithItsDataWhenItsServerIsKilled) {
  CopyCluster();
  const auto database = Start(/*durable=*/true);
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "CREATE TABLE kept AS SELECT 42 AS number"), "");
  const int killed = database->pid();
  kill(killed, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return database->pid() != killed; }));
  ASSERT_TRUE(RunningUrl(data_dir_).ok());
  EXPECT_EQ(Query(database->url(), "SELECT number FROM kept"), "42");
}

TEST_F(Embedded, RestartsWhileABackendOfTheKilledServerIsStillBusy) {
  CopyCluster();
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  const auto busy = Occupy(*database, Busy(std::chrono::seconds(1)));
  const int killed = database->pid();
  kill(killed, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return database->pid() != killed; }));
  ASSERT_TRUE(RunningUrl(data_dir_).ok());
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
}

TEST_F(Embedded, StartsWhileABackendOfAKilledServerIsBusyForLong) {
  CopyCluster();
  auto database = Start();
  ASSERT_NE(database, nullptr);
  const auto busy = Occupy(*database, Busy(std::chrono::seconds(8)));
  kill(database->pid(), SIGKILL);
  database.reset();
  database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
}

TEST_F(Embedded, EndsWhenItsOwnerIsKilled) {
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
  CopyCluster();
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

TEST_F(Embedded, StartsWhileAnotherProcessHasTheIdOfAKilledServer) {
  CopyCluster();
  const Layout layout = *LayoutOf(data_dir_);
  const std::vector<std::string> lock_files = {layout.cluster + "/postmaster.pid",
                                               layout.socket + "/.s.PGSQL.5432.lock"};
  std::vector<std::string> left;
  {
    const auto killed = Start();
    ASSERT_NE(killed, nullptr);
    for (const std::string& file : lock_files) left.push_back(ReadFile(file));
  }
  const absl::StatusOr<pid_t> stranger =
      Spawn({{"/usr/bin/sleep", "60"}, *DatabaseUser(layout), layout.log}, SIGKILL);
  ASSERT_TRUE(stranger.ok()) << stranger.status();
  for (size_t i = 0; i < lock_files.size(); ++i) {
    WriteFile(lock_files[i], absl::StrCat(*stranger, left[i].substr(left[i].find('\n'))));
  }
  EXPECT_FALSE(FindPostmaster(layout));

  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
  EXPECT_EQ(kill(*stranger, SIGKILL), 0);
  EXPECT_EQ(DescribeWaitStatus(Reap(*stranger)),
            "signal 9");  // the test's own: it was still running
}

TEST_F(Embedded, RunsNothingForAnOwnerThatEndsAtOnce) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // orphans of the owner become children of this process
  const pid_t owner = fork();
  if (owner == 0) {
    const bool spawned =
        Spawn({{"/usr/bin/sleep", "10"}, {geteuid(), getegid()}, base_ / "log"}, SIGKILL).ok();
    _exit(spawned ? 0 : 1);
  }
  EXPECT_EQ(Reap(owner), 0);
  constexpr pid_t kAnyChild = -1;
  EXPECT_NE(DescribeWaitStatus(Reap(kAnyChild)), "exit status 0");  // it did not sleep to the end
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(Embedded, StopsStartingWhenToldToStop) {
  CopyCluster();
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, &before);
  raise(SIGTERM);
  const absl::Status stopped = StartFailure();
  int signal = 0;
  sigwait(&stop, &signal);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);

  EXPECT_EQ(signal, SIGTERM);
  EXPECT_EQ(stopped.code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(FindPostmaster(*LayoutOf(data_dir_)));
}

TEST_F(Embedded, StartsAgainAfterAnInterruptedFirstStart) {
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

TEST_F(Embedded, NamesThePackageOfAProgramForClientsThatIsMissing) {
  WriteFile(base_ / "pg_dump", "");
  const absl::StatusOr<std::string> missing = FindClientProgram(base_, "pg_dump");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(missing.status().message()),
              AllOf(HasSubstr("/pg_dump is not installed"), HasSubstr("postgresql-client")));
  fs::permissions(base_ / "pg_dump", fs::perms(0755));
  EXPECT_TRUE(FindClientProgram(base_, "pg_dump").ok());
}

TEST_F(Embedded, RefusesADirectoryThatIsNotACluster) {
  FakeCluster("");
  const absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("is not a PostgreSQL cluster"));
}

TEST_F(Embedded, ReportsPostgresqlsOutputIfItDoesNotStart) {
  for (const char* version : {"15", "16", "17"}) {
    if (fs::exists(absl::StrCat("/usr/lib/postgresql/", version))) FakeCluster(version);
  }
  const absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("postgresql.conf"));
}

TEST_F(Embedded, NamesAFullDisk) {
  fs::create_directory(data_dir_);
  if (mount("tmpfs", data_dir_.c_str(), "tmpfs", 0, "size=8m,mode=0755") != 0) {
    GTEST_SKIP() << "this process may not mount a small disk";
  }
  const auto postgres = Postgres::Start({.data_dir = data_dir_, .create = true, .durable = false});
  EXPECT_EQ(umount(data_dir_.c_str()), 0);
  EXPECT_THAT(std::string(postgres.status().message()), HasSubstr("the disk is full"));
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

TEST_F(Embedded, RefusesADirectoryOfRootThatOthersCanChange) {
  if (geteuid() != 0) GTEST_SKIP() << "only for root";
  fs::create_directory(data_dir_);
  fs::permissions(data_dir_, fs::perms(01777));
  EXPECT_EQ(StartFailure().code(), absl::StatusCode::kFailedPrecondition);
  fs::permissions(data_dir_, fs::perms(0775));
  EXPECT_EQ(StartFailure().code(), absl::StatusCode::kFailedPrecondition);
  fs::permissions(data_dir_, fs::perms(0755));
  ASSERT_EQ(chown(data_dir_.c_str(), 12345, 12345), 0);
  const absl::Status failure = StartFailure();
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()),
              AllOf(HasSubstr(data_dir_.string()), HasSubstr("other users")));
  EXPECT_TRUE(fs::is_empty(data_dir_));
}

TEST_F(Embedded, AcceptsADirectoryThatBelongsToTheOwnerOfItsDatabase) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can then run it as another user";
  CopyCluster();
  struct stat cluster;
  ASSERT_EQ(stat((data_dir_ / "postgres").c_str(), &cluster), 0);
  for (const fs::path& path : {data_dir_, data_dir_ / "lock", data_dir_ / "postgres.log"}) {
    ASSERT_EQ(chown(path.c_str(), cluster.st_uid, cluster.st_gid), 0);
  }
  const auto database = Start();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Query(database->url(), "SELECT 1"), "1");
}

TEST_F(Embedded, RefusesADirectoryThatItCannotWrite) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::permissions(base_, fs::perms::owner_read | fs::perms::owner_exec);
  const absl::Status failure = StartFailure();
  fs::permissions(base_, fs::perms::owner_all);
  EXPECT_EQ(failure.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace content::embedded
