// Imports without a database: which files are found, and what becomes of their ids.

#include "transfer/importer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "transfer/exports/formats.h"
#include "transfer/report.h"

namespace content::transfer {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kNote[] = "---\ntitle: A note\n---\nText.\n";

// While it exists, root may read no more than others.
class Unprivileged {
 public:
  Unprivileged() : user_(geteuid()) { EXPECT_EQ(seteuid(user_ == 0 ? kNobody : user_), 0); }
  ~Unprivileged() { EXPECT_EQ(seteuid(user_), 0); }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  const uid_t user_;
};

std::string WordPressPost(const std::string& id, const std::string& text) {
  return absl::StrCat("<item><title>Links</title><link>https://harbour.example/", id,
                      "/links/</link><content:encoded>", text, "</content:encoded><wp:post_id>", id,
                      "</wp:post_id><wp:post_date_gmt>2020-05-01 10:00:00</wp:post_date_gmt>"
                      "<wp:post_name>links</wp:post_name><wp:status>publish</wp:status>"
                      "<wp:post_type>post</wp:post_type></item>");
}

std::string WordPress(const std::string& posts) {
  return absl::StrCat(
      "<rss version=\"2.0\" xmlns:content=\""
      "http://purl.org/rss/1.0/modules/content/\" "
      "xmlns:wp=\"http://wordpress.org/export/1.2/\"><channel>"
      "<link>https://harbour.example</link>",
      posts, "</channel></rss>");
}

std::string Remark42(const std::string& page) {
  return absl::StrCat(R"({"id":"a","text":"Text.","user":{"name":"Bo","id":"github_1"},)",
                      R"("time":"2020-05-02T10:00:00Z","locator":{"site":"s","url":")", page,
                      "\"}}\n");
}

class DryRunTest : public ::testing::Test {
 protected:
  DryRunTest() : root_(fs::path(::testing::TempDir()) / absl::StrCat("content-import-", getpid())) {
    fs::create_directories(root_);
  }
  ~DryRunTest() override {
    std::error_code error;
    fs::permissions(root_ / "closed", fs::perms::owner_all, error);
    fs::remove_all(root_);
  }
  DryRunTest(const DryRunTest&) = delete;
  DryRunTest& operator=(const DryRunTest&) = delete;

  std::string Write(const std::string& name, const std::string& content = kNote) const {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }

  // Returns a line for each item: its outcome, its path below the root, and its name or problems.
  std::string Import(ImportOptions options) {
    std::ostringstream results;
    messages_.str("");
    std::ostringstream lines;
    Report report({.results = results, .messages = messages_, .lines = &lines});
    Importer(std::move(options), /*publishing=*/nullptr, report).Run();
    status_ = report.ExitStatus();
    return absl::StrReplaceAll(
        lines.str(), {{absl::StrCat(root_.string(), "/"), ""}, {R"({"path":)", ""}, {"}\n", "\n"}});
  }

  std::string ImportPath(const std::string& path) { return Import({.paths = {path}}); }

  const fs::path root_;
  std::ostringstream messages_;
  int status_ = -1;
};

TEST_F(DryRunTest, TakesFoldersInAStableOrder) {
  Write("b.md");
  Write("a/z.md");
  Write("a/y.markdown");
  Write("B.md");
  const std::string lines = ImportPath(root_.string());
  const std::vector<std::string> wanted = {"\"B.md\"", "\"a/y.markdown\"", "\"a/z.md\"",
                                           "\"b.md\""};
  size_t at = 0;
  for (const std::string& path : wanted) {
    const size_t found = lines.find(path);
    ASSERT_NE(found, std::string::npos) << path << " in " << lines;
    EXPECT_GE(found, at);
    at = found;
  }
  EXPECT_EQ(status_, 0);
}

