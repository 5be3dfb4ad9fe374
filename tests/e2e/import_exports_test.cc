// `contentd import` of exports with comments, as a user runs it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "support/contentd.h"
#include "support/database.h"

namespace content::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kHead[] = R"(<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Harbour</title><link>https://harbour.example</link>
)";
constexpr char kTail[] = "</channel></rss>\n";

std::string Post(const std::string& id, const std::string& comments,
                 const std::string& state = "publish") {
  return absl::StrCat("<item><title>Post ", id, "</title><link>https://harbour.example/post-", id,
                      "/</link><content:encoded><![CDATA[Text ", id,
                      ".]]></content:encoded><wp:post_id>", id,
                      "</wp:post_id><wp:post_date_gmt>2020-05-01 10:00:00</wp:post_date_gmt>"
                      "<wp:post_name>post-",
                      id, "</wp:post_name><wp:status>", state,
                      "</wp:status><wp:post_type>post</wp:post_type>", comments, "</item>\n");
}

std::string Comment(int id, const std::string& text, int parent = 0,
                    const std::string& approved = "1") {
  return absl::StrCat(
      "<wp:comment><wp:comment_id>", id,
      "</wp:comment_id><wp:comment_author>Bo</wp:comment_author>",
      "<wp:comment_author_email>bo@secret.example</wp:comment_author_email>",
      "<wp:comment_author_IP>192.0.2.7</wp:comment_author_IP>",
      absl::StrFormat("<wp:comment_date_gmt>2020-05-02 %02d:%02d:%02d</wp:comment_date_gmt>",
                      10 + id / 3600, id / 60 % 60, id % 60),
      "<wp:comment_content><![CDATA[", text, "]]></wp:comment_content><wp:comment_approved>",
      approved, "</wp:comment_approved><wp:comment_parent>", parent,
      "</wp:comment_parent></wp:comment>");
}

std::string Remark42(const std::string& id, const std::string& page) {
  return absl::StrCat(
      R"({"id": ")", id, R"(", "text": ")", id,
      R"(", "user": {"name": "Bo", "id": "github_1"}, "time": "2020-05-02T10:00:00Z",
                          "locator": {"site": "harbour", "url": ")",
      page, "\"}}\n");
}

std::string WordPress(const std::string& items) { return absl::StrCat(kHead, items, kTail); }

class ImportExportsTest : public ::testing::Test {
 protected:
  static std::string Write(const std::string& name, const std::string& content) {
    const std::filesystem::path path = ScratchDirectory() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  Finished Import(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"import", "--database-url", url_});
    return RunContentd(arguments);
  }

  // How the table that an import prints has a row.
  static std::string Row(const std::string& label, int count) {
    return absl::StrFormat("%-24s %9d  ", label, count);
  }

  // The comments of an article in the order of their threads: their texts, with depths and states.
  std::string Comments(const std::string& id) const {
    return Query(url_,
                 absl::StrCat("SELECT string_agg(c.depth || ' ' || c.state || ' ' || c.body, ', ' "
                              "ORDER BY c.thread_key) FROM comment c "
                              "JOIN article_name n USING (article_key) WHERE n.name = '",
                              id, "'"));
  }

  const std::string url_ = NewDatabase();
};

