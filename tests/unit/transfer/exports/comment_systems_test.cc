// Commento, Remark42 and Isso.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "transfer/exports/commento.h"
#include "transfer/exports/isso.h"
#include "transfer/exports/remark42.h"
#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "id<parent: state name: body", for each comment.
std::vector<std::string> Summaries(const ReadItems& items) {
  std::vector<std::string> summaries;
  for (const ExportedComment& comment : items.comments) {
    std::string state = v1::CommentState_Name(comment.state);
    state = state.substr(sizeof("COMMENT_STATE_") - 1);
    summaries.push_back(absl::StrCat(comment.source_id, "<", comment.parent_source_id, ": ", state,
                                     " ", comment.author_name, ": ", comment.body));
  }
  return summaries;
}

TEST(Commento, ReadsComments) {
  const ReadItems items = ReadExport(ReadCommento, R"({"version": 1, "comments": [
      {"commentHex": "c1", "domain": "blog.example", "url": "/low/", "commenterHex": "a1",
       "markdown": "It is *low*.\nVery.", "html": "", "parentHex": "root", "state": "approved",
       "creationDate": "2021-03-12T11:21:56.722181Z", "deleted": false},
      {"commentHex": "c2", "domain": "blog.example", "path": "low", "commenterHex": "anonymous",
       "markdown": "x", "html": "<p>One</p><p>Two</p>", "parentHex": "c1", "state": "unapproved",
       "creationDate": "2021-03-12T11:21:57Z"},
      {"commentHex": "c3", "url": "https://blog.example/low/", "commenterHex": "a9",
       "markdown": "Spam?", "parentHex": "root", "state": "flagged",
       "creationDate": "2021-03-12T11:21:58Z"},
      {"commentHex": "c4", "domain": "blog.example", "url": "/low/", "commenterHex": "a1",
       "markdown": "[deleted]", "parentHex": "root", "state": "approved", "deleted": true,
       "creationDate": "2021-03-12T11:21:59Z"},
      {"commentHex": "c5", "url": "/low/", "markdown": "What?", "state": "new",
       "creationDate": "2021-03-12T11:22:00Z"}],
      "commenters": [{"commenterHex": "a1", "email": "ada@example.org", "name": "Ada"}]})");
  ASSERT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(Summaries(items),
              ElementsAre("c1<: VISIBLE Ada: It is low.\nVery.", "c2<c1: PENDING : One\n\nTwo",
                          "c3<: PENDING : Spam?", "c4<: DELETED Ada: ", "c5<: PENDING : What?"));
  EXPECT_EQ(items.comments[0].address, "https://blog.example/low/");
  EXPECT_EQ(items.comments[0].author_key, "a1");
  EXPECT_EQ(items.comments[0].create_time, absl::FromUnixMicros(1615548116722181));
  EXPECT_EQ(items.comments[1].address, "https://blog.example/low");
  EXPECT_EQ(items.comments[1].author_key, "");
  EXPECT_EQ(items.comments[2].address, "https://blog.example/low/");
  EXPECT_EQ(items.comments[4].address, "/low/");
}

TEST(Commento, RefusesCommentsThatLackSomething) {
  const ReadItems items = ReadExport(ReadCommento, R"({"comments": [
      {"markdown": "x", "creationDate": "2021-03-12T11:21:56Z"},
      {"commentHex": "c2", "markdown": "x", "creationDate": "2021"},
      {"commentHex": "c3", "html": ["x"], "creationDate": "2021-03-12T11:21:56Z"}, 7, null]})");
  EXPECT_THAT(items.comments, IsEmpty());
  EXPECT_THAT(items.refused,
              ElementsAre("comment : has no id", "comment c2: has no date that can be read",
                          "comment c3: has no text", "comment : has no id", "comment : has no id"));
}

