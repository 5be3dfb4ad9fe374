// `contentd backup` and `contentd restore`, as an operator runs them.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "postgres/migrator.h"
#include "store/schema.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Content = v1::ContentService::Stub;
using Admin = v1::AdminService::Stub;

constexpr char kRequestId[] = "6c8ee4a8-9d7f-4a41-bb63-8c1b52a83d50";

std::string BytesOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string UrlIn(const std::string& data_dir) {
  return absl::StrCat("host=", data_dir, "/socket port=5432 user=content dbname=content");
}

template <class Stub, class Request, class Response>
Response Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             Stub& stub, const Request& request) {
  Response response;
  const grpc::Status status = Client::Call(method, stub, request, response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

v1::CreateCommentRequest RepeatableComment() {
  v1::CreateCommentRequest request = MakeCommentRequest("story", "said once");
  request.set_request_id(kRequestId);
  return request;
}

std::string Comment(const Client& client, v1::CreateCommentRequest request) {
  v1::CreateCommentResponse response;
  const grpc::Status status = client.Create(request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.comment().name();
}

std::string Reply(const Client& client, const std::string& to, const std::string& body) {
  v1::CreateCommentRequest request = MakeCommentRequest("story", body);
  request.mutable_comment()->set_reply_to(to);
  return Comment(client, request);
}

void Moderate(const Client& client, const std::string& name, v1::CommentState state) {
  v1::ModerateCommentRequest request;
  request.set_name(name);
  request.set_state(state);
  Ask(&Admin::ModerateComment, client.admin(), request);
}

// Something of every kind that is stored.
void Fill(const Client& client) {
  for (const char* id : {"story", "renamed-later", "retracted"}) {
    ASSERT_TRUE(client.Publish(MakeArticle(id)).ok());
  }
  v1::RenameArticleRequest rename;
  rename.set_name("articles/renamed-later");
  rename.set_new_name("articles/renamed");
  Ask(&Admin::RenameArticle, client.admin(), rename);
  v1::RetractArticleRequest retract;
  retract.set_name("articles/retracted");
  Ask(&Admin::RetractArticle, client.admin(), retract);

  Comment(client, RepeatableComment());
  const std::string top = Comment(client, MakeCommentRequest("story", "a thread"));
  const std::string deleted = Reply(client, top, "to be deleted");
  Reply(client, deleted, "below it");
  v1::DeleteCommentRequest erase;
  erase.set_name(deleted);
  Ask(&Content::DeleteComment, client.content(), erase);
  Moderate(client, Comment(client, MakeCommentRequest("story", "is hidden")),
           v1::COMMENT_STATE_HIDDEN);
  Moderate(client, Comment(client, MakeCommentRequest("renamed", "waits")),
           v1::COMMENT_STATE_PENDING);
  v1::BlockAuthorRequest block;
  block.set_author_id("troll");
  Ask(&Admin::BlockAuthor, client.admin(), block);
}

// The answers to all that readers and operators can ask about what is stored. Positions of watches
// belong to the database that gave them.
std::string AllAnswers(const Client& client) {
  std::vector<std::string> answers;
  const auto add = [&](auto method, auto& stub, auto request) {
    answers.push_back(Ask(method, stub, request).DebugString());
  };
  v1::ListArticlesRequest list;
  list.set_view(v1::ARTICLE_VIEW_FULL);
  add(&Content::ListArticles, client.content(), list);
  v1::SearchArticlesRequest search;
  search.set_query("story");
  add(&Content::SearchArticles, client.content(), search);
  for (const char* id : {"story", "renamed-later", "retracted"}) {
    v1::InspectArticleRequest inspect;
    inspect.set_name(absl::StrCat("articles/", id));
    add(&Admin::InspectArticle, client.admin(), inspect);
  }
  for (const char* id : {"story", "renamed"}) {
    v1::ListCommentsRequest comments;
    comments.set_parent(absl::StrCat("articles/", id));
    auto page = Ask(&Content::ListComments, client.content(), comments);
    page.clear_resume_token();
    answers.push_back(page.DebugString());
  }
  for (const auto state : {v1::COMMENT_STATE_PENDING, v1::COMMENT_STATE_HIDDEN}) {
    v1::ListModerationQueueRequest queue;
    queue.set_state(state);
    add(&Admin::ListModerationQueue, client.admin(), queue);
  }
  add(&Admin::ListBlockedAuthors, client.admin(), v1::ListBlockedAuthorsRequest());
  add(&Admin::ListAuditEvents, client.admin(), v1::ListAuditEventsRequest());
  return absl::StrJoin(answers, "\n");
}

// What VerifyCounters says in the end.
v1::VerifyCountersResponse Verify(const Client& client) {
  Stream<v1::VerifyCountersResponse> stream(&Admin::VerifyCounters, client.admin(),
                                            v1::VerifyCountersRequest());
  v1::VerifyCountersResponse last;
  while (const auto response = stream.Read()) last = *response;
  EXPECT_TRUE(stream.Finish().ok());
  return last;
}

// The token of a watcher that has seen all articles.
std::string ResumeToken(const Client& client) {
  v1::WatchArticlesRequest request;
  request.set_skip_existing(true);
  Stream<v1::WatchArticlesResponse> stream(&Content::WatchArticles, client.content(), request);
  const auto response = stream.Read();
  stream.Cancel();
  return response ? response->resume_token() : "";
}

// The token of a watcher that has seen all comments on an article.
std::string CommentResumeToken(const Client& client) {
  v1::ListCommentsRequest list;
  list.set_parent("articles/story");
  return Ask(&Content::ListComments, client.content(), list).resume_token();
}

// Why a watch ends at once.
template <class Response, class Method, class Request>
std::string ReasonOfEnd(const Client& client, Method method, const Request& request) {
  Stream<Response> stream(method, client.content(), request);
  EXPECT_FALSE(stream.Read().has_value());
  return ReasonOf(stream.Finish());
}

// A database that is filled once, backed up while a server uses it, and then not changed.
class BackupTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_.emplace(std::vector<std::string>{"--data-dir", DataDir()});
    const Client client(server_->address());
    AwaitServing(client);
    Fill(client);
    answers_ = AllAnswers(client);
    resume_token_ = ResumeToken(client);
    comment_resume_token_ = CommentResumeToken(client);
    const Finished finished = RunContentd({"backup", "--data-dir", DataDir(), File()});
    ASSERT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.out, AllOf(HasSubstr("wrote " + File()), HasSubstr(" bytes\n")));
    EXPECT_THAT(finished.err, HasSubstr("which a running server uses"));
  }

  static void TearDownTestSuite() { server_.reset(); }

  static std::string DataDir() { return ScratchDirectory() + "/backed-up"; }
  static std::string File() { return ScratchDirectory() + "/content.dump"; }

  // A path below a directory of this test.
  static std::string Path(const std::string& name) {
    const fs::path directory = fs::path(ScratchDirectory()) /
                               ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::create_directories(directory);
    return directory / name;
  }

  static Finished Backup(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"backup", "--data-dir", DataDir()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return RunContentd(all);
  }

  static Finished Restore(const std::string& data_dir, const std::string& file,
                          const std::vector<std::string>& options = {}) {
    std::vector<std::string> all = {"restore", "--data-dir", data_dir, file};
    all.insert(all.end(), options.begin(), options.end());
    return RunContentd(all);
  }

  static void ExpectRestored(const std::string& data_dir) {
    ContentdServer restored({"--data-dir", data_dir});
    const Client client(restored.address());
    AwaitServing(client);
    EXPECT_EQ(AllAnswers(client), answers_);
    const v1::VerifyCountersResponse verified = Verify(client);
    EXPECT_EQ(verified.article_count(), 3);
    EXPECT_EQ(verified.drift_count(), 0);
    EXPECT_TRUE(verified.complete());
    restored.Signal(SIGTERM);
    EXPECT_EQ(restored.Wait(), 0);
  }

  // Makes a data directory with a database, in which there is one table with a row.
  static std::string MakeUsedDatabase() {
    std::string data_dir = Path("used");
    {
      const ContentdServer server({"--data-dir", data_dir});
      Query(UrlIn(data_dir), "CREATE TABLE precious AS SELECT 42 AS number");
    }
    return data_dir;
  }

  // There is no database but that of a server.
  static void ExpectNothingBeside(const std::string& data_dir) {
    for (const char* name : {"partial", "restoring", "restored", "replaced"}) {
      EXPECT_FALSE(fs::exists(absl::StrCat(data_dir, "/postgres.", name))) << name;
    }
  }

  static void ExpectUntouched(const std::string& data_dir) {
    ExpectNothingBeside(data_dir);
    ContentdServer server({"--data-dir", data_dir});
    EXPECT_EQ(Query(UrlIn(data_dir), "SELECT number FROM precious"), "42");
    server.Signal(SIGTERM);
    EXPECT_EQ(server.Wait(), 0);
  }

  static inline std::optional<ContentdServer> server_;
  static inline std::string answers_;
  static inline std::string resume_token_;
  static inline std::string comment_resume_token_;
};