TEST_F(ImportExportsTest, BringsInArticlesAndTheirComments) {
  const std::string file = Write(
      "blog.xml", WordPress(absl::StrCat(
                      Post("1", absl::StrCat(Comment(3, "reply", 2), Comment(2, "first"),
                                             Comment(4, "waits", 0, "0"), Comment(5, "orphan", 99),
                                             Comment(6, "buy", 0, "spam"))),
                      Post("2", Comment(7, "of a draft"), "draft"))));
  const Finished first = Import({file});
  EXPECT_EQ(first.status, 0) << first.out;
  EXPECT_EQ(Comments("post-1"), "0 1 first, 1 1 reply, 0 2 waits, 0 1 orphan");
  EXPECT_THAT(first.out, AllOf(HasSubstr(Row("taken", 1)), HasSubstr(Row("comments taken", 4)),
                               HasSubstr(Row("comments left out", 2)), HasSubstr(Row("  spam", 1)),
                               HasSubstr(Row("  without an article", 1))));
  EXPECT_EQ(Query(url_, "SELECT comment_count FROM article_state"), "3");
  EXPECT_EQ(Query(url_,
                  "SELECT count(*) FROM comment WHERE author_id LIKE '%secret%' OR "
                  "author_display_name <> 'Bo'"),
            "0");

  const Finished second = Import({file});
  EXPECT_EQ(second.status, 0) << second.out;
  EXPECT_THAT(second.out,
              AllOf(HasSubstr(Row("unchanged", 1)), HasSubstr(Row("comments unchanged", 4)),
                    Not(HasSubstr("comments taken"))));
}

TEST_F(ImportExportsTest, ANewerExportAddsWhatIsNew) {
  const std::string file =
      Write("blog.xml", WordPress(Post("1", absl::StrCat(Comment(1, "one"), Comment(2, "two")))));
  EXPECT_EQ(Import({file}).status, 0);
  Write("blog.xml", WordPress(Post("1", absl::StrCat(Comment(1, "one"), Comment(2, "changed"),
                                                     Comment(3, "reply", 1)))));
  const Finished newer = Import({file});
  EXPECT_EQ(newer.status, 1) << newer.out;
  EXPECT_THAT(newer.out,
              AllOf(HasSubstr(Row("comments taken", 1)), HasSubstr(Row("comments unchanged", 1)),
                    HasSubstr(Row("comments conflict", 1))));
  EXPECT_EQ(Comments("post-1"), "0 1 one, 1 1 reply, 0 1 two");
}

TEST_F(ImportExportsTest, CommentsFindArticlesOfOtherRuns) {
  const std::string articles = Write("a.md", "---\ntitle: Moved\nslug: elsewhere\n---\n\nText.\n");
  EXPECT_EQ(Import({articles}).status, 0);
  const std::string blog = Write("blog.xml", WordPress(Post("1", "")));
  EXPECT_EQ(Import({blog}).status, 0);
  // The posts are drafts here, so their comments go by the addresses of their pages.
  const std::string comments =
      Write("comments.xml", WordPress(absl::StrCat(Post("7", Comment(1, "mapped"), "draft"))));
  const std::string map = Write("map", "https://www.harbour.example/post-7\tarticles/elsewhere\n");
  const Finished mapped = Import({comments, "--map", map, "--source", "old:blog"});
  EXPECT_THAT(mapped.out, HasSubstr(Row("comments taken", 1)));
  EXPECT_EQ(Comments("elsewhere"), "0 1 mapped");
  const Finished wrong = Import({comments, "--map", blog});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("line 1: is not ADDRESS articles/ID"));
}

TEST_F(ImportExportsTest, CommentsOfOtherPagesStayOut) {
  // Pages that are hidden or of another site, all with the name of the article's page.
  const std::string hidden = absl::StrReplaceAll(
      Post("9", Comment(9, "hidden")),
      {{"post_type>post", "post_type>note"}, {"example/post-9/", "example/notes/post-1/"}});
  const std::string blog = Write("blog.xml", WordPress(absl::StrCat(Post("1", ""), hidden)));
  const std::string comments =
      Write("comments.json", absl::StrCat(Remark42("a", "https://unrelated.example/post-1/"),
                                          Remark42("b", "https://unrelated.example/shop/post-1/"),
                                          Remark42("c", "https://harbour.example/notes/post-1"),
                                          Remark42("d", "https://harbour.example/old/post-1")));
  const Finished together = Import({blog, comments});
  EXPECT_EQ(together.status, 0) << together.out;
  EXPECT_EQ(Comments("post-1"), "0 1 d");
  EXPECT_THAT(together.out, HasSubstr(Row("  without an article", 4)));

  // Another run knows articles by their source_uri.
  const std::string later =
      Write("later.json", absl::StrCat(Remark42("e", "https://unrelated.example/post-1/"),
                                       Remark42("f", "https://harbour.example/other/post-1")));
  const std::string report = ScratchDirectory() + "/report.jsonl";
  EXPECT_EQ(Import({later, "--report", report}).status, 0);
  EXPECT_EQ(Comments("post-1"), "0 1 d, 0 1 f");
  std::string lines;
  std::ifstream stream(report);
  std::getline(stream, lines, '\0');
  EXPECT_THAT(lines, HasSubstr("say with --map which article the page is"));
}