TEST(Commento, IsRecognized) {
  EXPECT_TRUE(BeginsLikeCommento(R"({"version": 1, "comments": [{"commentHex": "c1", "mark)"));
  EXPECT_TRUE(BeginsLikeCommento(R"({"commenters": [{"commenterHex": "c1"}], "comments": []})"));
  EXPECT_FALSE(BeginsLikeCommento(R"({"comments": [{"id": "c1"}]})"));
}

constexpr char kRemark42Comment[] =
    R"({"id": "ID", "pid": "PARENT", "text": "<p>One &amp; two</p>", "user": {"name": "Ada",
        "id": "github_1", "ip": "293ec5b0"}, "locator": {"site": "blog",
        "url": "https://blog.example/low"}, "score": 0, "votes": {},
        "time": "2018-04-30T01:37:00.849053725-05:00"FIELDS})";

std::string Remark42Comment(absl::string_view id, absl::string_view parent = "",
                            absl::string_view fields = "") {
  return absl::StrReplaceAll(kRemark42Comment,
                             {{"ID", id}, {"PARENT", parent}, {"FIELDS", fields}});
}

TEST(Remark42, ReadsABackup) {
  const std::string backup =
      absl::StrCat(R"({"version": 1, "users": [], "posts": [{"url": "x", "read_only": true}]})",
                   "\n\t", Remark42Comment("c1"), Remark42Comment("c2", "c1"), "\n",
                   Remark42Comment("c3", "", R"(, "delete": true)"),
                   Remark42Comment("c4", "", R"(, "text": "", "orig": "*Or* so")"));
  const ReadItems items = ReadExport(ReadRemark42, backup);
  ASSERT_TRUE(items.status.ok()) << items.status;
  EXPECT_EQ(items.origin, "blog");
  EXPECT_THAT(Summaries(items),
              ElementsAre("c1<: VISIBLE Ada: One & two", "c2<c1: VISIBLE Ada: One & two",
                          "c3<: DELETED Ada: ", "c4<: VISIBLE Ada: Or so"));
  EXPECT_EQ(items.comments[0].address, "https://blog.example/low");
  EXPECT_EQ(items.comments[0].author_key, "github_1");
  EXPECT_EQ(items.comments[0].create_time, absl::FromUnixNanos(1525070220849053725));
}

TEST(Remark42, DeletesCommentsOfPeopleWhoAreBlocked) {
  const std::string meta = R"({"version": 1, "users": [
      {"id": "UNTIL", "blocked": {"status": true, "until": "2018-12-23T02:55:22.472041-06:00"}},
      {"id": "github_1", "blocked": {"status": STATUS, "until": "2118-12-23T02:55:22Z"}}]})";
  const auto state = [&](absl::string_view status) {
    const ReadItems items = ReadExport(
        ReadRemark42,
        absl::StrCat(absl::StrReplaceAll(meta, {{"STATUS", status}}), Remark42Comment("c1")));
    return items.comments.at(0).state;
  };
  EXPECT_EQ(state("true"), v1::COMMENT_STATE_DELETED);
  EXPECT_EQ(state("false"), v1::COMMENT_STATE_VISIBLE);
  const ReadItems earlier = ReadExport(
      ReadRemark42,
      absl::StrCat(absl::StrReplaceAll(meta, {{"STATUS", "false"}, {"UNTIL", "github_1"}}),
                   Remark42Comment("c1")));
  EXPECT_EQ(earlier.comments.at(0).state, v1::COMMENT_STATE_VISIBLE);
}

TEST(Remark42, ReadsWhatTheApiAnswers) {
  const std::string tree = absl::StrCat(
      R"({"comments": [{"comment": )", Remark42Comment("c1"), R"(, "replies": [{"comment": )",
      Remark42Comment("c2", "c1"), R"(, "replies": [{"comment": )", Remark42Comment("c3", "c2"),
      R"(}]}]}], "info": {"url": "x"}})");
  const ReadItems of_tree = ReadExport(ReadRemark42, tree);
  EXPECT_TRUE(of_tree.status.ok()) << of_tree.status;
  EXPECT_THAT(of_tree.comments, SizeIs(3));
  EXPECT_EQ(of_tree.comments.at(2).parent_source_id, "c2");
  for (const std::string& list :
       {absl::StrCat("[", Remark42Comment("c1"), ",", Remark42Comment("c2"), "]"),
        absl::StrCat(R"({"comments": [)", Remark42Comment("c1"), ",", Remark42Comment("c2"),
                     "]}")}) {
    EXPECT_THAT(ReadExport(ReadRemark42, list).comments, SizeIs(2)) << list;
  }
}

