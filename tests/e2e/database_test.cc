// Databases that are wrong, late or secret, as operators meet them.

#include "support/database.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/grpc_client.h"
#include "support/postgres_server.h"

namespace content::testing {
namespace {

namespace fs = std::filesystem;
using Admin = v1::AdminService::Stub;
using Content = v1::ContentService::Stub;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// ---- Secrets ----

// URLs whose parts that must not appear contain "leak". Most are mistakes of operators.
std::vector<std::string> HostileUrls(const std::string& url) {
  return {
      "postgresql://leak1:leak2@127.0.0.1:1/leak3",
      "postgresql://leak1:leak2@leak4@127.0.0.1:1/leak3",
      "postgresql://leak1:leak2/leak4@127.0.0.1:1/leak3",
      "postgresql://leak1:leak2:leak4@127.0.0.1:1/leak3",
      "postgresql://leak1:leak2#leak4@127.0.0.1:1/leak3",
      "postgresql://leak1:leak2?leak4@127.0.0.1:1/leak3",
      "postgresql://leak1:leak2%leak4@127.0.0.1:1/leak3",
      "postgresql://leak1:[leak2@127.0.0.1:1/leak3",
      "postgresql://leak1:leak 2@127.0.0.1:1/leak3",
      "postgresql://leak1:leak2@127.0.0.1:leak5/leak3",
      "postgresql://leak1:leak2@127.0.0.1:123456/leak3",
      "postgresql://leak1:leak2@leak.invalid/leak3",
      "postgresql://leak1:leak2@leak.invalid,127.0.0.1:1/leak3?target_session_attrs=any",
      "postgresql://leak1:leak2@127.0.0.1:1,127.0.0.1:2,127.0.0.1:leak/leak3",
      "postgresql://leak1:leak2@127.0.0.1:1/leak3?sslmode=leak6",
      "postgresql://leak1:leak2@127.0.0.1:1/leak3?leak7=1",
      "postgresql://leak1:leak2@127.0.0.1:1/leak3?connect_timeout=leak8",
      "postgresql://leak1:leak2@127.0.0.1:1/leak3?target_session_attrs=leak9",
      "postgresql://leak1:leak2@127.0.0.1:1/leak3?sslrootcert=/leak10&sslmode=verify-full",
      "postgresql:///leak3?service=leak11",
      "postgresql:///leak3?host=/leak12&user=leak1&password=leak2",
      "mysql://leak1:leak2@127.0.0.1/leak3",
      "leak1:leak2@127.0.0.1/leak3",
      "host=127.0.0.1 port=1 user=leak1 password=leak2 leak4 dbname=leak3",
      "host=127.0.0.1 port=1 user=leak1 password='leak2 dbname=leak3",
      "host=127.0.0.1 hostaddr=leak13 port=1 user=leak1 password=leak2 dbname=leak3",
      "password=leak2",
      // A database that answers.
      url + " user=leak1",
      url + " dbname=leak3",
      url + " options='-c leak14=1'",
      url + " options='-c work_mem=leak15'",
      url + " options='-c search_path=leak16'",
      url + " options='-c role=leak17'",
      url + " options='-c default_tablespace=leak18'",
      url + " options='-c default_table_access_method=leak19'",
      url + " requirepeer=leak20",
      url + " sslmode=verify-full sslcert=/leak21 sslkey=/leak22 host=localhost",
      "host=127.0.0.1 port=1 connect_timeout=leak23",
  };
}

// Every line that a server writes is an event, or the message with which it ends.
void ExpectNoLeak(const Finished& finished, const std::string& url) {
  const std::string printed = absl::AsciiStrToLower(finished.out + finished.err);
  EXPECT_THAT(printed, Not(HasSubstr("leak"))) << url;
  for (const absl::string_view line : absl::StrSplit(finished.err, '\n', absl::SkipEmpty())) {
    EXPECT_TRUE(absl::StartsWith(line, "{") || absl::StartsWith(line, "contentd: ") ||
                absl::StartsWith(line, "migrating ") || absl::StartsWith(line, "importing "))
        << line;
  }
}

void ExpectFailureWithoutLeak(const Finished& finished, const std::string& url) {
  EXPECT_NE(finished.status, 0) << url;
  EXPECT_THAT(finished.err, HasSubstr("contentd: ")) << url;
  ExpectNoLeak(finished, url);
}

TEST(Secrets, NoPartOfADatabaseUrlIsEverPrinted) {
  for (const std::string& url : HostileUrls(NewDatabase(/*migrated=*/false))) {
    ExpectFailureWithoutLeak(
        RunContentd({"migrate", "--database-url", url, "--log-level", "debug"}), url);
    ExpectFailureWithoutLeak(
        RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-wait", "600ms"},
                    {"CONTENT_DATABASE_URL=" + url}),
        url);
  }
}

TEST(Secrets, NoPartOfADirectDatabaseUrlIsEverPrinted) {
  const std::string url = NewDatabase();
  for (const std::string& direct : HostileUrls(NewDatabase(/*migrated=*/false))) {
    ExpectFailureWithoutLeak(RunContentd({"migrate", "--database-url", url, "--direct-database-url",
                                          direct, "--log-level", "debug"}),
                             direct);
  }
  ExpectFailureWithoutLeak(RunContentd({"serve", "--listen", "127.0.0.1:0"},
                                       {"CONTENT_DATABASE_URL=" + url,
                                        "CONTENT_DIRECT_DATABASE_URL=" + url + " dbname=leak3"}),
                           url);
  ContentdServer server({"--database-url", url, "--direct-database-url",
                         "postgresql://leak1:leak2@127.0.0.1:1/leak3"});
  EXPECT_THAT(server.WaitForEvent("notification connection lost"), Not(HasSubstr("leak")));
}

// Returns the URL of a migrated database with secret names, whose sessions begin with notices.
std::string UrlWithNotices() {
  static int count = 0;
  const std::string secret = absl::StrCat("leak_", ++count);
  const std::string url = NewDatabase();
  const std::string role = Query(UrlOfNewRole(url, "SUPERUSER"), "SELECT current_user");
  const std::string database = Query(url, "SELECT current_database()");
  Session session(url + " dbname=postgres");
  session.Run(absl::StrCat("ALTER DATABASE ", database, " RENAME TO ", secret));
  session.Run(absl::StrCat("UPDATE pg_database SET datcollversion = 'leak' WHERE datname = '",
                           secret, "'"));
  session.Run(absl::StrCat("ALTER ROLE ", role, " RENAME TO ", secret));
  for (const char* setting : {"role = 'leak'", "default_table_access_method = 'leak'",
                              "client_min_messages = 'debug5'"}) {
    session.Run(absl::StrCat("ALTER ROLE ", secret, " SET ", setting));
  }
  return absl::StrCat(url, " dbname=", secret, " user=", secret);
}

TEST(Secrets, NoPartOfADatabaseUrlThatWorksIsEverPrinted) {
  if (OnCitus()) GTEST_SKIP() << "the database would have to be renamed on every node";
  const std::string url = UrlWithNotices();
  const std::string loose = ScratchDirectory() + "/leak_passfile";
  std::ofstream(loose) << "*:*:*:*:leak_password\n";
  fs::permissions(loose, fs::perms(0644));
  for (const std::string& working :
       {url, url + " options='-c client_min_messages=debug5'", url + " passfile=" + loose,
        url + " passfile=" + ScratchDirectory(), url + " passfile=/leak_nowhere"}) {
    for (const Finished& finished :
         {RunContentd({"migrate", "--database-url", working}),
          RunContentd({"import", "--database-url", working,
                       CONTENT_SOURCE_DIR "/deploy/samples/twenty-lines-and-two-traps.md"}),
          RunContentd({"migrate", "--database-url", url}, {"PGPASSFILE=" + loose})}) {
      EXPECT_EQ(finished.status, 0) << finished.err;
      ExpectNoLeak(finished, working);
    }
  }
}

TEST(Secrets, APasswordFileThatIsIgnoredIsAnEvent) {
  const std::string url = NewDatabase();
  const std::string path = ScratchDirectory() + "/passfile";
  std::ofstream(path) << "*:*:*:*:word\n";
  const auto run = [&](int mode) {
    fs::permissions(path, fs::perms(mode));
    return RunContentd({"migrate", "--database-url", url + " passfile=" + path}).err;
  };
  EXPECT_THAT(run(0640), HasSubstr("password file ignored"));
  EXPECT_THAT(run(0600), Not(HasSubstr("password file ignored")));
}

// libpq reads no password file, or another one.
TEST(Secrets, APasswordFileThatIsNotNeededIsNoEvent) {
  const std::string url = NewDatabase();
  const std::string loose = ScratchDirectory() + "/unneeded_passfile";
  std::ofstream(loose) << "*:*:*:*:word\n";
  fs::permissions(loose, fs::perms(0644));
  const std::string services = ScratchDirectory() + "/services";
  std::ofstream(services) << "[content]\npassfile=/nowhere\n";
  for (const std::vector<std::string>& variables :
       {std::vector<std::string>{"PGPASSFILE=" + loose, "PGPASSWORD=word"},
        std::vector<std::string>{"PGPASSFILE=" + loose, "PGSERVICEFILE=" + services,
                                 "PGSERVICE=content"}}) {
    const Finished finished = RunContentd({"migrate", "--database-url", url}, variables);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.err, Not(HasSubstr("password file")));
  }
}

