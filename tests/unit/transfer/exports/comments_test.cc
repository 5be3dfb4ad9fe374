// What becomes of the comments of an export before they go to the store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "content/text.h"
#include "transfer/exports/addresses.h"
#include "transfer/exports/authors.h"
#include "transfer/exports/beginning.h"
#include "transfer/exports/comment_spool.h"
#include "transfer/exports/imported_comment.h"
#include "transfer/exports/run.h"
#include "transfer/html/plain_text.h"
#include "transfer/parse.h"
#include "transfer/refusal.h"
#include "transfer/report.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ExportedComment MakeComment() {
  return {.source_id = "17",
          .author_name = "Bo",
          .author_key = "bo@harbour.example",
          .create_time = absl::FromUnixSeconds(1'600'000'000),
          .body = "Fine.",
          .state = v1::COMMENT_STATE_VISIBLE};
}

TEST(Addresses, AreComparedWithoutWhatSaysNothing) {
  for (const char* const address :
       {"https://harbour.example/a/b", "http://www.Harbour.example/a/b/", "//harbour.example/a/b#c",
        "https://harbour.example/a/b?utm_source=x&m=1", " https://harbour.example/a/%62 ",
        "https://harbour.example:443/a/b", "http://www.harbour.example:80/a/b/?amp=1"}) {
    EXPECT_EQ(NormalAddress(address), "harbour.example/a/b") << address;
  }
  EXPECT_EQ(NormalAddress("/a/b/"), "/a/b");
  EXPECT_EQ(NormalAddress("http://harbour.example/?p=17"), "harbour.example?p=17");
  EXPECT_EQ(NormalAddress("http://harbour.example/?p=17&preview=true"), "harbour.example?p=17");
  EXPECT_EQ(NormalAddress("http://harbour.example:8080/a"), "harbour.example:8080/a");
}

TEST(Addresses, OfBloggerAreTheSameInAllCountries) {
  for (const char* const host : {"ada.blogspot.com", "ada.blogspot.co.uk", "ada.blogspot.com.br",
                                 "www.ada.blogspot.de:443"}) {
    EXPECT_EQ(NormalAddress(absl::StrCat("https://", host, "/2012/03/kale.html?m=1")),
              "ada.blogspot.com/2012/03/kale.html")
        << host;
  }
  EXPECT_EQ(HostOf("https://blogspot.example/a"), "blogspot.example");
}

TEST(Addresses, OfViewsLeadToTheirPage) {
  for (const char* const address :
       {"https://harbour.example/low/amp", "https://harbour.example/low/feed/?x=1#y",
        "https://harbour.example/low/comment-page-12/"}) {
    EXPECT_EQ(AddressOfPage(address), "https://harbour.example/low/") << address;
  }
  for (const char* const address :
       {"https://harbour.example/low/", "/amplifier", "/comment-page-x", "/comment-page-", ""}) {
    EXPECT_EQ(AddressOfPage(address), address);
  }
}

TEST(Addresses, HaveHosts) {
  EXPECT_EQ(HostOf("https://www.Harbour.example/a"), "harbour.example");
  EXPECT_EQ(HostOf("//harbour.example?p=1"), "harbour.example");
  EXPECT_EQ(HostOf("harbour.example/a"), "harbour.example");
  for (const char* const path :
       {"/a/b", "?p=1", "low.html", "17", "", "/go?to=https://a.example"}) {
    EXPECT_EQ(HostOf(path), "") << path;
  }
}

TEST(Addresses, AreFoundWholeOrByPathIfOneHasNoHost) {
  AddressIndex index;
  index.Add("https://one.example/a", 1);
  index.Add("https://one.example/shared", 2);
  index.Add("https://two.example/shared", 3);
  index.Add("/low/", 4);
  EXPECT_EQ(index.Find("http://one.example/a/"), 1);
  EXPECT_EQ(index.Find("/a"), 1);
  EXPECT_EQ(index.Find("https://other.example/a"), std::nullopt);
  EXPECT_EQ(index.Find("https://two.example/shared"), 3);
  EXPECT_EQ(index.Find("/shared"), std::nullopt);
  EXPECT_EQ(index.Find("https://any.example/low"), 4);
  EXPECT_EQ(index.Find("https://one.example/"), std::nullopt);
  EXPECT_EQ(index.Find(""), std::nullopt);
}