// ---- Backing up and restoring ----

TEST_F(BackupTest, IsRestoredIntoANewDirectoryWithAllThatIsStored) {
  const std::string data_dir = Path("new");
  const Finished finished = Restore(data_dir, File());
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("restored"), HasSubstr(data_dir)));
  ExpectNothingBeside(data_dir);
  ExpectRestored(data_dir);
}

TEST_F(BackupTest, IsTheSameWhetherOrNotAServerRuns) {
  const std::string stopped = Path("stopped");
  ASSERT_EQ(Restore(stopped, File()).status, 0);
  const Finished finished = RunContentd({"backup", "--data-dir", stopped, "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("which no server uses now"));
  WriteFile(Path("stopped.dump"), finished.out);
  const std::string data_dir = Path("new");
  const Finished restored = Restore(data_dir, Path("stopped.dump"));
  EXPECT_EQ(restored.status, 0) << restored.err;
  ExpectRestored(data_dir);
}

TEST_F(BackupTest, IsReadFromStandardInputToo) {
  const std::string data_dir = Path("new");
  const int standard_input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  FILE* const pipe = popen(absl::StrCat("cat '", File(), "'").c_str(), "re");
  ASSERT_NE(pipe, nullptr);
  dup2(fileno(pipe), STDIN_FILENO);
  const Finished finished = Restore(data_dir, "-");
  dup2(standard_input, STDIN_FILENO);
  close(standard_input);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(finished.status, 0) << finished.err;
  ExpectRestored(data_dir);
}

TEST_F(BackupTest, WatchersStartOverAndRequestsAreStillKnown) {
  const std::string data_dir = Path("new");
  ASSERT_EQ(Restore(data_dir, File()).status, 0);
  const ContentdServer restored({"--data-dir", data_dir});
  const Client client(restored.address());
  AwaitServing(client);
  v1::WatchArticlesRequest articles;
  articles.set_resume_token(resume_token_);
  EXPECT_EQ(ReasonOfEnd<v1::WatchArticlesResponse>(client, &Content::WatchArticles, articles),
            "REVISION_NOT_REACHED");
  v1::WatchCommentsRequest comments;
  comments.set_parent("articles/story");
  comments.set_resume_token(comment_resume_token_);
  EXPECT_EQ(ReasonOfEnd<v1::WatchCommentsResponse>(client, &Content::WatchComments, comments),
            "REVISION_NOT_REACHED");
  Comment(client, RepeatableComment());
  EXPECT_EQ(Query(UrlIn(data_dir), "SELECT count(*) FROM comment WHERE body = 'said once'"), "1");
}

TEST_F(BackupTest, PlannerKnowsTheTables) {
  const std::string data_dir = Path("new");
  ASSERT_EQ(Restore(data_dir, File()).status, 0);
  const ContentdServer restored({"--data-dir", data_dir});
  EXPECT_EQ(Query(UrlIn(data_dir),
                  "SELECT count(*) FROM pg_stats "
                  "WHERE tablename = 'article' AND attname = 'article_key'"),
            "1");
}

// ---- What a backup must not do ----

TEST_F(BackupTest, OverwritesNothingUnlessTold) {
  const std::string file = Path("file");
  WriteFile(file, "other");
  const Finished refused = Backup({file});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr(file + " exists: --force overwrites it"));
  EXPECT_EQ(BytesOf(file), "other");
  EXPECT_EQ(Backup({"--force", file}).status, 0);
  EXPECT_TRUE(absl::StartsWith(BytesOf(file), "PGDMP"));
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(BackupTest, ReplacesNoDeviceAndNoDirectory) {
  for (const char* path : {"/dev/null", "/tmp"}) {
    const Finished refused = Backup({"--force", path});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("is not a regular file"));
  }
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

std::vector<std::string> FilesIn(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

TEST_F(BackupTest, LeavesNoFileOnAFullDisk) {
  const std::string disk = Path("disk");
  fs::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=16k") != 0) {
    GTEST_SKIP() << "this process may not mount a small disk";
  }
  const Finished finished = Backup({disk + "/file"});
  const std::vector<std::string> left = FilesIn(disk);
  EXPECT_EQ(umount(disk.c_str()), 0);
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("No space left on device"));
  EXPECT_TRUE(left.empty()) << absl::StrJoin(left, " ");
}

// The only line of a file about a process; "" if that has ended.
std::string ReadLine(const fs::path& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// The child of a process whose command line contains `program`; -1 if there is none.
int ChildOf(int parent, const std::string& program) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0) continue;
    const std::string stat = ReadLine(entry.path() / "stat");
    const size_t name_end = stat.rfind(") ");
    if (name_end == std::string::npos) continue;
    if (std::atoi(stat.c_str() + name_end + sizeof ") S") != parent) continue;
    if (absl::StrContains(ReadLine(entry.path() / "cmdline"), program)) return pid;
  }
  return -1;
}