TEST(Secrets, AHintTellsHowToWriteAPassword) {
  for (const char* url : {"postgresql://me:pass@word@127.0.0.1/x", "postgresql://me:a/b@db/x",
                          "postgresql://me:a%zz@db/x"}) {
    EXPECT_THAT(RunContentd({"migrate", "--database-url", url}).err, HasSubstr("percent-encode"));
  }
}

TEST(Secrets, ArgumentsThatWereNotExpectedAreNotPrinted) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"serve", "postgresql://me:leak@db/x"},
           {"serve", "--database-url", "host=db", "password=leak"},
           {"serve", "--database-url", "password=my", "leak"},
           {"serve", "--database-urls=postgresql://me:leak@db/x"},
           {"serve", "--database-url:postgresql://me:leak@db/x"},
           {"migrate", "--data-dir", "/x", "--database-url=host=db", "user=leak", "--what"},
           {"postgresql://me:leak@db/x"},
           {"--database-url=postgresql://me:leak@db/x", "serve"}}) {
    const Finished finished = RunContentd(arguments);
    EXPECT_EQ(finished.status, 2);
    EXPECT_THAT(finished.out + finished.err, Not(HasSubstr("leak")));
    EXPECT_THAT(finished.err, HasSubstr("not expected"));
  }
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What `ps` can show of all processes: their arguments and variables.
std::string ProcessList() {
  std::string list;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    list += ReadFile(entry.path() / "cmdline") + ReadFile(entry.path() / "environ");
  }
  return list;
}

