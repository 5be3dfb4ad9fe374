#include "transfer/exports/blogger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kFeed[] =
    "<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom' "
    "xmlns:blogger='http://schemas.google.com/blogger/2018'>"
    "<id>tag:blogger.com,1999:blog-1</id>";

std::string Takeout(const std::string& number, const std::string& type, const std::string& status,
                    const std::string& rest) {
  return absl::StrCat("<entry><id>tag:blogger.com,1999:blog-1.post-", number, "</id><blogger:type>",
                      type, "</blogger:type><blogger:status>", status,
                      "</blogger:status><author><name>Ada</name><uri></uri>"
                      "<blogger:type>BLOGGER</blogger:type></author>"
                      "<published>2012-03-05T22:38:18.333Z</published>",
                      rest, "</entry>");
}

std::string Atom(const std::string& number, const std::string& kind, const std::string& rest) {
  return absl::StrCat("<entry><id>\n tag:blogger.com,1999:blog-1.post-", number,
                      "\n</id><published>2012-03-06T09:38:18.333+11:00</published>"
                      "<category scheme='http://schemas.google.com/g/2005#kind' "
                      "term='http://schemas.google.com/blogger/2008/kind#",
                      kind, "'/>", rest, "</entry>");
}

ReadItems ReadBlog(const std::string& entries) {
  return ReadExport(ReadBlogger, absl::StrCat(kFeed, entries, "</feed>"));
}

TEST(Blogger, IsRecognized) {
  EXPECT_TRUE(BeginsLikeBlogger(kFeed));
  EXPECT_TRUE(
      BeginsLikeBlogger("<x:feed xmlns:x='http://www.w3.org/2005/Atom'>"
                        "<x:generator>Blogger</x:generator>"));
  EXPECT_FALSE(BeginsLikeBlogger("<feed xmlns='http://www.w3.org/2005/Atom'><id>x</id>"));
  EXPECT_FALSE(BeginsLikeBlogger("A text about schemas.google.com/blogger/ and a feed."));
}

TEST(Blogger, ReadsAPostOfTakeout) {
  const ReadItems items = ReadBlog(Takeout(
      "5", "POST", "LIVE",
      "<title>It&amp;#39;s late</title><content type='html'>&lt;p&gt;A &lt;b&gt;bold&lt;/b&gt; "
      "one.&lt;/p&gt;</content><category scheme='tag:blogger.com,1999:blog-1' term='Boats'/>"
      "<category/><updated>2012-04-05T22:38:18Z</updated><blogger:filename>/2012/03/its-late.html</"
      "blogger:filename><blogger:trashed/>"));
  ASSERT_TRUE(items.status.ok()) << items.status;
  ASSERT_EQ(items.articles.size(), 1);
  const v1::Article& article = items.articles[0].file.article;
  EXPECT_EQ(article.title(), "It's late");
  EXPECT_EQ(article.name(), "articles/its-late");
  EXPECT_EQ(article.body(), "A **bold** one.");
  EXPECT_THAT(article.tags(), ElementsAre("Boats"));
  EXPECT_EQ(article.authors(0).display_name(), "Ada");
  EXPECT_THAT(items.articles[0].addresses, ElementsAre("/2012/03/its-late.html"));
  EXPECT_EQ(items.articles[0].file.update_time, absl::FromUnixSeconds(1333665498));
}

TEST(Blogger, ReadsStates) {
  const ReadItems items = ReadBlog(absl::StrCat(
      Takeout("1", "POST", "DRAFT", ""), Takeout("2", "PAGE", "LIVE", ""),
      Takeout("3", "COMMENT", "LIVE", "<content>x</content>"),
      Takeout("4", "COMMENT", "SPAM_COMMENT", ""), Takeout("5", "COMMENT", "GHOSTED_COMMENT", ""),
      Takeout("6", "COMMENT", "PENDING", ""),
      Takeout("7", "POST", "LIVE", "<blogger:trashed>2020-01-01T00:00:00Z</blogger:trashed>")));
  ASSERT_EQ(items.articles.size(), 2);
  EXPECT_EQ(items.articles[0].file.draft, "the post is draft");
  EXPECT_EQ(items.articles[1].file.draft, "");
  ASSERT_EQ(items.comments.size(), 3);
  EXPECT_EQ(items.comments[0].state, v1::COMMENT_STATE_VISIBLE);
  EXPECT_EQ(items.comments[1].state, v1::COMMENT_STATE_DELETED);
  EXPECT_EQ(items.comments[2].state, v1::COMMENT_STATE_PENDING);
  EXPECT_THAT(items.left_out, ElementsAre("comment 4: spam", "post 7: in the trash"));
}

TEST(Blogger, OfARemovedCommentOnlyThePlaceIsKept) {
  constexpr char kRemoved[] =
      "<content>This comment has been removed by the author.</content>"
      "<gd:extendedProperty xmlns:gd='http://schemas.google.com/g/2005' "
      "name='blogger.contentRemoved' value='true'/>";
  const ReadItems items = ReadBlog(absl::StrCat(
      Atom("1", "comment", kRemoved), Atom("2", "comment", "<content>Here</content>"),
      Takeout("3", "COMMENT", "EMPTIED", ""), Takeout("4", "COMMENT", "SPAM", kRemoved)));
  ASSERT_EQ(items.comments.size(), 3);
  EXPECT_EQ(items.comments[0].state, v1::COMMENT_STATE_DELETED);
  EXPECT_THAT(items.comments[0].notes, ElementsAre("its text was removed; only its place is kept"));
  EXPECT_EQ(items.comments[1].state, v1::COMMENT_STATE_VISIBLE);
  EXPECT_EQ(items.comments[2].state, v1::COMMENT_STATE_DELETED);
  EXPECT_THAT(items.left_out, ElementsAre("comment 4: spam"));
}