TEST(Remark42, TakesNoKeyThatIsMadeOfAnAddress) {
  const std::string comment = absl::StrReplaceAll(
      Remark42Comment("c1"), {{"github_1", "email_6d5c8c6a6ee0c0b1e2b7d2b2d7d7b0a5f6a1c0de"}});
  EXPECT_EQ(ReadExport(ReadRemark42, comment).comments.at(0).author_key, "");
}

TEST(Remark42, RefusesCommentsThatSayNoPage) {
  const ReadItems items = ReadExport(
      ReadRemark42, absl::StrCat(R"([{"id": "c1", "text": "Lost"}, {"text": "Lost"}, 7, null, )",
                                 Remark42Comment("c2"), "]"));
  EXPECT_THAT(items.comments, SizeIs(1));
  EXPECT_THAT(items.refused, ElementsAre("comment c1: does not say on which page it is",
                                         "comment : does not say on which page it is",
                                         "comment : does not say on which page it is",
                                         "comment : does not say on which page it is"));
}

TEST(Remark42, ReadsTreesOfAnyDepth) {
  std::string tree = R"({"comments": [)";
  std::string end = "]}";
  for (int i = 0; i < 300; ++i) {
    absl::StrAppend(&tree, R"({"comment": )", Remark42Comment(absl::StrCat("c", i)),
                    R"(, "replies": [)");
    absl::StrAppend(&end, "]}");
  }
  const ReadItems items =
      ReadExport(ReadRemark42, absl::StrCat(tree, std::string(end.rbegin(), end.rend())));
  EXPECT_THAT(items.comments, SizeIs(300));
}

TEST(Remark42, KeepsWhatCameBeforeADefect) {
  const ReadItems items = ReadExport(
      ReadRemark42, absl::StrCat(Remark42Comment("c1"), Remark42Comment("c2").substr(0, 200)));
  EXPECT_THAT(items.comments, SizeIs(1));
  EXPECT_EQ(items.status.message(), "ends too early");
  const ReadItems no_time =
      ReadExport(ReadRemark42, Remark42Comment("c1", "", R"(, "time": "0001-01-01T00:00:00Z")"));
  EXPECT_THAT(no_time.refused, ElementsAre("comment c1: has no date that can be read"));
}