TEST_F(DryRunTest, LeavesOutWhatIsNoArticleAndSaysSo) {
  Write(".git/config");
  Write(".hidden.md");
  Write("logo.png", std::string("\x89PNG\0\0", 6));
  Write("style.css", "body {}");
  Write("note.md");
  Write("plain", kNote);
  fs::create_symlink(root_ / "absent", root_ / "gone.md");
  fs::create_directory_symlink(root_, root_ / "loop");
  const std::string lines = ImportPath(root_.string());
  EXPECT_THAT(lines, HasSubstr(R"(".git","outcome":"left out","reason":"hidden")"));
  EXPECT_THAT(lines, HasSubstr(R"(".hidden.md","outcome":"left out","reason":"hidden")"));
  EXPECT_THAT(lines, HasSubstr(R"("logo.png","outcome":"left out","reason":"no text")"));
  EXPECT_THAT(lines,
              HasSubstr(R"("style.css","outcome":"left out","reason":"of no known format")"));
  EXPECT_THAT(lines, HasSubstr(R"("gone.md","outcome":"left out","reason":"a link to nothing")"));
  EXPECT_THAT(lines, HasSubstr(R"("loop","outcome":"left out","reason":"a link to a folder")"));
  EXPECT_THAT(lines, HasSubstr(R"("note.md","outcome":"valid","name":"articles/note")"));
  EXPECT_THAT(lines, HasSubstr(R"("plain","outcome":"valid","name":"articles/plain")"));
  EXPECT_EQ(status_, 0);
}

