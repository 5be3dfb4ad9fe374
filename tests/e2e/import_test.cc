// `contentd import` as a user runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "content/v1/admin_service.pb.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPage[] =
    "By Ana Lima\n"
    "Thursday, June 12, 2025\n"
    "This is the first paragraph of the page and it\n"
    "is wrapped by whoever saved it as text, so that the lines are about this long.\n"
    "It ends here.\n"
    "The second paragraph begins on a line of its\n"
    "own and there is nothing between the two but the end of a line and a sentence.\n"
    "***\n"
    "The second section has one paragraph only.\n"
    "No comments:\n"
    "Post a Comment\n";

constexpr char kMarkdown[] = "---\ntitle: A Note\nauthor: Bo\ndate: 2025-01-02\n---\n\nText.\n";

class ImportTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& content) const {
    const std::string path = ScratchDirectory() + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  Finished Import(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"import", "--database-url", url_});
    return RunContentd(arguments);
  }

  std::string Titles() const {
    return Query(url_, "SELECT string_agg(title, ', ' ORDER BY title) FROM article");
  }

  const std::string url_ = NewDatabase();
};

TEST_F(ImportTest, TheAuditTrailNamesTheUser) {
  const std::string note = Write("note.md", kMarkdown);
  EXPECT_EQ(Import({note}).status, 0);
  EXPECT_EQ(Import({note}).status, 0);
  EXPECT_EQ(Query(url_,
                  "SELECT string_agg(caller || ' ' || name || ' ' || action, ' ') "
                  "FROM audit_event"),
            absl::StrCat("os:", getpwuid(getuid())->pw_name, " a-note ",
                         static_cast<int>(v1::AUDIT_ACTION_IMPORT_ARTICLE)));
}

TEST_F(ImportTest, PutsATextPageInOnce) {
  const std::string page = Write("page.txt", kPage);
  const Finished first = Import({page, "--title", "A Page"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, StartsWith("created   articles/a-page  2 sections, 3 paragraphs, "));
  EXPECT_EQ(first.err, "importing into the database that --database-url names\n");
  const Finished again = Import({page, "--title", "A Page"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.out, StartsWith("unchanged articles/a-page"));
  EXPECT_EQ(Query(url_, "SELECT revision FROM article_state"), "1");
}

TEST_F(ImportTest, ATextPageNeedsATitle) {
  const std::string page = Write("page.txt", kPage);
  const Finished finished = Import({page});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("contentd: " + page + ": a page saved as text does not "));
  EXPECT_THAT(finished.err, HasSubstr("--title"));
}

TEST_F(ImportTest, ABadFileDoesNotKeepTheOthersOut) {
  const std::string bad = Write("bad.md", "no front matter\n");
  const std::string absent = ScratchDirectory() + "/absent.md";
  const Finished finished = Import({bad, absent, ScratchDirectory(), Write("note.md", kMarkdown)});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr(bad + ": "));
  EXPECT_THAT(finished.err, HasSubstr(absent + ": cannot be read: No such file or directory\n"));
  EXPECT_THAT(finished.err, HasSubstr(ScratchDirectory() + ": cannot be read: Is a directory\n"));
  EXPECT_EQ(Titles(), "A Note");
}

TEST_F(ImportTest, ReplacesOnlyWhatIsNamed) {
  ASSERT_EQ(Import({Write("note.md", kMarkdown)}).status, 0);
  const std::string edited = Write("note.md", std::string(kMarkdown) + "\nMore.\n");
  const Finished refused = Import({edited});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("--id"));
  const Finished replaced = Import({edited, "--id", "a-note"});
  EXPECT_EQ(replaced.status, 0);
  EXPECT_THAT(replaced.out, StartsWith("replaced  articles/a-note"));
}

TEST_F(ImportTest, ADryRunNeedsNoDatabase) {
  const Finished finished = RunContentd(
      {"import", "--dry-run", "--database-url", "host=/nowhere", Write("n.md", kMarkdown)});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, StartsWith("valid     articles/a-note"));
}

TEST_F(ImportTest, TheFormatCanBeGiven) {
  const Finished finished = Import({"--format", "markdown", Write("note", kMarkdown)});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(Titles(), "A Note");
}

TEST_F(ImportTest, ADatabaseWithoutTheSchemaIsRefused) {
  const Finished finished = RunContentd(
      {"import", Write("note.md", kMarkdown), "--database-url", NewDatabase(/*migrated=*/false)});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("contentd migrate"));
}

TEST_F(ImportTest, CountsOneThingInTheSingular) {
  const Finished finished = Import({Write("one.md", "---\ntitle: One\n---\nWord.\n")});
  EXPECT_THAT(finished.out, StartsWith("created   articles/one  1 section, 1 paragraph, 1 word  "));
}

TEST_F(ImportTest, NamesTheKeysThatItIgnores) {
  const std::string file =
      Write("more.md", "---\ntitle: More\nsubtitle: Less\nlayout: post\n---\nText.\n");
  EXPECT_THAT(Import({file}).out, EndsWith("from " + file + " (ignored: subtitle, layout)\n"));
  EXPECT_THAT(Import({file, "--dry-run"}).out, EndsWith(" (ignored: subtitle, layout)\n"));
}