// Of the same title, but of another year.
TEST_F(ImportExportsTest, ANewPostUnderATakenNameGetsAnother) {
  const std::string older = Post("1", Comment(1, "older"));
  const std::string newer =
      absl::StrReplaceAll(Post("2", Comment(2, "newer")), {{"<title>Post 2", "<title>Post 1"},
                                                           {"post_name>post-2", "post_name>post-1"},
                                                           {"2020-05-01", "2024-05-01"}});
  EXPECT_EQ(Import({Write("blog.xml", WordPress(older))}).status, 0);
  const std::string file = Write("blog.xml", WordPress(absl::StrCat(newer, older)));
  const Finished finished = Import({file, "--replace"});
  EXPECT_EQ(finished.status, 0) << finished.out;
  EXPECT_THAT(finished.out, AllOf(HasSubstr(Row("taken", 1)), HasSubstr(Row("unchanged", 1))));
  EXPECT_EQ(Comments("post-1"), "0 1 older");
  EXPECT_EQ(Comments("post-1-2"), "0 1 newer");
  EXPECT_EQ(Query(url_, "SELECT string_agg(body, ' ' ORDER BY article_key) FROM article"),
            "Text 1. Text 2.");
  const Finished again = Import({file});
  EXPECT_THAT(again.out,
              AllOf(HasSubstr(Row("unchanged", 2)), HasSubstr(Row("comments unchanged", 2))));
}