// Where the writer logged in, and what the writer read, is nobody's business.
TEST_F(DryRunTest, LeavesOutAllButThePostsOfMediumsArchive) {
  const std::string page = "<title>Sessions</title><h1>Sessions</h1><p>IP 192.0.2.4</p>";
  for (const char* name :
       {"export/README.html", "export/posts/a.html", "export/interests/tags.html",
        "export/profile/about.html", "one/sessions-0001.html", "site/lists-2001.html",
        "site/profile/b.html", "site/posts/c.html"}) {
    Write(name, page);
  }
  const std::string lines = ImportPath(root_.string());
  for (const char* name : {"export/README.html", "export/interests/tags.html",
                           "export/profile/about.html", "one/sessions-0001.html"}) {
    EXPECT_THAT(lines, HasSubstr(absl::StrCat("\"", name, R"(","outcome":"left out")")));
  }
  for (const char* name : {"export/posts/a.html", "site/lists-2001.html", "site/profile/b.html",
                           "site/posts/c.html"}) {
    EXPECT_THAT(lines, HasSubstr(absl::StrCat("\"", name, R"(","outcome":"valid")")));
  }
  EXPECT_THAT(ImportPath((root_ / "export/interests/tags.html").string()), HasSubstr("left out"));
}

TEST_F(DryRunTest, SaysThatAFileIsCompressed) {
  const std::string gzip = Write("disqus.xml.gz", "\x1F\x8B\x08 and more");
  const std::string zip = Write("posts.zip", "PK\x03\x04 and more");
  EXPECT_THAT(ImportPath(gzip), HasSubstr("gunzip -c FILE | contentd import -"));
  EXPECT_THAT(ImportPath(zip), HasSubstr("is compressed, as a ZIP archive; unpack it first"));
  EXPECT_THAT(Import({.paths = {gzip}, .format = &ExportFormats().front()}),
              HasSubstr("unpack it"));
  EXPECT_THAT(ImportPath(root_.string()),
              HasSubstr(R"("posts.zip","outcome":"left out","reason":"compressed")"));
}

// Posts of Substack's archive say neither their titles nor whether they are public.
TEST_F(DryRunTest, ReadsTheListOfSubstacksPosts) {
  Write("posts.csv",
        "post_id,post_date,is_published,email_sent_at,type,audience,title,subtitle,podcast_url\r\n"
        "1.low-water,2019-07-26T20:48:19.814Z,TRUE,,newsletter,everyone,\"Low, \"\"very\"\"\nlow\","
        "It&#x2019;s out,\r\n"
        "2.plan,2019-07-26T20:48:19.814Z,FALSE,,newsletter,everyone,Plan,,\r\n"
        "3.paid,2019-07-26T20:48:19.814Z,true,,newsletter,only_paid,Paid,,\r\n");
  for (const char* name : {"1.low-water", "2.plan", "3.paid", "4.unlisted"}) {
    Write(absl::StrCat("posts/", name, ".html"), "<p>Text.</p>");
  }
  Write("posts/page.html", "<title>A page</title><p>Text.</p>");
  const std::string lines = Import({.paths = {root_.string()}, .overrides = {.author = "Ada"}});
  EXPECT_THAT(lines,
              HasSubstr(R"("posts.csv","outcome":"left out","reason":"read with its posts")"));
  EXPECT_THAT(lines, HasSubstr(R"("posts/1.low-water.html","outcome":"valid",)"
                               R"("name":"articles/low-water","title":"Low, \"very\" low")"));
  for (const char* draft :
       {R"(2.plan.html","outcome":"draft")", R"(3.paid.html","outcome":"draft")",
        R"(4.unlisted.html","outcome":"draft")"}) {
    EXPECT_THAT(lines, HasSubstr(draft));
  }
  EXPECT_THAT(lines, HasSubstr(R"("posts/page.html","outcome":"valid")"));
  EXPECT_THAT(ImportPath((root_ / "posts/2.plan.html").string()),
              HasSubstr("is_published is FALSE"));
}

// Nothing else tells whether a post is public.
TEST_F(DryRunTest, PostsOfAListThatCannotBeReadAreDrafts) {
  const std::string list =
      "post_id,post_date,is_published,audience,title\r\n"
      "1.low,2019-07-26T20:48:19.814Z,true,everyone,Low\r\n"
      "2.secret,2019-07-26T20:48:19.814Z,false,everyone,Secret\r\n";
  const auto import = [&](const std::string& posts_csv) {
    Write("posts.csv", posts_csv);
    for (const char* post : {"posts/1.low.html", "posts/2.secret.html"}) {
      Write(post, "<h1>A title</h1><p>Text.</p>");
    }
    return ImportPath(root_.string());
  };
  for (const std::string& unread :
       {absl::StrCat(list, "3.x,,true,everyone,Caf\xE9\r\n"),
        absl::StrReplaceAll(list, {{",", ";"}}), std::string("\xFF\xFEx"), std::string()}) {
    const std::string lines = import(unread);
    for (const char* post : {"1.low", "2.secret"}) {
      EXPECT_THAT(lines, HasSubstr(absl::StrCat(post, R"(.html","outcome":"draft")"))) << unread;
    }
    EXPECT_THAT(lines,
                HasSubstr(R"("posts.csv","outcome":"left out","reason":"of no known format")"));
  }
  std::string wide = "\xFF\xFE";
  for (const char c : list) wide.append({c, '\0'});
  const std::string lines = import(wide);
  EXPECT_THAT(lines, HasSubstr(R"(1.low.html","outcome":"valid")"));
  EXPECT_THAT(lines, HasSubstr(R"(2.secret.html","outcome":"draft")"));
  EXPECT_THAT(lines, HasSubstr(R"("reason":"read with its posts")"));
}

TEST_F(DryRunTest, ADraftInUtf16IsOne) {
  std::string draft = "\xFF\xFE";
  for (const char c : absl::string_view("---\ntitle: T\ndraft: true\n---\nText.\n")) {
    draft.append({c, '\0'});
  }
  for (const char* name : {"a.txt", "a"}) {
    Write(name, draft);
    EXPECT_THAT(Import({.paths = {root_.string()},
                        .overrides = {.title = "T", .author = "A", .date = "2020-01-01"}}),
                HasSubstr(absl::StrCat("\"", name, R"(","outcome":"draft")")));
  }
}

TEST_F(DryRunTest, ImportsAFileOnceWhateverItsNamesAre) {
  const std::string file = Write("folder/note.md");
  fs::create_symlink(file, root_ / "folder/a-link.md");
  fs::create_symlink("a-link.md", root_ / "folder/a-link-to-a-link.md");
  fs::create_hard_link(file, root_ / "folder/other.md");
  fs::create_symlink(Write("elsewhere.md"), root_ / "folder/b-link.md");
  const std::string folder = (root_ / "folder").string();
  const std::string lines = Import({.paths = {folder, folder + "/../folder", file}});
  EXPECT_THAT(lines, HasSubstr(R"("folder/note.md","outcome":"valid","name":"articles/note")"));
  EXPECT_THAT(lines, HasSubstr(R"("folder/b-link.md","outcome":"valid","name":"articles/b-link")"));
  constexpr char kAgain[] = R"("outcome":"left out","reason":"the same file again")";
  for (const char* name : {"a-link", "a-link-to-a-link", "other", "../folder/note"}) {
    EXPECT_THAT(lines, HasSubstr(absl::StrCat("folder/", name, ".md\",", kAgain))) << name;
  }
  EXPECT_THAT(lines, HasSubstr(absl::StrCat("\"folder/note.md\",", kAgain)));
  EXPECT_EQ(status_, 0);
}

TEST_F(DryRunTest, TheFirstFileOfTwoGetsTheId) {
  const std::string slug = "---\ntitle: A note\nslug: one\n---\nText.\n";
  const std::string first = Write("first.md", slug);
  const std::string lines = Import({.paths = {first, Write("second.md", slug)}});
  EXPECT_THAT(lines, HasSubstr(R"("first.md","outcome":"valid","name":"articles/one")"));
  EXPECT_THAT(lines,
              HasSubstr(absl::StrCat(R"("second.md","outcome":"refused",)",
                                     R"("reason":"id taken in this run",)",
                                     R"("problems":["articles/one is already that of first.md")")));
  EXPECT_THAT(messages_.str(), HasSubstr(absl::StrCat("articles/one is already that of ", first)));
  EXPECT_EQ(status_, 1);
}

TEST_F(DryRunTest, AnIdMadeOfAFilesNameGivesWayToTheFirst) {
  Write("2014-05-06-weekly.md");
  Write("2014-05-13-weekly.md");
  Write("page/title.md");
  Write("site/title.md");
  const std::string lines = ImportPath(root_.string());
  EXPECT_THAT(lines,
              HasSubstr(R"("2014-05-06-weekly.md","outcome":"valid","name":"articles/weekly")"));
  EXPECT_THAT(lines, HasSubstr(R"("name":"articles/2014-05-13-weekly")"));
  EXPECT_THAT(lines, HasSubstr(R"("page/title.md","outcome":"valid","name":"articles/title")"));
  EXPECT_THAT(lines,
              HasSubstr(R"("site/title.md","outcome":"valid","name":"articles/site-title")"));
  EXPECT_EQ(status_, 0);
}

TEST_F(DryRunTest, NamesWhatCannotBeRead) {
  EXPECT_THAT(ImportPath((root_ / "absent.md").string()),
              HasSubstr(R"("problems":["cannot be read: No such file or directory"])"));
  EXPECT_EQ(status_, 2);
}

TEST_F(DryRunTest, RefusesAFolderThatCannotBeRead) {
  Write("closed/note.md");
  fs::permissions(root_ / "closed", fs::perms::none);
  const Unprivileged unprivileged;
  EXPECT_THAT(ImportPath(root_.string()),
              HasSubstr(R"("closed","outcome":"refused","reason":"cannot be read",)"
                        R"("problems":["cannot be read: Permission denied"])"));
  EXPECT_EQ(status_, 2);
}

// Without the right to search a folder, its names can be read, but not what they are.
TEST_F(DryRunTest, RefusesWhatCannotBeExamined) {
  Write("closed/note.md");
  Write("closed/folder/note.md");
  Write("open.md");
  fs::permissions(root_ / "closed",
                  fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  const Unprivileged unprivileged;
  const std::string lines = ImportPath(root_.string());
  for (const char* path : {"closed/note.md", "closed/folder"}) {
    EXPECT_THAT(lines, HasSubstr(absl::StrCat(
                           "\"", path, R"(","outcome":"refused","reason":"cannot be read",)",
                           R"("problems":["cannot be read: Permission denied"])")));
  }
  EXPECT_EQ(status_, 1);
}

TEST_F(DryRunTest, TheReportIsNoArticle) {
  Write("note.md");
  const std::string report = Write("report.txt", "");
  const std::string lines = Import({.paths = {root_.string(), report}, .report_file = report});
  EXPECT_THAT(lines, HasSubstr(R"("report.txt","outcome":"left out",)"
                               R"("reason":"the report of this import")"));
  EXPECT_THAT(lines, Not(HasSubstr("refused")));
}

TEST_F(DryRunTest, LinesOfJsonAreNoFrontMatter) {
  const std::string lines_of_json = "{\"path\":\"a.md\"}\n{\"path\":\"b.md\"}\n";
  Write("old.jsonl", lines_of_json);
  Write("old.ndjson", lines_of_json);
  Write("old", lines_of_json);
  Write("one", "{\"path\":\"a.md\"}\n");
  Write("long", absl::StrCat("{\"body\":\"", std::string(10'000, 'x'), "\"}\n"));
  Write("article", "{\"title\": \"A page\"}\n\nText.\n");
  Write("lines", "{\n  \"title\": \"A page\"\n}\nText.\n");
  const std::string lines = ImportPath(root_.string());
  for (const char* name : {"old.jsonl", "old.ndjson", "old", "one", "long"}) {
    EXPECT_THAT(lines, HasSubstr(absl::StrCat(
                           "\"", name, R"(","outcome":"left out","reason":"of no known format")")));
  }
  EXPECT_THAT(lines, HasSubstr(R"("article","outcome":"valid")"));
  EXPECT_THAT(lines, HasSubstr(R"("lines","outcome":"valid")"));
}

TEST_F(DryRunTest, FoldersAboveThePathSayNothing) {
  Write("_drafts/fr/2019/03/04/blog/note.md", "---\ntitle: A note\nlang: fr\n---\nText.\n");
  Write("_drafts/fr/2019/03/04/blog/page/index.md");
  const fs::path blog = root_ / "_drafts/fr/2019/03/04/blog";
  for (const fs::path& path : {blog, blog / "note.md"}) {
    EXPECT_THAT(ImportPath(path.string()), HasSubstr(R"("valid","name":"articles/note")")) << path;
  }
  // An article's own folder names it.
  for (const char* path : {"", "page", "page/", "page/index.md"}) {
    EXPECT_THAT(ImportPath((blog / path).string()), HasSubstr(R"("name":"articles/page")")) << path;
  }
}

TEST_F(DryRunTest, TheFolderThatIsGivenSaysWhatItSays) {
  Write("blog/_drafts/note.md");
  for (const char* path : {"blog", "blog/_drafts", "blog/_drafts/", "blog/_drafts/note.md"}) {
    EXPECT_THAT(ImportPath((root_ / path).string()), HasSubstr("draft")) << path;
  }
}

TEST_F(DryRunTest, AFormatThatIsGivenIsThatOfAllFiles) {
  Write("note.rst");
  EXPECT_THAT(ImportPath(root_.string()), HasSubstr("valid"));  // it begins with front matter
  const std::string file = Write("note.rst", "# A heading\n\nText.\n");
  EXPECT_THAT(ImportPath(file), HasSubstr("is not known; give it with --format"));
  EXPECT_THAT(ImportPath(root_.string()), HasSubstr("left out"));
  EXPECT_THAT(Import({.paths = {root_.string()}, .format = Format::kMarkdown}),
              HasSubstr(R"("title":"A heading")"));
}

TEST_F(DryRunTest, WhatIsCompleteHasNotStopped) {
  const std::string file = Write("a.md");
  std::ostringstream results;
  Report report({.results = results, .messages = messages_});
  int asked = 0;
  // The user interrupts it once the last file has been dealt with.
  Importer importer({.paths = {file}, .is_stopped = [&] { return ++asked > 2; }}, nullptr, report);
  EXPECT_TRUE(importer.Run());
  EXPECT_EQ(messages_.str(), "");
}

TEST_F(DryRunTest, TakesAnExportOfThisServiceWithReplies) {
  constexpr char kComments[] = "articles/a/comments/0197653c-1af0-7000-8000-00000000000";
  const auto comment = [&](int id, const std::string& reply_to) {
    return absl::StrCat(R"({"comment":{"name":")", kComments, id, R"(","replyTo":")", reply_to,
                        R"(","author":{"id":"u","displayName":"U"},"body":"Text.",)",
                        R"("state":"COMMENT_STATE_VISIBLE","createTime":"2025-06-12T08:30:00Z"}})",
                        "\n");
  };
  const std::string lines = ImportPath(
      Write("export.ndjson",
            absl::StrCat(
                "{\"format\":\"contentd-export\",\"version\":1}\n",
                R"({"key":"17","article":{"name":"articles/a","title":"A","body":"Text.",)",
                R"("publishTime":"2025-06-12T08:30:00Z","commentPolicy":"COMMENT_POLICY_OPEN"}})",
                "\n", comment(1, ""), comment(2, absl::StrCat(kComments, 1)),
                "{\"articles\":\"1\",\"comments\":\"2\"}\n")));
  EXPECT_EQ(status_, 0) << lines;
  EXPECT_THAT(lines, Not(HasSubstr("refused")));
}

// As when somebody exports a blog every month.
TEST_F(DryRunTest, TheSameItemOfTwoExportsIsOneArticle) {
  const auto write = [this](const std::string& name, const std::string& posts) {
    Write(name, WordPress(posts));
  };
  write("1.xml", WordPressPost("1", "One."));
  write("2.xml", absl::StrCat(WordPressPost("2", "Two."), WordPressPost("1", "One.")));
  write("3.xml", absl::StrCat(WordPressPost("2", "Two, edited."), WordPressPost("1", "One.")));
  const std::string lines = ImportPath(root_.string());
  EXPECT_THAT(lines,
              HasSubstr(R"("1.xml","outcome":"valid","item":"post 1","name":"articles/links")"));
  EXPECT_THAT(lines,
              HasSubstr(R"("2.xml","outcome":"valid","item":"post 2","name":"articles/links-2")"));
  for (const char* file : {"2.xml", "3.xml"}) {
    EXPECT_THAT(lines, HasSubstr(absl::StrCat(
                           "\"", file,
                           R"(","outcome":"unchanged","item":"post 1","name":"articles/links")")));
  }
  EXPECT_THAT(
      lines,
      HasSubstr(R"("3.xml","outcome":"conflict","item":"post 2","name":"articles/links-2")"));
  EXPECT_THAT(messages_.str(), HasSubstr("2.xml: post 2, with other content\n"));
  EXPECT_EQ(status_, 1);
}

TEST_F(DryRunTest, CommentsFindAnItemOfTwoExportsByItsPath) {
  const std::string comments = Write("comments.json", Remark42("/1/links/"));
  for (const char* text_of_first : {"One.", ""}) {  // without a text, the first is refused
    const std::string first = Write("1.xml", WordPress(WordPressPost("1", text_of_first)));
    const std::string second = Write("2.xml", WordPress(WordPressPost("1", "One.")));
    EXPECT_THAT(Import({.paths = {first, second, comments}}),
                HasSubstr(R"("comments.json","outcome":"valid")"));
  }
}

TEST_F(DryRunTest, AnArticleOfThisServiceIsTheSameWithAnotherTitle) {
  const auto write = [this](const std::string& name, const std::string& title) {
    return Write(name,
                 absl::StrCat("{\"format\":\"contentd-export\",\"version\":1}\n",
                              R"({"key":"17","article":{"name":"articles/a","title":")", title,
                              R"(","body":"Text.","publishTime":)", R"("2025-06-12T08:30:00Z",)",
                              R"("commentPolicy":"COMMENT_POLICY_OPEN"}})",
                              "\n{\"articles\":\"1\",\"comments\":\"0\"}\n"));
  };
  EXPECT_THAT(Import({.paths = {write("1.ndjson", "A"), write("2.ndjson", "Edited")}}),
              HasSubstr(R"("2.ndjson","outcome":"conflict","item":"articles/a")"));
}

TEST_F(DryRunTest, AKeyMayBeANumberOfAnyLength) {
  const std::string number(70, '7');
  EXPECT_THAT(ImportPath(Write("1.xml", WordPress(absl::StrCat(WordPressPost("1", "One."),
                                                               WordPressPost(number, "Two."))))),
              HasSubstr(absl::StrCat(R"("outcome":"refused","item":"post )", number, "\"")));
}

TEST_F(DryRunTest, StopsWhenItIsTold) {
  Write("a.md");
  Write("b.md");
  int asked = 0;
  const std::string lines =
      Import({.paths = {root_.string()}, .is_stopped = [&] { return ++asked > 3; }});
  EXPECT_THAT(lines, HasSubstr("a.md"));
  EXPECT_THAT(lines, Not(HasSubstr("b.md")));
  EXPECT_THAT(messages_.str(), HasSubstr("Run the same command again to go on"));
}

TEST(FormerNames, AreIdsThatTheArticleDoesNotHaveItself) {
  const auto parsed = Parse(
      "---\ntitle: T\nslug: own\naliases: [/old/, /2014/old/, /own/, /older.html]\n---\nText.",
      Format::kMarkdown, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->former_names, ElementsAre("old", "older"));
  EXPECT_THAT(parsed->notes, IsEmpty());
}

}  // namespace
}  // namespace content::transfer