// Calls `interrupt` with the ids of contentd and pg_dump in the middle of a backup.
Finished Interrupt(const std::string& data_dir, const std::string& file,
                   const std::function<void(int contentd, int pg_dump)>& interrupt) {
  Session session(UrlIn(data_dir));
  session.Run("BEGIN; LOCK TABLE comment");
  return RunContentd({"backup", "--data-dir", data_dir, file}, {}, [&](const Running& running) {
    AwaitThat(
        [&] { return session.Run("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1"; });
    const int pg_dump = ChildOf(running.pid, "/pg_dump");
    EXPECT_GT(pg_dump, 0);
    interrupt(running.pid, pg_dump > 0 ? pg_dump : running.pid);
  });
}

TEST_F(BackupTest, LeavesNoFileIfPgDumpIsKilled) {
  const std::string file = Path("file");
  const Finished finished =
      Interrupt(DataDir(), file, [](int, int pg_dump) { kill(pg_dump, SIGKILL); });
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("pg_dump: signal 9"));
  EXPECT_TRUE(fs::is_empty(fs::path(file).parent_path()));
}

TEST_F(BackupTest, LeavesNoFileIfItIsStopped) {
  const std::string file = Path("file");
  const Finished finished =
      Interrupt(DataDir(), file, [](int contentd, int) { kill(contentd, SIGTERM); });
  EXPECT_EQ(finished.status, -SIGTERM);
  EXPECT_TRUE(fs::is_empty(fs::path(file).parent_path()));
}

