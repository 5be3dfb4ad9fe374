#include "transfer/exports/disqus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string DisqusExport(absl::string_view content) {
  return absl::StrCat(
      "<?xml version=\"1.0\"?>\n<disqus xmlns=\"http://disqus.com\" "
      "xmlns:dsq=\"http://disqus.com/disqus-internals\">\n"
      "<thread dsq:id=\"1\"><id/><link>https://blog.example/low/</link></thread>\n"
      "<thread dsq:id=\"2\"><id>962 https://blog.example/?p=962</id></thread>\n"
      "<thread dsq:id=\"3\"><link>https://blog.example/x/</link>"
      "<isDeleted>true</isDeleted></thread>\n",
      content, "\n</disqus>\n");
}

std::string DisqusPost(absl::string_view fields, int thread = 1) {
  return DisqusExport(
      absl::StrCat("<post dsq:id=\"10\"><message><![CDATA[<p>Text</p>]]></message>"
                   "<createdAt>2020-01-02T10:00:00Z</createdAt>",
                   fields, "<thread dsq:id=\"", thread, "\"/></post>"));
}

TEST(Disqus, ReadsPosts) {
  const ReadItems items = ReadExport(ReadDisqus, DisqusExport(R"(
      <post dsq:id="10">
        <id>wp_id=7</id>
        <message>
          <![CDATA[<p>One <b>two</b><br>three &amp; four</p>]]>
        </message>
        <createdAt>
          2020-01-02T10:00:00Z
        </createdAt>
        <isDeleted>false</isDeleted><isSpam>false</isSpam>
        <author><email>ada@example.org</email><name>Ada</name><isAnonymous>false</isAnonymous>
          <username>ada1</username></author>
        <ipAddress>192.0.2.1</ipAddress>
        <thread dsq:id="1"/>
      </post>
      <post dsq:id="11"><message>Reply</message><createdAt>2020-01-03T10:00:00Z</createdAt>
        <author><name>Jo</name><email>jo@example.org</email><isAnonymous>true</isAnonymous></author>
        <thread dsq:id="2">x</thread><parent dsq:id="10"/></post>
      <post><id>12</id><message>No id</message><createdAt>2020-01-03T10:00:00Z</createdAt>
        <author><name>Guest</name></author><thread dsq:id="4"/></post>
      <thread dsq:id="4"><link>https://blog.example/late/</link></thread>)"));
  ASSERT_TRUE(items.status.ok()) << items.status;
  ASSERT_THAT(items.comments, SizeIs(3));
  const ExportedComment& first = items.comments[0];
  EXPECT_EQ(first.source_id, "10");
  EXPECT_EQ(first.parent_source_id, "");
  EXPECT_EQ(first.address, "https://blog.example/low/");
  EXPECT_EQ(first.author_name, "Ada");
  EXPECT_EQ(first.author_key, "ada1");
  EXPECT_EQ(first.create_time, absl::FromUnixSeconds(1577959200));
  EXPECT_EQ(first.body, "One two\nthree & four");
  EXPECT_EQ(first.state, v1::COMMENT_STATE_VISIBLE);
  const ExportedComment& second = items.comments[1];
  EXPECT_EQ(second.parent_source_id, "10");
  EXPECT_EQ(second.address, "https://blog.example/?p=962");
  EXPECT_EQ(second.author_key, "");
  const ExportedComment& third = items.comments[2];
  EXPECT_EQ(third.source_id, "12");
  EXPECT_EQ(third.author_key, "");
  EXPECT_EQ(third.address, "https://blog.example/late/");
}

TEST(Disqus, LinksLeadWhereTheySay) {
  const auto text = [](absl::string_view html) {
    return ReadExport(ReadDisqus, DisqusExport(absl::StrCat(
                                      "<post dsq:id=\"10\"><message><![CDATA[", html,
                                      "]]></message><createdAt>2020-01-02T10:00:00Z</createdAt>"
                                      "<thread dsq:id=\"1\"/></post>")))
        .comments.at(0)
        .body;
  };
  EXPECT_EQ(text("See <a href=\"http://disq.us/url?url=https%3A%2F%2Fa.example%2Fb%3Fc%3D1%26d%3D2"
                 "%3AabcdefghijKLMNOPQRST_-01234&amp;cuid=1\" rel=\"nofollow\">there</a>."),
            "See there (https://a.example/b?c=1&d=2).");
  EXPECT_EQ(text("https://disq.us/url?url=http%3A%2F%2Fa.example%3A8080&cuid=1 and <b>on</b>"),
            "http://a.example:8080 and on");
  EXPECT_EQ(text("http://disq.us/url?url=%FF and http://disq.us/p/1"),
            "http://disq.us/url?url=%FF and http://disq.us/p/1");
}

TEST(Disqus, ShowsOnlyWhatWasVisible) {
  const auto state = [](absl::string_view fields) {
    return ReadExport(ReadDisqus, DisqusPost(fields)).comments.at(0).state;
  };
  EXPECT_EQ(state(""), v1::COMMENT_STATE_VISIBLE);
  EXPECT_EQ(state("<isApproved>true</isApproved>"), v1::COMMENT_STATE_VISIBLE);
  EXPECT_EQ(state("<isApproved>false</isApproved>"), v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(state("<isSpam>123</isSpam>"), v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(state("<isDeleted>true</isDeleted>"), v1::COMMENT_STATE_DELETED);
  const ReadItems deleted = ReadExport(ReadDisqus, DisqusPost("<isDeleted>true</isDeleted>"));
  EXPECT_THAT(deleted.comments.at(0).body, IsEmpty());
  const ReadItems spam = ReadExport(ReadDisqus, DisqusPost("<isSpam>true</isSpam>"));
  EXPECT_THAT(spam.left_out, ElementsAre("comment 10: spam"));
  const ReadItems hidden = ReadExport(ReadDisqus, DisqusPost("", 3));
  EXPECT_THAT(hidden.left_out, ElementsAre("comment 10: in a deleted thread"));
  EXPECT_THAT(hidden.comments, IsEmpty());
}

TEST(Disqus, RefusesPostsThatLackSomething) {
  EXPECT_THAT(ReadExport(ReadDisqus, DisqusPost("", 1337)).refused,
              ElementsAre("comment 10: its thread is not in the file"));
  EXPECT_THAT(ReadExport(ReadDisqus, DisqusExport("<post dsq:id=\"10\"><message>x</message>"
                                                  "<createdAt>2011-x09</createdAt>"
                                                  "<thread dsq:id=\"1\"/></post>"))
                  .refused,
              ElementsAre("comment 10: has no date that can be read"));
  EXPECT_THAT(ReadExport(ReadDisqus, DisqusExport("<post/>")).refused, SizeIs(1));
}

TEST(Disqus, TakesPostsOnceWhereverTheirThreadsAre) {
  const auto post = [](int id, int thread, absl::string_view fields = "") {
    return absl::StrCat("<post dsq:id=\"", id,
                        "\"><message>x</message><createdAt>2020-01-02T10:00:00Z</createdAt>",
                        fields, "<thread dsq:id=\"", thread, "\"/></post>");
  };
  const std::string content = DisqusExport(
      absl::StrCat(post(10, 1), post(11, 4), post(12, 4, "<isSpam>true</isSpam>"), post(13, 5),
                   "<thread dsq:id=\"4\"><link>https://blog.example/late/</link></thread>",
                   post(14, 4), post(15, 1, "<isSpam>true</isSpam>"), post(16, 3)));
  const ReadItems items = ReadExport(ReadDisqus, content);
  ASSERT_TRUE(items.status.ok()) << items.status;
  std::vector<std::string> taken;
  for (const ExportedComment& comment : items.comments) {
    taken.push_back(absl::StrCat(comment.source_id, " ", comment.address));
  }
  EXPECT_THAT(taken, ElementsAre("10 https://blog.example/low/", "14 https://blog.example/late/",
                                 "11 https://blog.example/late/"));
  EXPECT_THAT(items.left_out, ElementsAre("comment 15: spam", "comment 16: in a deleted thread",
                                          "comment 12: spam"));
  EXPECT_THAT(items.refused, ElementsAre("comment 13: its thread is not in the file"));
  for (size_t max_items = 1; max_items < 7; ++max_items) {
    const ReadItems some = ReadExport(ReadDisqus, content, max_items);
    EXPECT_TRUE(some.status.ok()) << some.status;
    EXPECT_EQ(some.comments.size() + some.left_out.size() + some.refused.size(), max_items);
  }
}

TEST(Disqus, KeepsWhatCameBeforeADefect) {
  const std::string whole = DisqusPost("");
  const ReadItems cut = ReadExport(ReadDisqus, whole.substr(0, whole.size() - 11));
  EXPECT_FALSE(cut.status.ok());
  EXPECT_THAT(cut.comments, SizeIs(1));
  // As files that people have repaired by hand begin.
  const ReadItems odd = ReadExport(ReadDisqus, absl::StrCat("`", whole));
  EXPECT_TRUE(odd.status.ok()) << odd.status;
  EXPECT_THAT(odd.comments, SizeIs(1));
}

TEST(Disqus, IsRecognized) {
  EXPECT_TRUE(BeginsLikeDisqus(DisqusExport("")));
  EXPECT_FALSE(BeginsLikeDisqus("<rss><channel/></rss>"));
}

}  // namespace
}  // namespace content::transfer