TEST(Secrets, TheProcessListDoesNotShowTheDatabaseUrl) {
  const std::string url = NewDatabase() + " password=leakedword";
  {
    ContentdServer server({"--database-url", url});
    EXPECT_THAT(ProcessList(), Not(HasSubstr("leakedword")));
  }
  {
    ContentdServer server({"--database-url=" + url});
    EXPECT_THAT(ProcessList(), Not(HasSubstr("leakedword")));
  }
  {
    ContentdServer server({"--database-url", url, "--direct-database-url", url});
    EXPECT_THAT(ProcessList(), Not(HasSubstr("leakedword")));
  }
  ContentdServer server({}, {"CONTENT_DATABASE_URL=" + url, "CONTENT_DIRECT_DATABASE_URL=" + url});
  EXPECT_THAT(ProcessList(), Not(HasSubstr("leakedword")));
}

// ---- Libpq's environment ----

TEST(Environment, DoesNotReachTheEmbeddedDatabase) {
  ContentdServer server(
      {"--data-dir", ScratchDirectory() + "/environment"},
      {"PGHOSTADDR=127.0.0.9", "PGSERVICE=nowhere", "PGTARGETSESSIONATTRS=standby",
       "PGOPTIONS=-c default_transaction_read_only=on", "PGGSSENCMODE=require",
       "PGCHANNELBINDING=require", "PGSSLMODE=require", "PGCLIENTENCODING=LATIN1", "PGTZ=nowhere"});
  Client client(server.address());
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
}

TEST(Environment, DoesNotChangeTheSessionsOfAnotherDatabase) {
  ContentdServer server({"--database-url", NewDatabase()},
                        {"PGOPTIONS=-c default_transaction_read_only=on -c search_path=nowhere",
                         "PGCLIENTENCODING=LATIN1", "PGTZ=nowhere", "PGDATESTYLE=German"});
  Client client(server.address());
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
}

// ---- A direct URL ----