TEST_F(ImportExportsTest, PostsOfTwoBlogsStayApart) {
  const std::string one = Write("1.xml", WordPress(Post("1", Comment(1, "of one"))));
  const std::string two = Write(
      "2.xml",
      absl::StrReplaceAll(WordPress(Post("1", Comment(1, "of two"))),
                          {{"harbour.example", "river.example"}, {"2020-05-01", "2021-05-01"}}));
  EXPECT_EQ(Import({one}).status, 0);
  const Finished finished = Import({two, "--replace"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(Comments("post-1"), "0 1 of one");
  EXPECT_EQ(Comments("post-1-1"), "0 1 of two");
}

TEST_F(ImportExportsTest, ExportsThatOverlapBringInEachItemOnce) {
  const std::string post = Post("1", Comment(1, "one"));
  const std::string edited = absl::StrReplaceAll(post, {{"Text 1", "Edited"}});
  const std::string folder = ScratchDirectory() + "/overlap";
  Write("overlap/01.xml", WordPress(post));
  Write("overlap/02.xml", WordPress(absl::StrCat(post, Post("2", ""))));
  const Finished finished = Import({folder});
  EXPECT_EQ(finished.status, 0) << finished.out;
  EXPECT_THAT(finished.out,
              AllOf(HasSubstr(Row("taken", 2)), HasSubstr(Row("unchanged", 1)),
                    HasSubstr(Row("comments taken", 1)), HasSubstr(Row("comments unchanged", 1))));
  Write("overlap/03.xml", WordPress(edited));
  const Finished conflict = Import({folder, "--replace"});
  EXPECT_EQ(conflict.status, 1) << conflict.out;
  EXPECT_THAT(conflict.out, AllOf(HasSubstr(Row("unchanged", 3)), HasSubstr(Row("conflict", 1))));
  EXPECT_THAT(conflict.err, HasSubstr("01.xml: post 1, with other content\n"));
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM article"), "2");
}

TEST_F(ImportExportsTest, AnArticleThatHasChangedIsAConflict) {
  const std::string post = Post("1", Comment(1, "one"));
  EXPECT_EQ(Import({Write("blog.xml", WordPress(post))}).status, 0);
  const std::string edited = Write(
      "blog.xml", WordPress(absl::StrReplaceAll(post, {{"<title>Post 1", "<title>New title"}})));
  const Finished conflict = Import({edited});
  EXPECT_EQ(conflict.status, 1) << conflict.out;
  EXPECT_THAT(conflict.out,
              AllOf(HasSubstr(Row("conflict", 1)), HasSubstr(Row("comments unchanged", 1))));
  EXPECT_THAT(conflict.err, HasSubstr("articles/post-1 is there with other content\n"));
  EXPECT_THAT(Import({edited, "--replace"}).out, HasSubstr(Row("replaced", 1)));
}

TEST_F(ImportExportsTest, CommentsFindArticlesByFormerNames) {
  const std::string post = absl::StrReplaceAll(
      Post("1", ""), {{"</wp:post_type>",
                       "</wp:post_type><wp:postmeta><wp:meta_key>_wp_old_slug</wp:meta_key>"
                       "<wp:meta_value>formerly</wp:meta_value></wp:postmeta>"}});
  EXPECT_EQ(Import({Write("blog.xml", WordPress(post))}).status, 0);
  const std::string comments =
      Write("comments.json", absl::StrCat(Remark42("a", "https://harbour.example/2019/formerly/"),
                                          Remark42("b", "https://other.example/2019/formerly/")));
  EXPECT_EQ(Import({comments}).status, 0);
  EXPECT_EQ(Comments("post-1"), "0 1 a");
}

TEST_F(ImportExportsTest, APostThatWasRenamedIsStillThatPost) {
  const std::string comment = Comment(1, "one");
  EXPECT_EQ(Import({Write("blog.xml", WordPress(Post("1", comment)))}).status, 0);
  const std::string renamed =
      absl::StrReplaceAll(Post("1", absl::StrCat(comment, Comment(2, "two"))),
                          {{"/post-1/", "/renamed/"},
                           {"post_name>post-1", "post_name>renamed"},
                           {"</wp:post_type>",
                            "</wp:post_type><wp:postmeta><wp:meta_key>_wp_old_slug</wp:meta_key>"
                            "<wp:meta_value>post-1</wp:meta_value></wp:postmeta>"}});
  const std::string file = Write("blog.xml", WordPress(renamed));
  const Finished conflict = Import({file});
  EXPECT_EQ(conflict.status, 1) << conflict.out;
  EXPECT_THAT(conflict.out,
              AllOf(HasSubstr(Row("conflict", 1)), HasSubstr(Row("comments taken", 1)),
                    HasSubstr(Row("comments unchanged", 1))));
  EXPECT_THAT(conflict.err,
              HasSubstr("articles/renamed is here as articles/post-1; rename that first, or "));
  EXPECT_EQ(Comments("post-1"), "0 1 one, 0 1 two");
  EXPECT_THAT(Import({file, "--replace"}).out, HasSubstr(Row("replaced", 1)));
  EXPECT_EQ(Comments("renamed"), "0 1 one, 0 1 two");
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM article"), "1");
  EXPECT_THAT(Import({file}).out, HasSubstr(Row("unchanged", 1)));

  // In one run, too.
  const std::string folder = ScratchDirectory() + "/renamed";
  Write("renamed/1.xml", WordPress(absl::StrReplaceAll(Post("7", comment), {{"2020", "2021"}})));
  Write("renamed/2.xml",
        WordPress(absl::StrReplaceAll(renamed, {{"post-1", "post-7"},
                                                {"post_id>1", "post_id>7"},
                                                {"/renamed/", "/again/"},
                                                {"post_name>renamed", "post_name>again"},
                                                {"2020", "2021"}})));
  const Finished together = Import({folder});
  EXPECT_THAT(together.out, AllOf(HasSubstr(Row("taken", 1)), HasSubstr(Row("conflict", 1))));
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM article"), "2");
}

TEST_F(ImportExportsTest, APathOfSeveralArticlesTellsNothing) {
  const std::string one = Post("1", "");
  const std::string two = absl::StrReplaceAll(
      one, {{"harbour.example", "river.example"}, {"2020-05-01", "2021-05-01"}});
  EXPECT_EQ(Import({Write("1.xml", WordPress(one)), Write("2.xml", WordPress(two))}).status, 0);
  const std::string comments = Write("comments.json", Remark42("a", "/post-1/"));
  const Finished finished = Import({comments});
  EXPECT_THAT(finished.out, HasSubstr(Row("  without an article", 1)));
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM comment"), "0");
}

TEST_F(ImportExportsTest, PublishesNoEmailAddressOfAnAuthor) {
  const std::string ghost = Write("ghost.json", R"({"db": [{"data": {
      "posts": [{"id": "p", "title": "Low", "slug": "low", "html": "<p>Text</p>",
                 "status": "published", "author_id": "u"}],
      "users": [{"id": "u", "name": "Ada &lt;ada&#64;secret.example&gt;"}]}}]})");
  EXPECT_EQ(Import({ghost}).status, 0);
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM article WHERE authors::text LIKE '%secret%'"), "0");
}