TEST(Remark42, IsRecognized) {
  EXPECT_TRUE(BeginsLikeRemark42(Remark42Comment("c1")));
  EXPECT_TRUE(BeginsLikeRemark42(absl::StrCat(R"({"version": 1})", Remark42Comment("c1"))));
  EXPECT_TRUE(BeginsLikeRemark42(absl::StrCat("[", Remark42Comment("c1"))));
  EXPECT_TRUE(
      BeginsLikeRemark42(R"({"version":1,"users":[{"id":"a","blocked":{"status":true,"un)"));
  EXPECT_TRUE(
      BeginsLikeRemark42(absl::StrCat(R"({"comments": [{"comment": )", Remark42Comment("c1"))));
  EXPECT_FALSE(BeginsLikeRemark42(R"({"version": 1, "comments": [{"commentHex": "c1"}]})"));
}

constexpr char kIssoSchema[] =
    "CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE, title VARCHAR(256));"
    "CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER,"
    "  created FLOAT NOT NULL, modified FLOAT, mode INTEGER, remote_addr VARCHAR, text VARCHAR,"
    "  author VARCHAR, email VARCHAR, website VARCHAR, likes INTEGER DEFAULT 0,"
    "  dislikes INTEGER DEFAULT 0, voters BLOB);"
    "INSERT INTO threads VALUES (1, '/low/', 'Low water');";

// Returns the bytes of a database that was made by `sql`.
std::string DatabaseOf(absl::string_view sql) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/made-", getpid(), ".db");
  std::filesystem::remove(path);
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* problem = nullptr;
  EXPECT_EQ(sqlite3_exec(database, std::string(sql).c_str(), nullptr, nullptr, &problem), SQLITE_OK)
      << problem;
  sqlite3_free(problem);
  sqlite3_close(database);
  std::ifstream file(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::filesystem::remove(path);
  return content;
}

std::string IssoDatabase(absl::string_view sql) {
  return DatabaseOf(absl::StrCat(kIssoSchema, sql));
}

TEST(Isso, ReadsADatabase) {
  const ReadItems items = ReadExport(ReadIsso, IssoDatabase(R"(
      INSERT INTO comments (id, tid, parent, created, mode, remote_addr, text, author, email) VALUES
        (1, 1, NULL, 1529821183.904646, 1, '192.0.2.7', 'It is *low*.' || char(10) || 'Very.', 'Ada',
         'ada@example.org'),
        (2, 1, 1, 1529821184, 2, '192.0.2.7', '<p>One</p><p>Two</p>', NULL, NULL),
        (3, 1, 1, 1529821185, 4, NULL, '', '', ''),
        (4, 9, NULL, 1529821186, 8, NULL, 'No thread', 'Jo', NULL),
        (5, 1, NULL, 'soon', 1, NULL, 'No time', 'Jo', NULL),
        (6, 1, NULL, 9e300, 1, NULL, 'No time', 'Jo', NULL),
        (7, 1, NULL, 1529821187, 1, NULL, CAST(x'FFFE' AS TEXT), 'Jo', NULL),
        (8, 1, NULL, 1529821188, 1, NULL, '<script>x</script>', 'Jo', NULL);)"));
  ASSERT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(Summaries(items),
              ElementsAre("/low/#1<: VISIBLE Ada: It is low.\nVery.",
                          "/low/#2</low/#1: PENDING : One\n\nTwo",
                          "/low/#3</low/#1: DELETED : ", "#4<: PENDING Jo: No thread"));
  EXPECT_THAT(items.refused,
              ElementsAre("comment /low/#5: has no date that can be read",
                          "comment /low/#6: has no date that can be read",
                          "comment /low/#7: is not UTF-8 text", "comment /low/#8: has no text"));
  EXPECT_EQ(items.comments[0].address, "/low/");
  EXPECT_EQ(items.comments[0].author_key, "");
  EXPECT_EQ(items.comments[0].create_time, absl::FromUnixMicros(1529821183904646));
  EXPECT_EQ(items.comments[3].address, "");
}

TEST(Isso, StopsWhenToldTo) {
  const ReadItems items =
      ReadExport(ReadIsso,
                 IssoDatabase("INSERT INTO comments (tid, created, mode, text) VALUES "
                              "(1, 1, 1, 'One'), (1, 2, 1, 'Two')"),
                 1);
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(items.comments, SizeIs(1));
}

TEST(Isso, RefusesDatabasesOfOthers) {
  EXPECT_THAT(
      std::string(
          ReadExport(ReadIsso, DatabaseOf("CREATE TABLE comments (id INTEGER)")).status.message()),
      HasSubstr("without the tables of Isso"));
  EXPECT_THAT(std::string(ReadExport(ReadIsso, DatabaseOf("CREATE TABLE comments (id INTEGER);"
                                                          "CREATE TABLE threads (id INTEGER)"))
                              .status.message()),
              HasSubstr("no such column"));
}

TEST(Isso, RunsNothingThatADatabaseContains) {
  // An endless view, and an endless default of a column.
  const std::string endless =
      "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n)";
  const ReadItems view = ReadExport(
      ReadIsso, DatabaseOf(absl::StrCat(
                    "CREATE TABLE threads (id INTEGER PRIMARY KEY, uri TEXT);"
                    "CREATE VIEW comments AS SELECT 1 AS id, 1 AS tid, 1 AS parent, 1 AS created, "
                    "1 AS mode, 'x' AS text, '' AS author, '' AS email, ",
                    endless, " AS n")));
  EXPECT_THAT(std::string(view.status.message()), HasSubstr("without the tables of Isso"));
  const ReadItems computed = ReadExport(
      ReadIsso, DatabaseOf("CREATE TABLE threads (id INTEGER PRIMARY KEY, uri TEXT);"
                           "CREATE TABLE comments (id, tid, parent, created, mode, author,"
                           " text AS (length(hex(zeroblob(8000000)))));"
                           "INSERT INTO comments VALUES (1, 1, NULL, 1, 1, 'Ada')"));
  EXPECT_THAT(std::string(computed.status.message()), HasSubstr("without the tables of Isso"));
}

TEST(Isso, TakesNoMoreThanADatabaseCanHold) {
  // The file has the text once, and each row has it.
  const ReadItems items = ReadExport(
      ReadIsso, DatabaseOf(absl::StrCat(
                    "CREATE TABLE threads (id INTEGER PRIMARY KEY, uri TEXT);"
                    "CREATE TABLE comments (id, tid, parent, created, mode, author);"
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) "
                    "INSERT INTO comments SELECT i, 1, NULL, i, 1, 'Ada' FROM n;"
                    "ALTER TABLE comments ADD COLUMN text DEFAULT '",
                    std::string(16'000, 'x'), "'")));
  EXPECT_THAT(std::string(items.status.message()), HasSubstr("than its size allows"));
  EXPECT_GT(items.comments.size(), 10);
  EXPECT_LT(items.comments.size(), 300);
}

TEST(Isso, AsksWhetherToStopWhileItReadsThreads) {
  const ReadItems items = ReadExport(
      ReadIsso,
      IssoDatabase("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n LIMIT 400000) "
                   "INSERT INTO threads (id, uri) SELECT i, '/' || i FROM n"));
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_GT(items.questions, 0);
}

TEST(Isso, SurvivesDefects) {
  const std::string whole = IssoDatabase(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300) "
      "INSERT INTO comments (tid, created, mode, text, author) SELECT 1, i, 1, 'Text ' || i, 'Ada' "
      "FROM n");
  EXPECT_THAT(ReadExport(ReadIsso, whole).comments, SizeIs(300));
  const ReadItems cut = ReadExport(ReadIsso, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(std::string(cut.status.message()), HasSubstr("is not a sound database"));
  for (size_t at = 16; at < whole.size(); at += 331) {
    std::string broken = whole;
    broken.replace(at, 40, 40, '\xFF');
    EXPECT_LE(ReadExport(ReadIsso, broken).comments.size(), 600) << at;
  }
}

TEST(Isso, RefusesADatabaseThatIsInUse) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/used-", getpid(), ".db");
  std::ofstream(path, std::ios::binary) << IssoDatabase("");
  std::ofstream(path + "-wal") << "pages";
  const auto file = ExportFile::Open(path, "");
  ASSERT_TRUE(file.ok());
  ReadItems items(100);
  EXPECT_THAT(std::string(ReadIsso(**file, items).message()), HasSubstr("is in use"));
  std::filesystem::remove(path);
  std::filesystem::remove(path + "-wal");
}

TEST(Isso, ReadsItsFormatForImports) {
  const ReadItems items = ReadExport(ReadIsso, R"([
      {"comments": [{"id": 0, "author": "Ada", "email": "", "created": "2005-02-24 04:03:37",
                     "remote_addr": "0.0.0.0", "text": "It is *low*."},
                    {"id": 1, "parent": 0, "created": "2005-02-24 04:03:38", "text": "Yes"}],
       "id": "/low/", "title": "Low+water"},
      {"id": "/high/", "comments": [{"id": 0, "created": "2005-02-24 04:03:37", "text": "No"}]}])");
  ASSERT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(Summaries(items),
              ElementsAre("/low/#0<: VISIBLE Ada: It is low.", "/low/#1</low/#0: VISIBLE : Yes",
                          "/high/#0<: VISIBLE : No"));
  EXPECT_EQ(items.comments[0].address, "/low/");
  EXPECT_EQ(items.comments[0].create_time, absl::FromUnixSeconds(1109217817));
}

TEST(Isso, IsRecognized) {
  EXPECT_TRUE(BeginsLikeIsso(IssoDatabase("")));
  EXPECT_TRUE(BeginsLikeIsso(R"([{"id": "/low/", "comments": [{"text": "x)"));
  EXPECT_FALSE(BeginsLikeIsso(R"([{"id": "/low/"}])"));
}

}  // namespace
}  // namespace content::transfer