TEST_F(ImportTest, NamesEveryFaultOfEveryFile) {
  const std::string one = Write("one.md", "---\ntitle: \"One\n---\nText.\n");
  const std::string two = Write("two.md", "---\ndate: soon\ntags: [a, a]\n---\nText.\n");
  const Finished finished = Import({one, two});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr("contentd: " + one + ": line 2: a quoted text is not closed\n"),
                    HasSubstr("contentd: " + two + ": line 2: \"soon\" is not a date"),
                    HasSubstr("contentd: " + two + ": line 3: tags[1] is a duplicate\n"),
                    HasSubstr("contentd: " + two + ": there is no title")));
}

TEST(ImportIntoAnEmbeddedDatabase, UsesTheServersOneAndStartsItIfNoServerRuns) {
  const std::string data_dir = ScratchDirectory() + "/shared";
  std::filesystem::remove_all(data_dir);  // of another run of this test
  const std::string note = ScratchDirectory() + "/note.md";
  std::ofstream(note) << kMarkdown;
  ContentdServer server({"--data-dir", data_dir});
  const Finished beside = RunContentd({"import", note, "--data-dir", data_dir});
  EXPECT_EQ(beside.status, 0) << beside.err;
  EXPECT_THAT(beside.out, StartsWith("created"));
  EXPECT_EQ(beside.err, "importing into the embedded database in " + data_dir +
                            ", which a running server uses\n");
  Client client(server.address());
  v1::GetArticleRequest request;
  request.set_name("articles/a-note");
  v1::GetArticleResponse response;
  ASSERT_TRUE(
      Client::Call(&v1::ContentService::Stub::GetArticle, client.content(), request, response)
          .ok());
  EXPECT_EQ(response.article().authors(0).display_name(), "Bo");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
  const Finished alone = RunContentd({"import", note}, {"CONTENT_DATA_DIR=" + data_dir});
  EXPECT_EQ(alone.status, 0) << alone.err;
  EXPECT_THAT(alone.out, StartsWith("unchanged"));
  EXPECT_EQ(alone.err,
            "importing into the embedded database in " + data_dir + ", which no server uses now\n");
}

TEST(OneShotCommands, NeverCreateADatabase) {
  const std::string note = ScratchDirectory() + "/note.md";
  std::ofstream(note) << kMarkdown;
  const std::string absent = ScratchDirectory() + "/absent/data";
  const std::string empty = ScratchDirectory() + "/empty";
  std::filesystem::create_directory(empty);
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"import", note}, {"migrate"}}) {
    const auto run = [&command](const std::string& data_dir) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), {"--data-dir", data_dir});
      return RunContentd(arguments);
    };
    const Finished without_directory = run(absent);
    EXPECT_EQ(without_directory.status, 1);
    EXPECT_THAT(without_directory.err,
                StartsWith("contentd: the data directory " + absent + " does not exist; give "));
    EXPECT_FALSE(std::filesystem::exists(ScratchDirectory() + "/absent"));
    const Finished without_database = run(empty);
    EXPECT_EQ(without_database.status, 1);
    EXPECT_THAT(without_database.err, StartsWith("contentd: there is no database in " + empty));
    EXPECT_TRUE(std::filesystem::is_empty(empty));
    EXPECT_THAT(run(note).err, StartsWith("contentd: there is no database in " + note));
  }
}

TEST(OneShotCommands, RefuseTwoAnswersToWhichDatabase) {
  const Finished finished = RunContentd({"import", "x.md", "--data-dir", ScratchDirectory() + "/d"},
                                        {"CONTENT_DATABASE_URL=host=/nowhere"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, StartsWith("contentd: CONTENT_DATABASE_URL and --data-dir name two "));
}

TEST(UnknownVariables, AreWarnedAboutOnceByEveryCommand) {
  const std::string url = NewDatabase();
  const std::vector<std::string> environment = {"CONTENT_LOG_LEVL=debug", "CONTENT_PORT=1"};
  const std::string note = ScratchDirectory() + "/note.md";
  std::ofstream(note) << kMarkdown;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"migrate", "--database-url", url},
        std::vector<std::string>{"import", note, "--database-url", url}}) {
    const Finished finished = RunContentd(arguments, environment);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.err, AllOf(HasSubstr(R"("event":"unknown variable")"),
                                    HasSubstr(R"("variable":"CONTENT_LOG_LEVL")"),
                                    HasSubstr(R"("did_you_mean":"CONTENT_LOG_LEVEL")")));
    EXPECT_EQ(finished.err.find("unknown"), finished.err.rfind("unknown"));
  }
  // The warning comes first.
  const Finished serve =
      RunContentd({"serve", "--database-url", NewDatabase(/*migrated=*/false)}, environment);
  EXPECT_THAT(serve.err, HasSubstr(R"("did_you_mean":"CONTENT_LOG_LEVEL")"));
}

}  // namespace
}  // namespace content::testing