TEST(Blogger, NotesWhatReadersMiss) {
  const ReadItems items = ReadBlog(
      Takeout("1", "POST", "LIVE", "<content>a &lt;iframe src='b'&gt;&lt;/iframe&gt;</content>"));
  EXPECT_THAT(items.articles.at(0).file.notes, ElementsAre("left out 1 <iframe>"));
}

TEST(Blogger, AScheduledPostWithoutATimeIsADraft) {
  constexpr char kPost[] =
      "<entry><id>tag:blogger.com,1999:blog-1.post-1</id><blogger:type>POST</blogger:type>"
      "<blogger:status>";
  const ReadItems items = ReadBlog(absl::StrCat(
      kPost, "SCHEDULED</blogger:status><published/></entry>", kPost,
      "LIVE</blogger:status><published/></entry>", Takeout("2", "POST", "SCHEDULED", "")));
  ASSERT_EQ(items.articles.size(), 3);
  EXPECT_EQ(items.articles[0].file.draft, "the post is scheduled for a time that is not known");
  EXPECT_EQ(items.articles[1].file.draft, "");
  EXPECT_THAT(items.articles[1].file.notes, ElementsAre("it has no date that can be read"));
  EXPECT_EQ(items.articles[2].file.draft, "");
}

TEST(Blogger, AllDraftsOfAtomAreDrafts) {
  const auto draft_of = [](const std::string& draft) {
    const ReadItems items = ReadBlog(
        Atom("1", "post",
             absl::StrCat("<app:control><app:draft>", draft, "</app:draft></app:control>")));
    return items.articles[0].file.draft;
  };
  for (const std::string draft : {"yes", "Yes", " TRUE\n", "1"}) {
    EXPECT_EQ(draft_of(draft), "the post is draft") << draft;
  }
  for (const std::string draft : {"no", "No", ""}) EXPECT_EQ(draft_of(draft), "") << draft;
}

TEST(Blogger, ReadsXhtml) {
  const ReadItems items = ReadBlog(
      Atom("1", "post",
           "<title type='xhtml'><div>A <b>title</b></div></title><content type='xhtml'>"
           "<div xmlns='http://www.w3.org/1999/xhtml'><p>One <em>two</em> &lt;3 "
           "<a href='https://harbour.example/?a=1&amp;b=2'>four</a><br/>five</p><p>six</p></div>"
           "</content>"));
  ASSERT_EQ(items.articles.size(), 1);
  const v1::Article& article = items.articles[0].file.article;
  EXPECT_EQ(article.title(), "A title");
  EXPECT_EQ(article.body(),
            "One *two* \\<3 [four](https://harbour.example/?a=1&b=2)\\\nfive\n\nsix");
}

TEST(Blogger, CommentsAreTheSameInBothKindsOfExports) {
  const ReadItems takeout =
      ReadBlog(Takeout("9", "COMMENT", "LIVE",
                       "<blogger:parent>tag:blogger.com,1999:blog-1.post-5</blogger:parent>"
                       "<blogger:inReplyTo>tag:blogger.com,1999:blog-1.post-8</blogger:inReplyTo>"
                       "<content type='html'>Hi,\n\nthank you</content>"));
  const ReadItems atom = ReadBlog(Atom(
      "9", "comment",
      "<thr:in-reply-to xmlns:thr='http://purl.org/syndication/thread/1.0' "
      "ref='tag:blogger.com,1999:blog-1.post-5' href='http://harbour.example/2012/03/late.html'/>"
      "<link rel='related' href='http://www.blogger.com/feeds/1/5/comments/default/8'/>"
      "<author><name>Ada</name><uri>http://www.blogger.com/profile/77</uri>"
      "<email>noreply@blogger.com</email></author>"
      "<content type='html'>Hi,&lt;br /&gt;&lt;br /&gt;thank you</content>"));
  ASSERT_EQ(takeout.comments.size(), 1);
  ASSERT_EQ(atom.comments.size(), 1);
  for (const ExportedComment& comment : {takeout.comments[0], atom.comments[0]}) {
    EXPECT_EQ(comment.source_id, "9");
    EXPECT_EQ(comment.parent_source_id, "8");
    EXPECT_EQ(comment.article_key, "tag:blogger.com,1999:blog-1.post-5");
    EXPECT_EQ(comment.body, "Hi,\n\nthank you");
    EXPECT_EQ(comment.create_time, absl::FromUnixMillis(1330987098333));
  }
  EXPECT_EQ(atom.comments[0].author_key, "http://www.blogger.com/profile/77");
  EXPECT_EQ(atom.comments[0].address, "http://harbour.example/2012/03/late.html");
}

TEST(Blogger, ReadsAtomWithoutItsNamespaces) {
  const ReadItems items = ReadBlog(absl::StrCat(
      Atom("1", "settings", ""), Atom("2", "template", ""),
      Atom("3", "post",
           "<app:control><app:draft>yes</app:draft></app:control><title>Draft</title>"),
      Atom("4", "post",
           "<title>Out</title><link rel='alternate' "
           "href='http://harbour.example/2012/out.html'/>")));
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(items.left_out, ElementsAre("entry 1: settings", "entry 2: template"));
  ASSERT_EQ(items.articles.size(), 2);
  EXPECT_EQ(items.articles[0].file.draft, "the post is draft");
  EXPECT_EQ(items.articles[1].file.article.name(), "articles/out");
  EXPECT_EQ(items.articles[1].file.article.source_uri(), "http://harbour.example/2012/out.html");
}

}  // namespace
}  // namespace content::transfer
