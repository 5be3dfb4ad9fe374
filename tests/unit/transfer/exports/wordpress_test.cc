#include "transfer/exports/wordpress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "content/text.h"
#include "transfer/exports/paragraphs.h"
#include "transfer/exports/shortcodes.h"
#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kHead[] = R"(<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Harbour</title><link>https://harbour.example</link><language>en-GB</language>
<wp:base_blog_url>https://www.harbour.example/log</wp:base_blog_url>
<wp:author><wp:author_login>ada</wp:author_login>
<wp:author_display_name><![CDATA[Ada Byron]]></wp:author_display_name></wp:author>
)";
constexpr char kTail[] = "</channel></rss>\n";

std::string Item(const std::string& id, const std::string& rest,
                 const std::string& state = "publish", const std::string& type = "post") {
  return absl::StrCat("<item><title>Post ", id,
                      " &amp;amp; more</title><link>https://harbour.example/", id,
                      "/</link><dc:creator>ada</dc:creator><wp:post_id>", id,
                      "</wp:post_id><wp:post_date>2020-05-01 12:00:00</wp:post_date>"
                      "<wp:post_date_gmt>2020-05-01 10:00:00</wp:post_date_gmt><wp:post_name>slug-",
                      id, "</wp:post_name><wp:status>", state, "</wp:status><wp:post_type>", type,
                      "</wp:post_type>", rest, "</item>\n");
}

std::string Body(const std::string& html) {
  return absl::StrCat("<content:encoded><![CDATA[", html, "]]></content:encoded>");
}

std::string Comment(const std::string& id, const std::string& approved,
                    const std::string& rest = "") {
  return absl::StrCat("<wp:comment><wp:comment_id>", id,
                      "</wp:comment_id><wp:comment_author>Bo</wp:comment_author>"
                      "<wp:comment_author_email>bo@harbour.example</wp:comment_author_email>"
                      "<wp:comment_author_IP>192.0.2.7</wp:comment_author_IP>"
                      "<wp:comment_date_gmt>2020-05-02 10:00:00</wp:comment_date_gmt>"
                      "<wp:comment_content><![CDATA[One\n\nTwo <b>three</b>]]></wp:comment_content>"
                      "<wp:comment_approved>",
                      approved, "</wp:comment_approved>", rest, "</wp:comment>");
}

ReadItems ReadSite(const std::string& items) {
  return ReadExport(ReadWordPress, absl::StrCat(kHead, items, kTail));
}

std::string Paragraphs(const std::string& html) {
  std::string result = WithParagraphs(html);
  std::erase(result, '\n');
  return result;
}

TEST(WordPress, IsRecognized) {
  EXPECT_TRUE(BeginsLikeWordPress(kHead));
  EXPECT_FALSE(BeginsLikeWordPress("<rss version=\"2.0\"><channel>"));
}

TEST(WordPress, ReadsAPost) {
  const ReadItems items = ReadSite(Item(
      "7", absl::StrCat(Body("First line\nsecond line\n\nNext <em>one</em>."),
                        "<excerpt:encoded><![CDATA[Short.]]></excerpt:encoded>"
                        "<wp:post_modified_gmt>2020-05-03 10:00:00</wp:post_modified_gmt>"
                        "<category domain=\"category\" nicename=\"boats\">Boats</category>"
                        "<category domain=\"post_tag\" nicename=\"tar\">Tar</category>"
                        "<category domain=\"category\" nicename=\"uncategorized\">None</category>"
                        "<category domain=\"post_format\" nicename=\"x\">Aside</category>"
                        "<wp:postmeta><wp:meta_key>_wp_old_slug</wp:meta_key>"
                        "<wp:meta_value>older</wp:meta_value></wp:postmeta>")));
  ASSERT_TRUE(items.status.ok()) << items.status;
  EXPECT_EQ(items.origin, "harbour.example/log");
  ASSERT_EQ(items.articles.size(), 1);
  const ExportedArticle& exported = items.articles[0];
  const v1::Article& article = exported.file.article;
  EXPECT_EQ(article.name(), "articles/slug-7");
  EXPECT_EQ(article.title(), "Post 7 & more");
  EXPECT_EQ(article.body(), "First line\\\nsecond line\n\nNext *one*.");
  EXPECT_EQ(article.summary(), "Short.");
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_THAT(article.tags(), ElementsAre("Boats", "Tar"));
  EXPECT_EQ(article.language_code(), "en-GB");
  EXPECT_EQ(article.publish_time().seconds(), 1588327200);
  EXPECT_EQ(article.source_uri(), "https://harbour.example/7/");
  EXPECT_THAT(exported.file.former_names, ElementsAre("older"));
  EXPECT_EQ(exported.key, "7");
  EXPECT_EQ(exported.file.update_time, absl::FromUnixSeconds(1588500000));
}