TEST_F(BackupTest, LeavesNoFileIfTheDatabaseEndsItsSession) {
  const std::string file = Path("file");
  const Finished finished = Interrupt(DataDir(), file, [](int, int) {
    Query(UrlIn(DataDir()),
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
          "WHERE application_name = 'pg_dump'");
  });
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("terminating connection"));
  EXPECT_TRUE(fs::is_empty(fs::path(file).parent_path()));
}

TEST_F(BackupTest, MakesNoDatabaseToBackUp) {
  const std::string data_dir = Path("absent");
  const Finished finished = RunContentd({"backup", "--data-dir", data_dir, Path("file")});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr(data_dir + " does not exist"));
  EXPECT_FALSE(fs::exists(data_dir));
  EXPECT_FALSE(fs::exists(Path("file")));
}

TEST_F(BackupTest, NamesADirectoryThatCannotBeWritten) {
  const Finished finished = Backup({Path("absent") + "/file"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("/absent/file: No such file or directory"));
}

// ---- What a restore must not do ----

TEST_F(BackupTest, IsNotRestoredUnderARunningServer) {
  const Finished refused = Restore(DataDir(), File(), {"--replace"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("stop the server first"));
  EXPECT_EQ(AllAnswers(Client(server_->address())), answers_);
}

TEST_F(BackupTest, ReplacesADatabaseThatIsNotEmptyOnlyIfToldAndKeepsIt) {
  const std::string data_dir = MakeUsedDatabase();
  const Finished refused = Restore(data_dir, File());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("public.precious"), HasSubstr("--replace")));
  ExpectUntouched(data_dir);

  const Finished replaced = Restore(data_dir, File(), {"--replace"});
  EXPECT_EQ(replaced.status, 0) << replaced.err;
  EXPECT_THAT(replaced.out, HasSubstr("postgres.replaced"));
  ExpectRestored(data_dir);
  const Finished again = Restore(data_dir, File(), {"--replace"});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("postgres.replaced is there"));

  // It can be put back.
  fs::remove_all(data_dir + "/postgres");
  fs::rename(data_dir + "/postgres.replaced", data_dir + "/postgres");
  ExpectUntouched(data_dir);
}