TEST(Direct, NotificationsAndMigrationsUseIt) {
  const std::string url = NewDatabase(/*migrated=*/false);
  const Finished migrated =
      RunContentd({"migrate", "--database-url", "host=/nowhere", "--direct-database-url", url});
  EXPECT_EQ(migrated.status, 0);
  EXPECT_THAT(migrated.err, HasSubstr("the database that --direct-database-url names"));
  Query(url, "DO $$ BEGIN CREATE ROLE direct LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
  ContentdServer server({"--database-url", url, "--direct-database-url", url + " user=direct"});
  const auto listener = [&url] {
    return Query(url,
                 "SELECT string_agg(usename, ',') FROM pg_stat_activity WHERE datname = "
                 "current_database() AND application_name LIKE 'contentd schema % notifications'");
  };
  AwaitThat([&] { return !listener().empty(); });
  EXPECT_EQ(listener(), "direct");
}

TEST(Direct, AnotherDatabaseIsRefused) {
  const Finished finished =
      RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", NewDatabase()},
                  {"CONTENT_DIRECT_DATABASE_URL=" + NewDatabase()});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err,
              EndsWith("contentd: CONTENT_DIRECT_DATABASE_URL: it leads to another database than "
                       "--database-url\n"));
}

TEST(Direct, AServerServesWithoutIt) {
  ContentdServer server(
      {"--database-url", NewDatabase(), "--direct-database-url", "host=/nowhere"});
  EXPECT_TRUE(Client(server.address()).Publish(MakeArticle("story")).ok());
}

// ---- A database that is late ----

// A socket where clients look for a PostgreSQL. It stands for one that is about to start.
class EarlySocket {
 public:
  EarlySocket() {
    std::string name = ScratchDirectory() + "/early.XXXXXX";
    directory_ = mkdtemp(name.data());
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = Path();
    std::copy(path.begin(), path.end(), address.sun_path);
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
  }

  ~EarlySocket() { close(fd_); }

  EarlySocket(const EarlySocket&) = delete;
  EarlySocket& operator=(const EarlySocket&) = delete;

  // Returns the URL of the same database at this socket.
  std::string UrlOf(const std::string& url) const { return url + " host=" + directory_; }

  // Waits for a client, calls `meanwhile`, hangs up, and returns the client's process id.
  int TurnAway(const std::function<void()>& meanwhile = [] {}) const {
    const int client = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    ucred peer = {};
    socklen_t size = sizeof(peer);
    EXPECT_EQ(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
    meanwhile();
    close(client);
    return peer.pid;
  }

  // From now on, nothing listens here.
  void Hide() const { fs::remove(Path()); }

  // From now on, the database of `url` answers here.
  void Become(const std::string& url) const {
    const std::string directory =
        Query(url, "SELECT trim('\"' FROM current_setting('unix_socket_directories'))");
    fs::remove(Path());
    fs::create_symlink(directory + "/.s.PGSQL.5432", Path());
  }

 private:
  std::string Path() const { return directory_ + "/.s.PGSQL.5432"; }

  std::string directory_;
  int fd_ = -1;
};

TEST(Wait, ServesOnceTheDatabaseIsThere) {
  const std::string url = NewDatabase();
  const EarlySocket socket;
  const std::jthread starter([&] {
    socket.TurnAway();
    socket.TurnAway();
    socket.Become(url);
  });
  ContentdServer server({"--database-url", socket.UrlOf(url)});
  Client client(server.address());
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
}

TEST(Wait, EndsWithItsTime) {
  const Finished finished = RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url",
                                         "host=/nowhere", "--database-wait", "1s"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("waiting for the database"));
  EXPECT_THAT(finished.err, HasSubstr("contentd: database: nothing listens"));
}

TEST(Wait, EndsWithAStopSignal) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const EarlySocket socket;
    const std::jthread killer([&] {
      socket.TurnAway();
      kill(socket.TurnAway(), signal);
    });
    const Finished finished =
        RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", socket.UrlOf("")});
    EXPECT_EQ(finished.status, -signal);
  }
}