TEST_F(ImportExportsTest, RepliesFindParentsOfEarlierBatches) {
  std::string comments;
  for (int id = 2'500; id > 0; --id) comments += Comment(id, absl::StrCat("c", id), id / 2);
  const std::string file = Write("blog.xml", WordPress(Post("1", comments)));
  const Finished finished = Import({file});
  EXPECT_THAT(finished.out,
              AllOf(HasSubstr(absl::StrFormat("%-24s %9s  ", "comments taken", "2,500")),
                    Not(HasSubstr("missing"))));
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM comment WHERE parent_id IS NULL"), "1");
}

TEST_F(ImportExportsTest, ADryRunNeedsNoDatabase) {
  const std::string file = Write("blog.xml", WordPress(Post("1", Comment(1, "one"))));
  const Finished finished = RunContentd({"import", "--dry-run", file});
  EXPECT_EQ(finished.status, 0) << finished.out;
  EXPECT_THAT(finished.out, AllOf(HasSubstr(Row("valid", 1)), HasSubstr(Row("comments valid", 1))));
}

TEST_F(ImportExportsTest, ReadsAllOfStandardInput) {
  std::string comments;
  for (int id = 1; id <= 8'000; ++id) comments += Comment(id, "one");
  const std::string path = Write("blog.xml", WordPress(Post("1", comments)));
  const int original = dup(STDIN_FILENO);
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  dup2(file, STDIN_FILENO);
  close(file);
  const Finished finished = RunContentd({"import", "--dry-run", "-"});
  dup2(original, STDIN_FILENO);
  close(original);
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr(absl::StrFormat("%-24s %9s  ", "comments valid", "8,000")));
}

TEST_F(ImportExportsTest, WhatIsBeforeABreakComesIn) {
  const std::string file =
      Write("blog.xml", absl::StrCat(kHead, Post("1", Comment(1, "one")), "<item><title>Cut"));
  const std::string report = ScratchDirectory() + "/report.jsonl";
  const Finished finished = Import({file, "--report", report});
  EXPECT_EQ(finished.status, 1) << finished.out;
  EXPECT_THAT(finished.out, AllOf(HasSubstr(Row("taken", 1)), HasSubstr(Row("comments taken", 1)),
                                  HasSubstr(Row("  cannot be read", 1))));
  std::string lines;
  std::ifstream stream(report);
  std::getline(stream, lines, '\0');
  EXPECT_THAT(lines, HasSubstr("\"kind\":\"comment\",\"item\":\"comment 1\""));
}

}  // namespace
}  // namespace content::testing