TEST(Addresses, AreFoundOnOtherHostsOnlyIfAsked) {
  AddressIndex index;
  index.Add("https://one.example/a", 1);
  index.Add("https://old.example/?p=1", 1);
  EXPECT_EQ(index.FindByPath("https://other.example/a/"), 1);
  EXPECT_TRUE(index.HasPath("https://other.example/a/"));
  EXPECT_TRUE(index.HasHost("https://old.example/b"));
  EXPECT_FALSE(index.HasHost("https://other.example/a"));
  EXPECT_FALSE(index.HasHost("/a"));
}

TEST(Addresses, AQueryAloneSaysNothingWithoutItsHost) {
  AddressIndex index;
  index.Add("https://one.example/?p=1", 1);
  EXPECT_EQ(index.Find("https://one.example/?p=1"), 1);
  for (const char* const other : {"https://other.example/?p=1", "/?p=1", "?p=1"}) {
    EXPECT_EQ(index.Find(other), std::nullopt) << other;
    EXPECT_EQ(index.FindByPath(other), std::nullopt) << other;
    EXPECT_FALSE(index.HasPath(other)) << other;
  }
}

TEST(Addresses, AMapHasALineForEach) {
  const auto map =
      ParseAddressMap("# old\nhttps://a.example/x y\tarticles/one\n\n/b articles/two\r\n");
  ASSERT_TRUE(map.ok()) << map.status();
  ASSERT_EQ(map->size(), 2);
  EXPECT_EQ((*map)[0].address, "https://a.example/x y");
  EXPECT_EQ((*map)[0].article, "articles/one");
  EXPECT_EQ((*map)[1].address, "/b");
  for (const char* const wrong : {"\n/b", "/b two", "articles/two", "/b articles/Two"}) {
    EXPECT_THAT(std::string(ParseAddressMap(wrong).status().message()), HasSubstr("line "))
        << wrong;
  }
}

TEST(Authors, AreKnownByWhatTheSourceKnows) {
  const std::string id = AuthorId("disqus:a", "Bo", "user 7");
  EXPECT_EQ(AuthorId("disqus:a", "Bo Renamed", "user 7"), id);
  EXPECT_NE(AuthorId("disqus:a", "Bo", "user 8"), id);
  EXPECT_NE(AuthorId("disqus:b", "Bo", "user 7"), id);
  EXPECT_NE(AuthorId("disqus:a", "Bo", ""), AuthorId("disqus:a", "Jo", ""));
}

TEST(Authors, HaveIdsThatConfirmNoEmailAddress) {
  EXPECT_EQ(AuthorId("disqus:a", "Bo", "bo@harbour.example"), AuthorId("disqus:a", "Bo", ""));
  EXPECT_NE(AuthorId("disqus:a", "Bo", "bo@harbour.example"), AuthorId("disqus:a", "Jo", ""));
}

TEST(Authors, HaveNamesThatReadersMaySee) {
  EXPECT_EQ(AuthorName(" Bo \n Lee "), "Bo Lee");
  EXPECT_EQ(AuthorName(""), "Anonymous");
  EXPECT_EQ(AuthorName("\u200b"), "Anonymous");
  for (const char* const address : {"bo@harbour.example", "bo@localhost", "bo&#64;harbour.example",
                                    "<bo@harbour.example>", "192.0.2.7", "2001:db8::7"}) {
    EXPECT_EQ(AuthorName(address), "Anonymous") << address;
  }
  EXPECT_EQ(AuthorName("Bo <bo@harbour.example>"), "Bo");
  EXPECT_EQ(AuthorName("Bo (bo&#x40;harbour.example)"), "Bo");
  EXPECT_EQ(AuthorName("mail bo@harbour.example"), "mail");
  EXPECT_EQ(AuthorName("@bo"), "@bo");
  EXPECT_EQ(AuthorName("Bo < Jo"), "Bo < Jo");
  EXPECT_EQ(CountCharacters(AuthorName(std::string(500, 'x'))), 100);
}