TEST(Wait, DoesNotWaitForWhatWillNotChange) {
  const std::string url = NewDatabase();
  const std::string latin1 = NewDatabaseWith("TEMPLATE template0 LOCALE 'C' ENCODING 'LATIN1'");
  for (const auto& [wrong, problem] : std::vector<std::pair<std::string, std::string>>{
           {url + " dbname=nowhere", "does not exist"},
           {url + " user=nowhere", "refuses the user"},
           {url + " requirepeer=nobody-at-all", "requirepeer"},
           {url + " connect_timeout=1O", "no valid connect_timeout"},
           {latin1, "encoded in LATIN1"},
           {NewDatabase(/*migrated=*/false), "run `contentd migrate` first"},
           {"postgresql://me:p@ss@db/x", "percent-encode"}}) {
    const Finished finished =
        RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", wrong});
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.err, HasSubstr(problem));
    EXPECT_THAT(finished.err, Not(HasSubstr("waiting for")));
  }
}

TEST(Wait, SaysHowLongItWillStillWait) {
  const EarlySocket socket;
  const std::jthread starter([&] { socket.TurnAway([&] { socket.Hide(); }); });
  const Finished finished = RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url",
                                         socket.UrlOf(""), "--database-wait", "2s"});
  EXPECT_EQ(finished.status, 1);
  std::vector<absl::Duration> waits;
  for (const absl::string_view part : absl::StrSplit(finished.err, "\"at_most\":\"")) {
    absl::Duration wait;
    if (absl::ParseDuration(part.substr(0, part.find('"')), &wait)) waits.push_back(wait);
  }
  ASSERT_EQ(waits.size(), 2) << finished.err;  // cut, and then nothing listens
  EXPECT_LT(waits[1], waits[0]);
}

// ---- A database that is not ready ----

TEST(Ready, AnIndexThatIsNotCompleteIsFilledByMigrate) {
  const std::string url = NewDatabase();
  {
    ContentdServer server({"--database-url", url});
    ASSERT_TRUE(Client(server.address()).Publish(MakeArticle("story")).ok());
  }
  Query(url, "TRUNCATE article_search; UPDATE schema_migration SET search_index_owed = true");
  const Finished refused = RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", url});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("run `contentd migrate`"));
  EXPECT_EQ(RunContentd({"migrate", "--database-url", url}).status, 0);
  EXPECT_EQ(Query(url, "SELECT count(*) FROM article_search"), "1");
  ContentdServer server({"--database-url", url});
  AwaitServing(Client(server.address()));
}

TEST(Ready, AMissingRightIsNamed) {
  const std::string url = NewDatabase();
  const std::string user = UrlOfNewRole(url);
  Query(url,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PUBLIC; "
        "REVOKE UPDATE ON article_feed FROM PUBLIC");
  const Finished finished =
      RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", user});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("GRANT UPDATE ON article_feed"));
  EXPECT_THAT(finished.err, Not(HasSubstr("waiting for")));
}

// ---- Roles, TLS, and where the connection string comes from ----

TEST(Roles, NeedNotSeeTheStandbys) {
  if (OnCitus()) GTEST_SKIP() << "roles would have to be made on every node";
  const std::string url = NewDatabase();
  const std::string server_url = UrlOfNewRole(url);
  Query(url,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PUBLIC; "
        "REVOKE SELECT ON pg_stat_replication FROM PUBLIC");
  const ContentdServer server({"--database-url", server_url});
  AwaitServing(Client(server.address()));
}

