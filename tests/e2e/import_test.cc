// `contentd import` as a user runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

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

TEST_F(ImportTest, PutsATextPageInOnce) {
  const std::string page = Write("page.txt", kPage);
  const Finished first = Import({page, "--title", "A Page"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, StartsWith("created   articles/a-page  2 sections, 3 paragraphs"));
  const Finished again = Import({page, "--title", "A Page"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.out, StartsWith("unchanged articles/a-page"));
  EXPECT_EQ(Query(url_, "SELECT revision FROM article_state"), "1");
}

TEST_F(ImportTest, ATextPageNeedsATitle) {
  const std::string page = Write("page.txt", kPage);
  const Finished finished = Import({page});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, StartsWith("contentd: " + page + ": "));
  EXPECT_THAT(finished.err, HasSubstr("--title"));
}

TEST_F(ImportTest, ABadFileDoesNotKeepTheOthersOut) {
  const std::string bad = Write("bad.md", "no front matter\n");
  const std::string absent = ScratchDirectory() + "/absent.md";
  const Finished finished = Import({bad, absent, ScratchDirectory(), Write("note.md", kMarkdown)});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr(bad + ": "));
  EXPECT_THAT(finished.err, HasSubstr(absent + ": cannot be read"));
  EXPECT_THAT(finished.err, HasSubstr(ScratchDirectory() + ": cannot be read"));
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

TEST(ImportBesideAServer, UsesTheServersDatabase) {
  const std::string data_dir = ScratchDirectory() + "/shared";
  const std::string note = ScratchDirectory() + "/note.md";
  std::ofstream(note) << kMarkdown;
  // First without a server: it starts the database by itself, and stops it again.
  const Finished alone = RunContentd({"import", note, "--data-dir", data_dir});
  EXPECT_EQ(alone.status, 0) << alone.err;
  EXPECT_THAT(alone.out, StartsWith("created"));
  ContentdServer server({"--data-dir", data_dir});
  const Finished beside = RunContentd({"import", note, "--data-dir", data_dir});
  EXPECT_EQ(beside.status, 0) << beside.err;
  EXPECT_THAT(beside.out, StartsWith("unchanged"));
  Client client(server.address());
  v1::GetArticleRequest request;
  request.set_name("articles/a-note");
  v1::GetArticleResponse response;
  ASSERT_TRUE(
      Client::Call(&v1::ContentService::Stub::GetArticle, client.content(), request, response)
          .ok());
  EXPECT_EQ(response.article().authors(0).display_name(), "Bo");
}

}  // namespace
}  // namespace content::testing