TEST(Comments, AreBroughtIntoTheFormOfTheRules) {
  ExportedComment comment = MakeComment();
  comment.parent_source_id = "16";
  comment.body = "One\r\ntwo\x01 cafe\u0301 \n";
  const auto spooled = ToImportedComment(comment, "disqus:a");
  ASSERT_TRUE(spooled.ok()) << spooled.status();
  EXPECT_EQ(spooled->comment.source_id(), "17");
  EXPECT_EQ(spooled->comment.reply_to_source_id(), "16");
  EXPECT_EQ(spooled->comment.body(), "One\ntwo caf\u00e9");
  EXPECT_EQ(spooled->comment.create_time().seconds(), 1'600'000'000);
  EXPECT_THAT(spooled->comment.SerializeAsString(), Not(HasSubstr("harbour.example")));
}

TEST(Comments, AreCutWithANote) {
  ExportedComment comment = MakeComment();
  comment.body = std::string(20'000, 'x');
  const auto spooled = ToImportedComment(comment, "disqus:a");
  ASSERT_TRUE(spooled.ok());
  EXPECT_EQ(CountCharacters(spooled->comment.body()), 10'000);
  EXPECT_THAT(spooled->notes, ElementsAre("the text was cut, because it was too long"));
}

TEST(Comments, WithoutATimeAreRefused) {
  ExportedComment comment = MakeComment();
  comment.create_time = absl::InfinitePast();
  EXPECT_FALSE(ToImportedComment(comment, "disqus:a").ok());
}

TEST(Comments, ThatAreDeletedKeepOnlyTheirPlace) {
  ExportedComment comment = MakeComment();
  comment.state = v1::COMMENT_STATE_DELETED;
  const auto spooled = ToImportedComment(comment, "disqus:a");
  ASSERT_TRUE(spooled.ok());
  EXPECT_FALSE(spooled->comment.has_author());
  EXPECT_EQ(spooled->comment.body(), "");
}

TEST(Comments, WithoutATextAreRefused) {
  ExportedComment comment = MakeComment();
  comment.body = "<p> </p>";
  comment.to_text = HtmlToPlainText;
  const auto spooled = ToImportedComment(comment, "disqus:a");
  EXPECT_EQ(spooled.status().message(), "has no text");
  EXPECT_EQ(ReasonOfRefusal(spooled.status()), "cannot be read");
  comment.state = v1::COMMENT_STATE_DELETED;
  EXPECT_TRUE(ToImportedComment(comment, "disqus:a").ok());
}

constexpr int kExported = 1'203;
// Readers of exports are functions.
std::atomic<bool> reading_goes_on;

std::string TextWhenReadingGoesOn(absl::string_view body) {
  reading_goes_on.wait(false);
  return body == "7" ? "" : std::string(body);
}

absl::Status ReadCounted(ExportFile& /*file*/, ExportSink& sink) {
  sink.SetOrigin("a");
  for (int i = 0; i < kExported; ++i) {
    ExportedComment comment = MakeComment();
    comment.source_id = absl::StrCat(i);
    comment.article_key = "1";
    comment.body = comment.source_id;
    comment.to_text = TextWhenReadingGoesOn;
    if (!sink.Take(std::move(comment))) break;
    if (i == 600) reading_goes_on = true;
    reading_goes_on.notify_all();
  }
  return absl::OkStatus();
}

TEST(ExportRun, BringsCommentsIntoFormWhileItReads) {
  reading_goes_on = false;
  std::ostringstream results;
  std::ostringstream messages;
  std::ostringstream lines;
  Report report({.results = results, .messages = messages, .lines = &lines});
  ExportRun run({.map = {{.address = "1", .article = "articles/low"}}}, nullptr, report,
                [](ItemReport, const absl::StatusOr<ParsedArticle>&, const ExportRun::Landed&) {});
  run.Read("/dev/null", {.name = "counted", .begins = nullptr, .read = ReadCounted}, "");
  EXPECT_TRUE(run.ImportComments());
  report.Finish(true);
  EXPECT_THAT(results.str(), HasSubstr("comments valid               1,202  "));
  EXPECT_THAT(results.str(), HasSubstr("comments refused                 1  /dev/null: comment 7\n"
                                       "  cannot be read                 1  "));
  EXPECT_THAT(lines.str(), HasSubstr("\"problems\":[\"has no text\"]"));
}

absl::Status ReadViews(ExportFile& /*file*/, ExportSink& sink) {
  for (const char* const page : {"/low/", "/on/amp/"}) {
    ExportedArticle article;
    article.label = page;
    article.addresses = {absl::StrCat("https://harbour.example", page)};
    sink.Take(std::move(article));
  }
  for (const char* const page : {"/low/amp", "/low/comment-page-2/", "/on/amp"}) {
    ExportedComment comment = MakeComment();
    comment.source_id = page;
    comment.address = absl::StrCat("https://harbour.example", page);
    sink.Take(std::move(comment));
  }
  return absl::OkStatus();
}

TEST(ExportRun, CommentsOnAViewAreThoseOfItsPage) {
  std::ostringstream results;
  std::ostringstream messages;
  Report report({.results = results, .messages = messages});
  ExportRun run({}, nullptr, report,
                [](const ItemReport& item, const absl::StatusOr<ParsedArticle>&,
                   const ExportRun::Landed& landed) {
                  landed(item.item == "/low/" ? "articles/low" : "articles/on-amp");
                });
  run.Read("/dev/null", {.name = "views", .begins = nullptr, .read = ReadViews}, "");
  EXPECT_TRUE(run.ImportComments());
  report.Finish(true);
  EXPECT_THAT(results.str(), HasSubstr("comments valid                   3  "));
}

absl::Status ReadCircles(ExportFile& /*file*/, ExportSink& sink) {
  const std::vector<std::pair<std::string, std::string>> replies = {
      {"1", "2"}, {"2", "1"}, {"3", "3"}, {"4", "3"}, {"5", ""}};
  for (const auto& [id, parent] : replies) {
    ExportedComment comment = MakeComment();
    comment.source_id = id;
    comment.parent_source_id = parent;
    comment.article_key = "1";
    sink.Take(std::move(comment));
  }
  return absl::OkStatus();
}

TEST(ExportRun, CommentsThatReplyToThemselvesGoToTheTop) {
  std::ostringstream results;
  std::ostringstream messages;
  std::ostringstream lines;
  Report report({.results = results, .messages = messages, .lines = &lines});
  ExportRun run(
      {.map = {{.address = "1", .article = "articles/low"}}}, nullptr, report,
      [](const ItemReport&, const absl::StatusOr<ParsedArticle>&, const ExportRun::Landed&) {});
  run.Read("/dev/null", {.name = "circles", .begins = nullptr, .read = ReadCircles}, "");
  EXPECT_TRUE(run.ImportComments());
  report.Finish(true);
  EXPECT_THAT(results.str(), HasSubstr("comments valid                   5  "));
  std::vector<std::string> at_top;
  for (const absl::string_view line : absl::StrSplit(lines.str(), '\n')) {
    if (!absl::StrContains(line, "replies to itself, so it is at the top")) continue;
    const size_t item = line.find("comment ");
    at_top.emplace_back(line.substr(item, sizeof("comment 1") - 1));
  }
  EXPECT_THAT(at_top, ::testing::UnorderedElementsAre("comment 2", "comment 3"));
}

TEST(CommentSpool, GivesBackWhatItTook) {
  CommentSpool spool;
  for (int i = 0; i < 5'000; ++i) {
    SpooledComment comment = *ToImportedComment(MakeComment(), "disqus:a");
    comment.comment.set_source_id(absl::StrCat(i));
    comment.comment.set_body(std::string(500, 'x'));
    comment.notes = {absl::StrCat("note ", i), "another"};
    ASSERT_TRUE(spool.Add(static_cast<uint32_t>(i), comment).ok());
  }
  ASSERT_TRUE(spool.Flush().ok());
  ASSERT_EQ(spool.entries().size(), 5'000);
  const auto& all = spool.entries();
  const auto read = spool.Read({all[4'321], all[4'322], all[4'320], all[0], all[4'999]});
  ASSERT_TRUE(read.ok()) << read.status();
  std::vector<std::string> ids;
  for (const SpooledComment& comment : *read) ids.push_back(comment.comment.source_id());
  EXPECT_THAT(ids, ElementsAre("4321", "4322", "4320", "0", "4999"));
  EXPECT_THAT(read->front().notes, ElementsAre("note 4321", "another"));
}

TEST(Exports, SayWhenAnArticleLastChanged) {
  const auto changed = [](int64_t publish_time, std::optional<int64_t> update_time) {
    ParsedFile file;
    file.article.set_title("Low water");
    file.article.set_body("Dry.");
    file.article.mutable_publish_time()->set_seconds(publish_time);
    if (update_time) file.update_time = absl::FromUnixSeconds(*update_time);
    const absl::StatusOr<ParsedArticle> parsed = CompleteExported(std::move(file), "7", {});
    if (!parsed.ok() || !parsed->restoration) return int64_t{0};
    return absl::ToUnixSeconds(parsed->restoration->update_time);
  };
  EXPECT_EQ(changed(1'000, 2'000), 2'000);
  EXPECT_EQ(changed(1'000, 900), 1'000);
  EXPECT_EQ(changed(1'000, std::nullopt), 0);
}

TEST(Beginning, IsTheFirstWords) {
  EXPECT_EQ(BeginningOf("# Head\n\nSome *text* and `code`."), "Head Some text and code.");
  EXPECT_EQ(BeginningOf("![](a.png)\n"), "");
  EXPECT_EQ(BeginningOf("One two three four five six seven eight nine ten eleven twelve thirteen"),
            "One two three four five six seven eight nine ten eleven…");
}

}  // namespace
}  // namespace content::transfer