TEST(WordPress, CommentsThatAreClosedStayClosed) {
  const auto policy = [](const std::string& status) {
    const ReadItems items = ReadSite(
        Item("7", absl::StrCat(Body("x"), "<wp:comment_status>", status, "</wp:comment_status>")));
    return items.articles.at(0).file.article.comment_policy();
  };
  EXPECT_EQ(policy("closed"), v1::COMMENT_POLICY_CLOSED);
  EXPECT_EQ(policy("open"), v1::COMMENT_POLICY_UNSPECIFIED);
}

TEST(WordPress, OnlyWhatWasPublicBecomesPublic) {
  const ReadItems items = ReadSite(absl::StrCat(
      Item("1", Body("x")), Item("2", Body("x"), "publish", "page"), Item("3", Body("x"), "future"),
      Item("4", Body("x"), "draft"), Item("5", Body("x"), "private"),
      Item("6", Body("x"), "pending"), Item("7", Body("x"), "trash"),
      Item("8", Body("x"), "strange"),
      Item("9", absl::StrCat(Body("x"), "<wp:post_password>s</wp:post_password>")),
      Item("10", "", "inherit", "attachment"), Item("11", "", "publish", "nav_menu_item")));
  std::vector<std::string> drafts;
  std::vector<std::string> published;
  for (const ExportedArticle& article : items.articles) {
    (article.file.draft.empty() ? published : drafts).push_back(article.label);
  }
  EXPECT_THAT(published, ElementsAre("post 1", "page 2", "post 3"));
  EXPECT_THAT(drafts, ElementsAre("post 4", "post 5", "post 6", "post 8", "post 9"));
  EXPECT_THAT(items.left_out,
              ElementsAre("post 7: in the trash", "attachment 10: of type attachment",
                          "nav_menu_item 11: of type nav_menu_item"));
}