// As deploy/OPERATING.md sets them up.
TEST(Roles, OneMigratesAndAnotherServesWithoutTheRightToChangeTheSchema) {
  if (OnCitus()) GTEST_SKIP() << "roles would have to be made on every node";
  const std::string url = NewDatabase(/*migrated=*/false);
  const std::string owner_url = UrlOfNewRole(url);
  const std::string server_url = UrlOfNewRole(url);
  const std::string owner = Query(owner_url, "SELECT current_user");
  const std::string user = Query(server_url, "SELECT current_user");
  Query(url,
        absl::StrCat("GRANT CREATE, USAGE ON SCHEMA public TO ", owner,
                     "; GRANT USAGE ON SCHEMA public TO ", user,
                     "; ALTER DEFAULT PRIVILEGES FOR ROLE ", owner,
                     " IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ", user));
  const Finished refused = RunContentd({"migrate", "--database-url", server_url});
  EXPECT_EQ(refused.status, 1) << "it has no right to change the schema";
  const Finished migrated = RunContentd({"migrate", "--database-url", owner_url});
  ASSERT_EQ(migrated.status, 0) << migrated.err;
  ContentdServer server({"--database-url", server_url});
  const Client client(server.address());

  v1::PublishArticleResponse published;
  ASSERT_TRUE(client.Publish(MakeArticle("story"), &published).ok());
  v1::CreateCommentRequest comment = MakeCommentRequest("story", "text");
  comment.set_request_id("00000000-0000-4000-8000-000000000001");
  v1::CreateCommentResponse created;
  ASSERT_TRUE(client.Create(comment, &created).ok());

  const auto call = [](auto method, auto& stub, const auto& request, auto response) {
    const grpc::Status status = Client::Call(method, stub, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  };
  const auto finish = [](auto&& stream) {
    while (stream.Read()) {
    }
    const grpc::Status status = stream.Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
  };
  v1::UpdateArticleRequest update;
  update.mutable_article()->set_name("articles/story");
  update.mutable_article()->set_title("Another");
  call(&Admin::UpdateArticle, client.admin(), update, v1::UpdateArticleResponse());
  v1::RenameArticleRequest rename;
  rename.set_name("articles/story");
  rename.set_new_name("articles/tale");
  call(&Admin::RenameArticle, client.admin(), rename, v1::RenameArticleResponse());
  v1::SearchArticlesRequest search;
  search.set_query("another");
  call(&Content::SearchArticles, client.content(), search, v1::SearchArticlesResponse());
  v1::ListCommentsRequest list;
  list.set_parent("articles/tale");
  call(&Content::ListComments, client.content(), list, v1::ListCommentsResponse());
  v1::DeleteCommentRequest deletion;
  deletion.set_name(created.comment().name());
  call(&Content::DeleteComment, client.content(), deletion, v1::DeleteCommentResponse());
  v1::EraseAuthorRequest erasure;
  erasure.set_author_id(created.comment().author().id());
  finish(Stream<v1::EraseAuthorResponse>(&Admin::EraseAuthor, client.admin(), erasure));
  finish(Stream<v1::VerifyCountersResponse>(&Admin::VerifyCounters, client.admin(),
                                            v1::VerifyCountersRequest()));
  v1::RetractArticleRequest retraction;
  retraction.set_name("articles/tale");
  call(&Admin::RetractArticle, client.admin(), retraction, v1::RetractArticleResponse());
  AwaitServing(client);
}

void WriteSecret(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms(0600));
}

// A database that takes connections by TLS, for users with a password.
class DatabaseTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.RunShell(
        "exec 2>&1; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority "
        "-keyout ca.key -out ca.crt; "
        "openssl req -newkey rsa:2048 -nodes -subj /CN=db.test -keyout server.key -out server.csr; "
        "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
        "-out server.crt; "
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other "
        "-keyout other.key -out other.crt");
    Query(database_.url(), "ALTER ROLE content PASSWORD 'word'");
    Query(database_.url(), "ALTER SYSTEM SET ssl = on");
    database_.SetRules("hostssl all all 127.0.0.0/8 scram-sha-256");
    WriteSecret(passfile_, "db.test:5432:content:content:word\n");
  }

  std::string FileOfDatabase(const std::string& name) {
    return Query(database_.url(), "SHOW data_directory") + "/" + name;
  }

  // As the keywords of a connection string, or the lines of a service.
  std::string Keywords(const std::string& separator, const std::string& host = "db.test",
                       const std::string& authority = "ca.crt") {
    return absl::StrJoin({"host=" + host, "hostaddr=" + address_, std::string("dbname=content"),
                          std::string("user=content"), std::string("sslmode=verify-full"),
                          "sslrootcert=" + FileOfDatabase(authority), "passfile=" + passfile_},
                         separator);
  }

  static Finished Migrate(const std::string& url,
                          const std::vector<std::string>& environment = {}) {
    return RunContentd({"migrate", "--database-url", url}, environment);
  }

  const std::string address_ =
      absl::StrCat("127.77.", getpid() / 256 % 256, ".", getpid() % 256);  // of no other test
  const std::string passfile_ = ScratchDirectory() + "/tls_passfile";
  PostgresServer database_{::testing::UnitTest::GetInstance()->current_test_info()->name(),
                           address_};
};