TEST_F(BackupTest, ReplacesADatabaseWithoutArticlesWithoutBeingTold) {
  const std::string data_dir = Path("fresh");
  { const ContentdServer server({"--data-dir", data_dir}); }
  const Finished finished = Restore(data_dir, File());
  EXPECT_EQ(finished.status, 0) << finished.err;
  ExpectRestored(data_dir);
}

TEST_F(BackupTest, ReplacesADatabaseThatDoesNotStartOnlyIfTold) {
  const std::string data_dir = MakeUsedDatabase();
  fs::rename(data_dir + "/postgres/global/pg_control", data_dir + "/pg_control");
  const Finished refused = Restore(data_dir, File());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("PostgreSQL does not start"), HasSubstr("--replace")));

  const Finished replaced = Restore(data_dir, File(), {"--replace"});
  EXPECT_EQ(replaced.status, 0) << replaced.err;
  ExpectRestored(data_dir);
}

// A restore that was killed while it exchanged the two leaves the only copy of one of them.
TEST_F(BackupTest, RemovesNoDatabaseThatARestoreHasPutAside) {
  const std::string data_dir = MakeUsedDatabase();
  const std::string aside = data_dir + "/postgres.restored";
  fs::create_directory(aside);
  const Finished refused = Restore(data_dir, File(), {"--replace"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr(aside + " is there"));
  EXPECT_TRUE(fs::remove(aside));
  ExpectUntouched(data_dir);
}

TEST_F(BackupTest, RemovesNothingOfOthersThatHasTheNameOfItsNewDatabase) {
  const std::string data_dir = MakeUsedDatabase();
  const std::string precious = Path("precious");
  fs::create_directory(precious);
  WriteFile(precious + "/PG_VERSION", "15\n");
  const std::string name = data_dir + "/postgres.restoring";
  const auto expect_refused = [&] {
    const Finished refused = Restore(data_dir, File(), {"--replace"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr(name + " is there, and is no database"));
  };
  fs::create_directory_symlink(precious, name);
  expect_refused();
  EXPECT_TRUE(fs::exists(precious + "/PG_VERSION"));
  EXPECT_TRUE(fs::remove(name));

  fs::create_directory(name);
  WriteFile(name + "/content.dump", "other");
  expect_refused();
  EXPECT_EQ(BytesOf(name + "/content.dump"), "other");
  fs::remove_all(name);
  ExpectUntouched(data_dir);
}

// Returns a dump of a database of the test's.
std::string DumpOf(const std::string& url, const std::string& file, const std::string& format) {
  const std::string command =
      absl::StrCat("pg_dump --format=", format, " --file='", file, "' --dbname=\"", url, "\"");
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return file;
}

TEST_F(BackupTest, ChangesNothingIfTheFileIsDamagedOrNoBackupOrTooNew) {
  if (OnCitus()) GTEST_SKIP() << "the embedded database is not distributed";
  const std::string data_dir = MakeUsedDatabase();
  const std::string whole = BytesOf(File());
  const std::string truncated = Path("truncated");
  WriteFile(truncated, whole.substr(0, whole.size() * 9 / 10));
  const std::string text = Path("text");
  WriteFile(text, "This is no backup.\n");
  const std::string empty = Path("empty");
  WriteFile(empty, "");
  const std::string other_url = NewDatabase(/*migrated=*/false);
  Query(other_url, "CREATE TABLE other AS SELECT 1 AS number");
  const std::string elsewhere_url = NewDatabase();
  Query(elsewhere_url, "ALTER SCHEMA public RENAME TO blog; CREATE SCHEMA public");
  const std::string partial_url = NewDatabase();
  Query(partial_url, "DROP TABLE comment CASCADE");
  const std::string newer_url = NewDatabase();
  Query(newer_url,
        "INSERT INTO schema_migration (version, name, checksum, applied_time, is_compatible) "
        "VALUES (9999, '9999_future', 'x', now(), false)");
  constexpr char kUnchanged[] = "nothing has changed: ";
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {truncated, {kUnchanged, "pg_restore: error: "}},
      {text, {kUnchanged, "pg_restore: error: ", "valid archive"}},
      {empty, {kUnchanged, "pg_restore: error: "}},
      {DumpOf(other_url, Path("other"), "custom"), {kUnchanged, "another program's"}},
      {DumpOf(elsewhere_url, Path("elsewhere"), "custom"), {kUnchanged, "in the schema blog"}},
      {DumpOf(partial_url, Path("partial"), "custom"), {kUnchanged, "comment"}},
      {DumpOf(other_url, Path("sql"), "plain"), {kUnchanged, "text format dump"}},
      {DumpOf(newer_url, Path("newer"), "custom"), {kUnchanged, "newer than version"}},
      {Path("absent"), {"cannot read", "No such file"}}};
  for (const auto& [file, words] : cases) {
    const Finished refused = Restore(data_dir, file, {"--replace"});
    EXPECT_EQ(refused.status, 1) << file;
    for (const std::string& word : words) EXPECT_THAT(refused.err, HasSubstr(word)) << file;
  }
  ExpectUntouched(data_dir);
}

// What it leaves does not disturb the server, nor the next restore.
TEST_F(BackupTest, ChangesNothingIfItIsKilled) {
  const std::string data_dir = MakeUsedDatabase();
  const std::string pipe = Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const Finished killed = RunContentd(
      {"restore", "--data-dir", data_dir, "--replace", pipe}, {}, [&](const Running& running) {
        const int fd = open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
        const absl::Cleanup close_pipe = [fd] { close(fd); };
        const std::string whole = BytesOf(File());
        const size_t most = whole.size() * 9 / 10;
        EXPECT_EQ(write(fd, whole.data(), most), static_cast<ssize_t>(most));
        AwaitThat([&] { return ChildOf(running.pid, "/pg_restore") > 0; });
        kill(running.pid, SIGKILL);
      });
  EXPECT_EQ(killed.status, -SIGKILL);
  EXPECT_TRUE(fs::exists(data_dir + "/postgres.restoring"));
  {
    const ContentdServer server({"--data-dir", data_dir});
    EXPECT_EQ(Query(UrlIn(data_dir), "SELECT number FROM precious"), "42");
  }
  const Finished finished = Restore(data_dir, File(), {"--replace"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_FALSE(fs::exists(data_dir + "/postgres.restoring"));
  ExpectRestored(data_dir);
}

// As after a migration that has emptied the index for search, which `migrate` fills.
TEST_F(BackupTest, FillsAnIndexForSearchThatIsOwed) {
  const std::string older = Path("older");
  ASSERT_EQ(Restore(older, File()).status, 0);
  {
    const ContentdServer server({"--data-dir", older});
    Query(UrlIn(older),
          "TRUNCATE article_search; UPDATE schema_migration SET search_index_owed = true");
    ASSERT_EQ(RunContentd({"backup", "--data-dir", older, Path("older.dump")}).status, 0);
  }
  const std::string data_dir = Path("new");
  const Finished finished = Restore(data_dir, Path("older.dump"));
  EXPECT_EQ(finished.status, 0) << finished.err;
  ExpectRestored(data_dir);
}

TEST_F(BackupTest, BringsAnOlderSchemaUpToDate) {
  if (OnCitus()) GTEST_SKIP() << "the embedded database is not distributed";
  std::vector<postgres::Migration> older = store::KnownMigrations();
  const std::string newest(older.back().name);
  older.pop_back();
  const std::string url = NewDatabase(/*migrated=*/false);
  ASSERT_TRUE(postgres::Migrate(url, older).ok());
  const std::string data_dir = Path("new");
  const Finished finished = Restore(data_dir, DumpOf(url, Path("older"), "custom"));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr(newest));
  const ContentdServer restored({"--data-dir", data_dir});
  EXPECT_TRUE(Client(restored.address()).Publish(MakeArticle("story")).ok());
}

TEST_F(BackupTest, ADatabaseOfOnesOwnHasItsOwnMeans) {
  for (const char* command : {"backup", "restore"}) {
    const Finished refused = RunContentd({command, File()}, {"CONTENT_DATABASE_URL=host=leak"});
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("CONTENT_DATABASE_URL"), HasSubstr("pg_dump"),
                                   Not(HasSubstr("leak"))));
  }
}

}  // namespace
}  // namespace content::testing