TEST(WordPress, ReadsCommentsWithTheirStates) {
  const ReadItems items = ReadSite(Item(
      "7", absl::StrCat(Body("x"), Comment("1", "1", "<wp:comment_user_id>3</wp:comment_user_id>"),
                        Comment("2", "0", "<wp:comment_parent>1</wp:comment_parent>"),
                        Comment("3", "spam"), Comment("4", "trash"), Comment("5", "odd"),
                        Comment("6", "1", "<wp:comment_type>pingback</wp:comment_type>"))));
  ASSERT_EQ(items.comments.size(), 3);
  const ExportedComment& first = items.comments[0];
  EXPECT_EQ(first.source_id, "1");
  EXPECT_EQ(first.article_key, "7");
  EXPECT_EQ(first.address, "https://harbour.example/7/");
  EXPECT_EQ(first.author_name, "Bo");
  EXPECT_EQ(first.author_key, "user 3");
  EXPECT_EQ(first.body, "One\n\nTwo three");
  EXPECT_EQ(first.state, v1::COMMENT_STATE_VISIBLE);
  EXPECT_EQ(first.create_time, absl::FromUnixSeconds(1588413600));
  EXPECT_EQ(items.comments[1].parent_source_id, "1");
  EXPECT_EQ(items.comments[1].author_key, "");
  EXPECT_EQ(items.comments[1].state, v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(items.comments[2].state, v1::COMMENT_STATE_PENDING);
  EXPECT_THAT(items.comments[2].notes, ElementsAre("its state \"odd\" waits for a moderator"));
  EXPECT_THAT(items.left_out, UnorderedElementsAre("comment 3: spam", "comment 4: in the trash",
                                                   "comment 6: pingback"));
}

std::string DatedItem(const std::string& status, const std::string& gmt, const std::string& rest) {
  return absl::StrCat("<item><title>T</title><wp:post_id>1</wp:post_id><wp:status>", status,
                      "</wp:status><wp:post_type>post</wp:post_type><wp:post_date_gmt>", gmt,
                      "</wp:post_date_gmt>", rest, Body("x"), "</item>");
}

TEST(WordPress, WhatIsForMembersIsADraft) {
  const auto with_meta = [](const std::string& key, const std::string& value) {
    return Item("1", absl::StrCat(Body("x"), "<wp:postmeta><wp:meta_key>", key,
                                  "</wp:meta_key><wp:meta_value>", value,
                                  "</wp:meta_value></wp:postmeta>"));
  };
  const ReadItems items = ReadSite(absl::StrCat(
      with_meta("_jetpack_newsletter_access", "paid_subscribers"),
      with_meta("_members_access_role", "editor"),
      with_meta("_jetpack_newsletter_access", "everybody"), with_meta("other", "subscribers")));
  std::vector<std::string> drafts;
  for (const ExportedArticle& article : items.articles) drafts.push_back(article.file.draft);
  EXPECT_THAT(drafts, ElementsAre("the post is for members or subscribers",
                                  "the post is for members or subscribers", "", ""));
}

TEST(WordPress, PluginsHidePosts) {
  const auto draft_of = [](const std::string& key, const std::string& value) {
    const ReadItems items =
        ReadSite(Item("1", absl::StrCat(Body("x"), "<wp:postmeta><wp:meta_key>", key,
                                        "</wp:meta_key><wp:meta_value><![CDATA[", value,
                                        "]]></wp:meta_value></wp:postmeta>")));
    return items.articles.at(0).file.draft;
  };
  const std::vector<std::pair<std::string, std::string>> hidden = {
      {"_wpmem_block", "1"},
      {"_is_paid", "1"},
      {"patreon-level", "5"},
      {"groups-read", "2"},
      {"groups-groups_read_post", "groups_read_post"},
      {"rcp_user_level", "Subscriber"},
      {"rcp_subscription_level", "any-paid"},
      {"pms-content-restrict-user-status", "loggedin"},
      {"um_content_restriction", R"(a:1:{s:14:"_um_accessible";s:1:"2";})"}};
  for (const auto& [key, value] : hidden) EXPECT_NE(draft_of(key, value), "") << key;
  const std::vector<std::pair<std::string, std::string>> shown = {
      {"_wpmem_block", "0"},
      {"patreon-level", "0"},
      {"rcp_user_level", "All"},
      {"rcp_access_level", "None"},
      {"rcp_hide_from_feed", "on"},
      {"um_content_restriction", R"(a:1:{s:14:"_um_accessible";s:1:"0";})"}};
  for (const auto& [key, value] : shown) EXPECT_EQ(draft_of(key, value), "") << key;
}

TEST(WordPress, NamesOfReadersAreHtml) {
  const auto name_of = [](const std::string& name) {
    const ReadItems items =
        ReadSite(Item("1", absl::StrCat(Body("x"), "<wp:comment><wp:comment_id>1</wp:comment_id>",
                                        "<wp:comment_author><![CDATA[", name,
                                        "]]></wp:comment_author><wp:comment_approved>1"
                                        "</wp:comment_approved></wp:comment>")));
    return items.comments.at(0).author_name;
  };
  EXPECT_EQ(name_of("Tom &amp; Jerry"), "Tom & Jerry");
  EXPECT_EQ(name_of("O&#8217;Neil"), "O\u2019Neil");
}

TEST(WordPress, NotesWhatReadersMiss) {
  const ReadItems items =
      ReadSite(Item("1", Body("a <iframe src=\"https://video.example/1\"></iframe> b")));
  EXPECT_THAT(items.articles.at(0).file.notes, ElementsAre("left out 1 <iframe>"));
}

TEST(WordPress, ASpaceIsAPassword) {
  const ReadItems items =
      ReadSite(Item("1", absl::StrCat(Body("x"), "<wp:post_password> </wp:post_password>")));
  EXPECT_EQ(items.articles[0].file.draft, "the post has a password");
}

TEST(WordPress, AScheduledPostWithoutATimeIsADraft) {
  constexpr char kLocal[] = "<wp:post_date>2030-05-01 03:04:00</wp:post_date>";
  const ReadItems items = ReadSite(absl::StrCat(
      DatedItem("future", "0000-00-00 00:00:00", ""),
      DatedItem("future", "0000-00-00 00:00:00", kLocal),
      DatedItem("future", "0000-00-00 00:00:00",
                absl::StrCat(kLocal, "<pubDate>Thu, 01 Jan 1970 00:00:00 +0000</pubDate>")),
      DatedItem("future", "0000-00-00 00:00:00",
                absl::StrCat(kLocal, "<pubDate>Wed, 01 May 2030 11:04:00 +0000</pubDate>"))));
  ASSERT_EQ(items.articles.size(), 4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(items.articles[i].file.draft, "the post is scheduled for a time that is not known");
  }
  EXPECT_EQ(items.articles[3].file.draft, "");
  EXPECT_EQ(items.articles[3].file.article.publish_time().seconds(), 1903863840);
  EXPECT_THAT(items.articles[3].file.notes, IsEmpty());
}

TEST(WordPress, APostWithoutADateHasANote) {
  const ReadItems items = ReadSite(DatedItem("publish", "0000-00-00 00:00:00", ""));
  EXPECT_THAT(items.articles[0].file.notes, ElementsAre("it has no date that can be read"));
}

TEST(WordPress, NamesOfAuthorsAreHtmlWithoutAddresses) {
  const auto author_of = [](const std::string& name) {
    const ReadItems items = ReadSite(
        absl::StrCat("<wp:author><wp:author_login>tom</wp:author_login><wp:author_display_name>",
                     name, "</wp:author_display_name></wp:author>", "<item><title>T</title>",
                     "<dc:creator>tom</dc:creator><wp:post_id>1</wp:post_id>"
                     "<wp:status>publish</wp:status><wp:post_type>post</wp:post_type></item>"));
    const auto& authors = items.articles[0].file.article.authors();
    return authors.empty() ? "" : authors[0].display_name();
  };
  EXPECT_EQ(author_of("Tom &amp;amp; Jerry"), "Tom & Jerry");
  EXPECT_EQ(author_of("Tom (tom&amp;#64;mail.example)"), "Tom");
  EXPECT_EQ(author_of("tom@mail.example"), "");
}

TEST(WordPress, RefusesWhatIsTooLargeAndGoesOn) {
  const std::string large(size_t{65} << 20, 'x');
  const ReadItems items = ReadSite(
      absl::StrCat(Item("1", Body(large)), Item("2", absl::StrCat(Body("x"), Comment("5", "1")))));
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(items.refused, ElementsAre("post 1: is larger than 64 MiB"));
  EXPECT_EQ(items.articles.size(), 1);
  EXPECT_EQ(items.comments.size(), 1);
}

TEST(WordPress, AuthorsHaveTheNamesThatAreNoAddresses) {
  const ReadItems items = ReadSite(
      absl::StrCat("<wp:author><wp:author_login>jo</wp:author_login>"
                   "<wp:author_display_name>jo@harbour.example</wp:author_display_name>"
                   "<wp:author_first_name>Jo</wp:author_first_name>"
                   "<wp:author_last_name>Doe</wp:author_last_name></wp:author>",
                   absl::StrReplaceAll(Item("1", Body("x")), {{"creator>ada", "creator>jo"}})));
  EXPECT_EQ(items.articles.at(0).file.article.authors(0).display_name(), "Jo Doe");
}

TEST(WordPress, AnArticleHasAllItsAuthors) {
  const auto authors = [](const std::string& terms) {
    const ReadItems items = ReadSite(Item("1", absl::StrCat(Body("x"), terms)));
    std::vector<std::string> names;
    for (const v1::Author& author : items.articles.at(0).file.article.authors()) {
      names.push_back(author.display_name());
    }
    return names;
  };
  EXPECT_THAT(authors("<category domain='author' nicename='cap-jo'>Jo Doe</category>"
                      "<category domain='author' nicename='cap-ada'>ada</category>"
                      "<category domain='author' nicename='cap-bo'>bo</category>"),
              ElementsAre("Jo Doe", "Ada Byron"));
  EXPECT_THAT(authors("<category domain='author' nicename='cap-bo'>bo</category>"),
              ElementsAre("Ada Byron"));
}

TEST(WordPress, ALoginIsNoName) {
  const ReadItems items = ReadSite(
      "<item><title>T</title><dc:creator>root</dc:creator><wp:post_id>1</wp:post_id>"
      "<wp:status>publish</wp:status><wp:post_type>post</wp:post_type></item>");
  ASSERT_EQ(items.articles.size(), 1);
  EXPECT_THAT(items.articles[0].file.article.authors(), IsEmpty());
}

TEST(WordPress, WhatIsBeforeABreakComesIn) {
  const ReadItems items =
      ReadExport(ReadWordPress, absl::StrCat(kHead, Item("1", Body("x")), "<item><title>Cut"));
  EXPECT_EQ(items.articles.size(), 1);
  EXPECT_THAT(std::string(items.status.message()), HasSubstr("line "));
}

TEST(WordPress, BlocksKeepTheirParagraphs) {
  const ReadItems items =
      ReadSite(Item("1", Body("<!-- wp:paragraph -->\n<p>One\ntwo</p>\n"
                              "<!-- /wp:paragraph -->\n\n<!-- wp:archives /-->\n")));
  EXPECT_EQ(items.articles[0].file.article.body(), "One two");
}

std::string MarkdownOfPost(const std::string& html, const std::string& footnotes = "") {
  const ReadItems items = ReadSite(Item(
      "7",
      absl::StrCat(Body(html), "<wp:postmeta><wp:meta_key>footnotes</wp:meta_key>",
                   "<wp:meta_value><![CDATA[", footnotes, "]]></wp:meta_value></wp:postmeta>")));
  return items.articles.at(0).file.article.body();
}

TEST(WordPress, FootnotesComeWithTheText) {
  const std::string notes =
      R"([{"content":"The <em>note<\/em>","id":"u-1"},{"content":"Gone","id":"u-2"},)"
      R"({"content":"Other","id":"u-3"}])";
  const std::string text =
      "<!-- wp:paragraph --><p>One<sup data-fn=\"u-1\" class=\"fn\"><a href=\"#u-1\">1</a></sup> "
      "m<sup>2</sup><sup data-fn=\"u-3\" class=\"fn\"><a href=\"#u-3\">2</a></sup></p>"
      "<!-- /wp:paragraph -->";
  EXPECT_EQ(MarkdownOfPost(text + "<!-- wp:footnotes /--><p>End</p>", notes),
            "One¹ m²²\n\n¹ The *note*\n\n² Other\n\nEnd");
  EXPECT_EQ(MarkdownOfPost(text, notes), "One¹ m²²");  // WordPress does not show them either
  for (const char* const other : {"{}", "[1, {}]", "no JSON"}) {
    EXPECT_EQ(MarkdownOfPost(text + "<!-- wp:footnotes /-->", other), "One¹ m²²") << other;
  }
}

TEST(WordPress, CodeThatNobodyHasEscapedIsCode) {
  EXPECT_EQ(MarkdownOfPost("<pre lang=\"php\">\n<?php echo \"<b>a && b</b>\"; ?>\n</pre>\nText"),
            "```\n<?php echo \"<b>a && b</b>\"; ?>\n```\n\nText");
  EXPECT_EQ(MarkdownOfPost("<PRE><?php echo 1; ?> <b>x</b></PRE>"), "```\n<?php echo 1; ?> x\n```");
  EXPECT_EQ(MarkdownOfPost("<pre lang='c'>a &lt; b &amp;&amp; <i>c</i></pre>"),
            "```\na < b && c\n```");
  EXPECT_EQ(MarkdownOfPost("<pre lang='c' escaped='true'><i>c</i></pre>"), "```\nc\n```");
}

TEST(WordPress, TagsLikeThoseOfCodeTakeLinearTime) {
  std::string html;
  while (html.size() < 1'000'000) html.append("<prex");
  MarkdownOfPost(html + ">");  // in quadratic time, a minute
}

TEST(WordPress, AFileHasOneLink) {
  EXPECT_EQ(
      MarkdownOfPost("<!-- wp:file --><div class=\"wp-block-file\"><a href=\"f.pdf\">F.pdf</a>"
                     "<a href=\"f.pdf\" class=\"wp-block-file__button\" download>Download</a>"
                     "</div><div class=\"wp-block-file\"><a href=\"g.pdf\" "
                     "class=\"wp-block-file__button\">Get</a></div><!-- /wp:file -->"),
      "[F.pdf](f.pdf)\n\n[Get](g.pdf)");
}

TEST(WordPress, NotesCommentsThatDisqusHasToo) {
  const ReadItems items = ReadSite(Item(
      "7", absl::StrCat(Body("x"), Comment("1", "1"),
                        Comment("2", "1", "<wp:comment_agent>Disqus/1.0:17</wp:comment_agent>"),
                        Comment("3", "1",
                                "<wp:commentmeta><wp:meta_key>dsq_post_id</wp:meta_key>"
                                "<wp:meta_value>17</wp:meta_value></wp:commentmeta>"))));
  ASSERT_EQ(items.comments.size(), 3);
  EXPECT_THAT(items.comments[0].notes, IsEmpty());
  for (const size_t i : {1, 2}) {
    EXPECT_THAT(items.comments[i].notes, ElementsAre(HasSubstr("is in Disqus too"))) << i;
  }
}

TEST(Paragraphs, AreMadeOfBlankLines) {
  EXPECT_EQ(Paragraphs("a\nb\n\nc"), "<p>a<br>b</p><p>c</p>");
  EXPECT_EQ(Paragraphs("a\r\n\r\n<em>b</em>"), "<p>a</p><p><em>b</em></p>");
  EXPECT_EQ(Paragraphs("a<ul>\n<li>x\ny</li>\n</ul>b"), "<p>a</p><ul><li>x<br>y</li></ul><p>b</p>");
  EXPECT_EQ(Paragraphs("<blockquote>a\n\nb</blockquote>"),
            "<blockquote><p>a</p><p>b</p></blockquote>");
  EXPECT_EQ(WithParagraphs("<pre>a\n\n  b</pre>"), "<pre>a\n\n  b</pre>");
  EXPECT_EQ(Paragraphs("<p>a\n\nb</p>"), "<p>a<br><br>b</p>");
  EXPECT_EQ(Paragraphs("<!--more-->a < b"), "<p>a < b</p>");
}

TEST(Paragraphs, FollowCapitalTags) {
  EXPECT_EQ(Paragraphs("<PRE>a</PRE>b\n\nc"), "<PRE>a</PRE><p>b</p><p>c</p>");
}

TEST(Paragraphs, TakeLinearTime) {
  std::string tags;
  for (int i = 0; i < 200'000; ++i) tags += "<div a=\"<pre";
  EXPECT_FALSE(WithParagraphs(tags).empty());
}

std::string Replaced(const std::string& text) {
  std::vector<std::string> notes;
  return WithoutShortcodes(text, notes);
}

TEST(Shortcodes, AreDroppedWithANote) {
  std::vector<std::string> notes;
  EXPECT_EQ(WithoutShortcodes("a [gallery ids=\"1,2\"] b [gallery] c", notes), "a  b  c");
  EXPECT_THAT(notes, ElementsAre("left out the shortcode [gallery]"));
}

TEST(Shortcodes, KeepWhatReadersNeed) {
  EXPECT_THAT(Replaced("[caption id=\"x\"]<img src=\"a.png\" /> The quay[/caption]"),
              HasSubstr("<figure><img src=\"a.png\" /><figcaption>The quay</figcaption></figure>"));
  EXPECT_THAT(Replaced("[embed]https://video.example/1[/embed]"),
              HasSubstr("<a href=\"https://video.example/1\">"));
  EXPECT_THAT(Replaced("[video mp4=\"https://video.example/2\"][/video]"),
              HasSubstr("<a href=\"https://video.example/2\">"));
  EXPECT_THAT(Replaced("[youtube https://video.example/?v=3&amp;w=320]"),
              HasSubstr("<a href=\"https://video.example/?v=3&amp;w=320\">"));
  EXPECT_THAT(Replaced("[code]a < b[/code]"), HasSubstr("<pre><code>a &lt; b</code></pre>"));
  EXPECT_EQ(Replaced("[box color=\"red\"]inside[/box]"), "inside");
}

TEST(Shortcodes, KeepTheTextBesideAnAddress) {
  const std::string link = "\n\n<a href=\"https://a.example/\">https://a.example/</a>\n\n";
  std::vector<std::string> notes;
  EXPECT_EQ(
      WithoutShortcodes("[quote src=\"https://a.example/\"]A <b>text</b>[gallery][/quote].", notes),
      absl::StrCat(link, "A <b>text</b>."));
  EXPECT_THAT(notes,
              ElementsAre("left out the shortcode [quote]", "left out the shortcode [gallery]"));
  EXPECT_EQ(Replaced("[audio src=\"https://a.example/\"] [/audio]"), link);
  EXPECT_EQ(Replaced("[embed url=\"https://a.example/\"]https://a.example/[/embed]"), link);
  EXPECT_EQ(Replaced("[embed url=\"https://a.example/\"]https://b.example/[/embed]"),
            absl::StrCat(link, absl::StrReplaceAll(link, {{"a.example", "b.example"}})));
}

TEST(Shortcodes, WhatIsForMembersGoes) {
  std::vector<std::string> notes;
  EXPECT_EQ(WithoutShortcodes("a[Members_only level=\"2\"]secret [b] <em>x</em>[/members_only]b"
                              "[s2If current_user_can(x)]secret[/s2If]c",
                              notes),
            "abc");
  EXPECT_THAT(notes, ElementsAre("left out the text in the shortcode [members_only], which may not "
                                 "be for all readers",
                                 "left out the text in the shortcode [s2if], which may not be for "
                                 "all readers"));
  for (const std::string name :
       {"mepr-restrict",  "private",        "wlm_protected", "premium",         "groups_member",
        "paywall",        "subscribers",    "is_logged_in",  "password",        "access",
        "vip_only",       "secret_content", "hidden_text",   "hide_content",    "hidepost",
        "login-required", "loginonly",      "registered",    "only_registered", "patreon-only",
        "patron"}) {
    EXPECT_EQ(Replaced(absl::StrCat("[", name, "]https://secret.example[/", name, "]")), "");
  }
  for (const std::string name : {"unregistered", "bookings", "sidebar", "archived"}) {
    EXPECT_EQ(Replaced(absl::StrCat("[", name, "]public[/", name, "]")), "public");
  }
  EXPECT_EQ(Replaced("[members_only] no end"), "[members_only] no end");
  EXPECT_THAT(Replaced("[box a=\"1\"][caption]<img src=\"a.png\">x [private]secret[/private]"
                       "[/caption][/box]"),
              Not(HasSubstr("secret")));
}

TEST(Shortcodes, AttributesSayWhatIsForMembers) {
  for (const std::string tag :
       {"box password=\"123\"", "passster", "ppwp passwords=1", "um_show_content roles='x'",
        "armif", "hide for=\"!logged\"", "is_paid", "show if=is_logged_in", "content level=gold",
        "show role=\"editor\"", "show role=\"group editor\"", "show role=\" editor\"",
        "box user_access='x'"}) {
    const std::string name = tag.substr(0, tag.find(' '));
    EXPECT_EQ(Replaced(absl::StrCat("[", tag, "]S[/", name, "]")), "") << tag;
    EXPECT_EQ(
        Replaced(absl::StrCat("<pre>[", tag, "]S[/", name, "]</pre>[[", tag, "]S[/", name, "]")),
        "<pre></pre>[")
        << tag;
  }
  for (const std::string tag :
       {"heading level=2", "box title=\"Members only = none\"", "quote by='a blogged word'",
        "button link=\"/?role=members\"", "section role=\"region\"", "section role=main",
        "row user_role=\"\" is_logged='' restrict= bg=\"x\"",
        "box accessibility_label=\"x\" accesskey=\"y\""}) {
    const std::string name = tag.substr(0, tag.find(' '));
    EXPECT_EQ(Replaced(absl::StrCat("[", tag, "]S[/", name, "]")), "S") << tag;
  }
}

TEST(Shortcodes, BlocksForMembersGo) {
  const auto without = [](const std::string& text) {
    std::vector<std::string> notes;
    return WithoutBlocksForMembers(text, notes);
  };
  const std::string plain =
      "<!-- wp:group {\"a\":1} --><p>x</p><!-- /wp:group --><!-- wp:more /--><!-- y -->z";
  EXPECT_EQ(without(plain), plain);
  EXPECT_EQ(without("a<!-- wp:premium-content/subscriber-view --><!-- wp:p -->secret<!-- /wp:p -->"
                    "<!-- /wp:premium-content/subscriber-view -->b"),
            "ab");
  EXPECT_EQ(without("a<!-- wp:x/members {\"b\":1} -->s<!-- wp:x/members -->s<!-- /wp:x/members -->"
                    "s<!-- wp:x/members /-->s<!-- /wp:x/members -->b<!-- wp:x/members /-->c"),
            "ab<!-- wp:x/members /-->c");
  EXPECT_EQ(without("a<!-- wp:x/members -->secret"), "a");
  for (const std::string attributes :
       {R"({"metadata":{"blockVisibility":false}})", R"({"blockVisibility":{"hideBlock":true}})",
        R"({"blockVisibility":{"controlSets":[{"userRole":{"visibilityByRole":"logged-in"}}]}})"}) {
    EXPECT_EQ(without(absl::StrCat("a<!-- wp:p ", attributes, " -->secret<!-- /wp:p -->b")), "ab");
  }
  EXPECT_EQ(without("a<!-- wp:x/vip-only -->secret<!-- /wp:x/vip-only -->b"), "ab");
  std::vector<std::string> notes;
  EXPECT_EQ(WithoutBlocksForMembers("a<!-- wp:jetpack/paywall /-->secret<!-- wp:p -->", notes),
            "a");
  EXPECT_THAT(notes, ElementsAre("left out the text in the block jetpack/paywall, which is not for "
                                 "all readers"));
  const ReadItems items =
      ReadSite(Item("1", Body("<!-- wp:p --><p>a</p><!-- /wp:p --><!-- wp:jetpack/paywall /-->b")));
  EXPECT_EQ(items.articles[0].file.article.body(), "a");
}

TEST(Shortcodes, CodeStays) {
  for (const std::string text :
       {"<pre><code>input[type=\"text\"] { color: red }</code></pre>",
        "<PRE class=\"a\">x [gallery ids=\"1\"] [b c=\"d\"] [i]e[/i]</PRE>",
        "<code>list[[name]]</code>", "<pre>[caption]", "input[type=\"text\"]",
        "[x for x in range(9) if x % 2 == 0]", "[x=1]", "[x=\"1\"]", "[x y=1]"}) {
    std::vector<std::string> notes;
    EXPECT_EQ(WithoutShortcodes(text, notes), text);
    EXPECT_THAT(notes, IsEmpty()) << text;
  }
  EXPECT_EQ(Replaced("<code>[a]</code>[b c=\"d\"]<precise>[gallery]</precise>[gallery id=1]"),
            "<code>[a]</code><precise></precise>");
  EXPECT_EQ(Replaced("<pre>[[gallery]]</pre>"), "<pre>[gallery]</pre>");
  EXPECT_THAT(Replaced("[php]$a[b=1] < 2[/php]"),
              HasSubstr("<pre><code>$a[b=1] &lt; 2</code></pre>"));
}

TEST(Shortcodes, WordsInBracketsStay) {
  EXPECT_EQ(Replaced("[sic] [1] [the harbour] a[0] [["), "[sic] [1] [the harbour] a[0] [[");
  EXPECT_EQ(Replaced("[[gallery]]"), "[gallery]");
}

TEST(Shortcodes, TakeLinearTime) {
  std::string brackets;
  for (int i = 0; i < 200'000; ++i) brackets += "[a [b";
  EXPECT_EQ(Replaced(brackets), brackets);
  std::string nested;
  for (int i = 0; i < 125'000; ++i) nested += "[a]";
  EXPECT_EQ(Replaced(nested + "[/a]"), "");
  std::string names;
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&names, "[a", i, "]");
  EXPECT_EQ(Replaced(names), names);
  std::string code;
  for (int i = 0; i < 200'000; ++i) code += "<code>[[";
  EXPECT_EQ(Replaced(code), code);
}

}  // namespace
}  // namespace content::transfer