TEST_F(DatabaseTlsTest, TheDatabaseHasToProveWhoItIs) {
  const Finished migrated = Migrate(Keywords(" "));
  EXPECT_EQ(migrated.status, 0) << migrated.err;
  ContentdServer server({"--database-url", Keywords(" ")});
  const Client client(server.address());
  AwaitServing(client);
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
  EXPECT_EQ(Query(database_.url(),
                  "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                  "WHERE application_name LIKE 'contentd%'"),
            "t");

  const Finished other_authority = Migrate(Keywords(" ", "db.test", "other.crt"));
  EXPECT_EQ(other_authority.status, 1);
  EXPECT_THAT(other_authority.err, HasSubstr("is not from an authority in sslrootcert"));
  const Finished other_host = Migrate(Keywords(" ", "db.example"));
  EXPECT_EQ(other_host.status, 1);
  EXPECT_THAT(other_host.err, HasSubstr("certificate is for another host"));
  const Finished no_authority = Migrate(Keywords(" ", "db.test", "absent.crt"));
  EXPECT_EQ(no_authority.status, 1);
  EXPECT_THAT(no_authority.err, HasSubstr("(sslrootcert) are missing"));
}

TEST_F(DatabaseTlsTest, AServiceFileMayHaveTheConnectionString) {
  const std::string services = ScratchDirectory() + "/pg_service.conf";
  WriteSecret(services, absl::StrCat("[articles]\n", Keywords("\n"), "\n"));
  const std::vector<std::string> environment = {"PGSERVICEFILE=" + services};
  const Finished migrated = Migrate("service=articles", environment);
  EXPECT_EQ(migrated.status, 0) << migrated.err;
  ContentdServer server({"--database-url", "postgresql://?service=articles"}, environment);
  const Client client(server.address());
  AwaitServing(client);
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
}

TEST_F(DatabaseTlsTest, APasswordThatWasChangedLeavesTheConnectionsThatThereAre) {
  EXPECT_EQ(Migrate(Keywords(" ")).status, 0);
  ContentdServer server({"--database-url", Keywords(" "), "--database-connection-lifetime", "1s"});
  const Client client(server.address());
  AwaitServing(client);
  Query(database_.url(), "ALTER ROLE content PASSWORD 'next'");
  EXPECT_THAT(server.WaitForEvent("database connection not renewed"),
              HasSubstr("refuses the user or its password"));
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok()) << "by the connections that there are";
}

// ---- A schema that changes while servers serve ----

TEST(Upgrade, AServerWorksWithTheNextSchemaUnlessThatIsNotCompatible) {
  const std::string url = NewDatabase();
  ContentdServer old({"--database-url", url});
  Client client(old.address());
  Query(url,
        "INSERT INTO schema_migration (version, name, checksum, applied_time, is_compatible) "
        "SELECT max(version) + 1, 'next', 'x', now(), true FROM schema_migration");
  old.WaitForEvent("schema is newer");
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
  ContentdServer restarted({"--database-url", url});
  AwaitServing(Client(restarted.address()));

  Query(url, "UPDATE schema_migration SET is_compatible = false");
  old.WaitForEvent("schema does not fit");
  AwaitHealth(client, grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(client.Publish(MakeArticle("late")).ok());
  EXPECT_EQ(Query(url, "SELECT count(*) FROM article"), "1");
  const Finished refused = RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", url});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("run a newer contentd"));
}

TEST(Upgrade, SessionsOfServersTellTheSchemaThatTheyNeed) {
  const std::string url = NewDatabase();
  ContentdServer server({"--database-url", url});
  AwaitServing(Client(server.address()));
  const std::string name =
      absl::StrCat("contentd schema ", Query(url, "SELECT max(version) FROM schema_migration"));
  EXPECT_THAT(
      Query(url,
            "SELECT string_agg(DISTINCT application_name, ',') FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name LIKE 'contentd schema%'"),
      ::testing::AnyOf(name, absl::StrCat(name, ",", name, " notifications")));
}

// ---- A damaged database ----

TEST(Damage, AnEmptiedFeedIsInternal) {
  const std::string url = NewDatabase();
  ContentdServer server({"--database-url", url});
  Client client(server.address());
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  Query(url, "DELETE FROM article_feed");
  EXPECT_EQ(client.Publish(MakeArticle("other")).error_code(), grpc::StatusCode::INTERNAL);
  for (const bool skip_existing : {false, true}) {
    v1::WatchArticlesRequest request;
    request.set_skip_existing(skip_existing);
    grpc::ClientContext context;
    const auto watch = client.content().WatchArticles(&context, request);
    v1::WatchArticlesResponse response;
    while (watch->Read(&response)) {
    }
    EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::INTERNAL);
  }
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

}  // namespace
}  // namespace content::testing
