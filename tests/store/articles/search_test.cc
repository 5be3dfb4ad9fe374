#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"
#include "store/articles/search_fixture.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_F(SearchTest, FindsWordsOfTitleSummaryAndBody) {
  Add("title", {.title = "The whale"});
  Add("summary", {.summary = "Of a whale."});
  Add("body", {.body = "There was a whale."});
  Add("none", {.body = "There was a shark."});
  EXPECT_THAT(Find("whale"), ElementsAre("title", "summary", "body"));
}

TEST_F(SearchTest, AWordInTheTitleRanksAboveManyInTheBody) {
  Add("a-body", {.body = "Whale, whale, whale, whale: a whale; whales."});
  Add("a-title", {.title = "Whale"});
  Add("b-body", {.body = "Whale, whale, whale, whale: a whale; whales."});
  EXPECT_THAT(Find("whale"), ElementsAre("a-title", "b-body", "a-body"));
}

TEST_F(SearchTest, AWordInAShortTextRanksHigher) {
  std::string filler;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&filler, " filler", i);
  Add("b-long", {.body = absl::StrCat("A whale.", filler)});
  Add("a-short", {.body = "A whale."});
  Add("c-long", {.body = absl::StrCat("A whale.", filler)});
  EXPECT_THAT(Find("whale"), ElementsAre("a-short", "c-long", "b-long"));
}

TEST_F(SearchTest, AnswersWithArticlesInBasicView) {
  Add("found", {.title = "The whale", .body = "# One\n\nA whale."});
  const auto page = Search({.text = "whale", .page_size = 10});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->items, SizeIs(1));
  EXPECT_EQ(page->next_key, "");
  v1::Article expected = GetOne("found");
  expected.clear_body();
  expected.clear_sections();
  EXPECT_EQ(page->items[0].article().SerializeAsString(), expected.SerializeAsString());
}

TEST_F(SearchTest, EveryWordMustMatch) {
  Add("both", {.title = "Whales", .body = "and a ship"});
  Add("one", {.body = "a ship"});
  EXPECT_THAT(Find("whale ship"), ElementsAre("both"));
}

TEST_F(SearchTest, QuotedWordsMustFollowEachOther) {
  Add("apart", {.body = "The whale was white."});
  Add("together", {.body = "The white whale."});
  EXPECT_THAT(Find("\"white whale\""), ElementsAre("together"));
  EXPECT_THAT(Find("white whale"), UnorderedElementsAre("apart", "together"));
}

TEST_F(SearchTest, OrJoinsAlternatives) {
  Add("whale", {.body = "A whale."});
  Add("shark", {.body = "A shark."});
  Add("cow", {.body = "A cow."});
  EXPECT_THAT(Find("whale or shark"), UnorderedElementsAre("whale", "shark"));
}

TEST_F(SearchTest, AMinusExcludesAWord) {
  Add("plain", {.body = "A whale."});
  Add("white", {.body = "A white whale."});
  Add("foreign", {.body = "Uma baleia.", .language = "pt"});
  EXPECT_THAT(Find("whale -white"), ElementsAre("plain"));
  EXPECT_THAT(Find("-white"), UnorderedElementsAre("plain", "foreign"));
  EXPECT_THAT(Find("whale -\"white whale\""), ElementsAre("plain"));
}

TEST_F(SearchTest, FindsAllFormsOfAWordInTheArticlesLanguage) {
  Add("english", {.body = "The dog was running."});
  Add("portuguese", {.body = "As meninas cantavam.", .language = "pt-BR"});
  Add("unknown", {.body = "Hiding and running.", .language = ""});
  Add("other", {.body = "Hiding and running.", .language = "xx"});
  EXPECT_THAT(Find("runs"), ElementsAre("english"));
  EXPECT_THAT(Find("menina cantar"), ElementsAre("portuguese"));
  EXPECT_THAT(Find("hide"), IsEmpty());
  EXPECT_THAT(Find("hiding"), UnorderedElementsAre("unknown", "other"));
}

// The stem of a word in one language must not match another word's stem in another language.
TEST_F(SearchTest, StemsAWordForEachLanguage) {
  Add("english", {.body = "A university."});
  Add("unknown", {.body = "univers", .language = ""});
  EXPECT_THAT(Find("universe"), ElementsAre("english"));
  EXPECT_THAT(Find("univers"), ElementsAre("unknown"));
}

TEST_F(SearchTest, CanBeRestrictedToOneLanguage) {
  Add("en", {.body = "A radio."});
  Add("pt", {.body = "Um radio.", .language = "pt"});
  Add("pt-br", {.body = "Um radio.", .language = "pt-BR"});
  Add("nb", {.body = "En radio.", .language = "nb"});
  Add("nn", {.body = "Ein radio.", .language = "NN-no"});
  Add("unknown", {.body = "radio", .language = ""});
  Add("xx", {.body = "radio", .language = "xx"});
  EXPECT_THAT(Find("radio"), SizeIs(7));
  EXPECT_THAT(Find("radio", "en"), ElementsAre("en"));
  EXPECT_THAT(Find("radio", "pt"), UnorderedElementsAre("pt", "pt-br"));
  EXPECT_THAT(Find("radio", "nb"), ElementsAre("nb"));  // nb and nn share a configuration
  EXPECT_THAT(Find("radio", "nn"), ElementsAre("nn"));
  EXPECT_THAT(Find("radio", "xx"), ElementsAre("xx"));
  EXPECT_THAT(Find("radio", "yy"), IsEmpty());
  EXPECT_THAT(Find("-shark", "pt"), UnorderedElementsAre("pt", "pt-br"));
}

TEST_F(SearchTest, AStopWordInOneLanguageIsAWordInAnother) {
  Add("german", {.body = "Die Katze.", .language = "de"});
  Add("english", {.body = "The cats die."});
  EXPECT_THAT(Find("die"), ElementsAre("english"));
  EXPECT_THAT(Find("the"), IsEmpty());  // German has no such word
  EXPECT_THAT(Find("die", "de"), IsEmpty());
}

TEST_F(SearchTest, StopWordsDoNotCount) {
  Add("post", {.body = "The quick brown fox doesn't read about AT&T."});
  Add("other", {.body = "A slow fox."});
  const auto check = [this] {
    EXPECT_THAT(Find("the fox is quick"), ElementsAre("post"));
    EXPECT_THAT(Find("fox -the"), UnorderedElementsAre("post", "other"));
    EXPECT_THAT(Find("\"brown fox doesn't read\""), ElementsAre("post"));
    // Nothing is left to search for: not every article that lacks the excluded words.
    EXPECT_THAT(Find("a"), IsEmpty());
    EXPECT_THAT(Find("AT&T"), IsEmpty());
    EXPECT_THAT(Find("don't"), IsEmpty());
    EXPECT_THAT(Find("\"a\" -\"quick brown\""), IsEmpty());
    EXPECT_THAT(Find("the or slow"), ElementsAre("other"));
  };
  EXPECT_THAT(Find("-the"), IsEmpty());
  check();
  Add("unknown", {.body = "Nada.", .language = ""});  // another configuration comes into use
  Add("german", {.body = "Nichts.", .language = "de"});
  check();
}

TEST_F(SearchTest, RejectsAQueryWithoutAWord) {
  for (const char* text : {"...", "\"", "-", "\xF0\x9F\x90\x8B", "\"\" -\"\""}) {
    EXPECT_THAT(Find(text), ElementsAre("INVALID_REQUEST")) << text;
  }
  EXPECT_THAT(Find("whale"), IsEmpty());  // there is no article yet
  Add("english", {.body = "The whale."});
  EXPECT_THAT(Find("the"), IsEmpty());
  const absl::Status status = Search({.text = "...", .page_size = 10}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("query"));
}

TEST_F(SearchTest, AcceptsAnyText) {
  Add("whale", {.body = "It's a whale; a white one."});
  for (const char* text : {"whale'",
                           "whale''",
                           "'whale",
                           "whale\\",
                           "\\whale",
                           "whale & !",
                           "whale | (",
                           "whale:*",
                           "(whale)",
                           "whale)",
                           "\"whale",
                           "whale\"",
                           "wha\xE2\x80\x8Ble whale -",
                           "whale or",
                           "or whale",
                           "whale <-> ",
                           "whale \xF0\x9F\x90\x8B",
                           "it's whale",
                           "white\\ \"whale'",
                           "WHALE",
                           "whale config=english",
                           "whale' | 'x"}) {
    EXPECT_THAT(Find(text), AnyOf(ElementsAre("whale"), IsEmpty())) << text;
  }
  EXPECT_THAT(Find("whale:*"), ElementsAre("whale"));
  EXPECT_THAT(Find("whale'"), ElementsAre("whale"));
  EXPECT_THAT(Find("config=english"), IsEmpty());
  EXPECT_THAT(Find("language=en"), IsEmpty());
  EXPECT_THAT(Find(std::string(300, 'w')), IsEmpty());
  EXPECT_THAT(Find(absl::StrCat("whale -", std::string(290, 'w'))), ElementsAre("whale"));
  std::string many;
  for (int i = 0; i < 148; ++i) many += {static_cast<char>('a' + i % 26), ' '};
  EXPECT_THAT(Find(many), IsEmpty());
  EXPECT_THAT(Find(absl::StrCat("\"", many, "\"")), IsEmpty());
  EXPECT_THAT(Find(absl::StrCat("whale or ", absl::StrReplaceAll(many, {{" ", " -"}}), "a")),
              ElementsAre("whale"));
}

TEST_F(SearchTest, FindsOnlyReadableArticles) {
  Add("seen", {.body = "A whale."});
  v1::Article scheduled = MakeArticle("scheduled", "A whale.");
  scheduled.set_title("Whale");
  *scheduled.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Publish(scheduled).ok());
  Add("retracted", {.body = "A whale."});
  ASSERT_TRUE(Retract("retracted").ok());
  EXPECT_THAT(Find("whale"), ElementsAre("seen"));

  Sql("UPDATE article_state SET publish_time = now() WHERE scheduled");
  EXPECT_THAT(Find("whale"), ElementsAre("seen"));
  ReleaseDueArticles();
  EXPECT_THAT(Find("whale"), UnorderedElementsAre("seen", "scheduled"));

  ArticleEdit edit{.id = "scheduled", .article = scheduled, .paths = {"publish_time"}};
  ASSERT_TRUE(Edit(edit).ok());
  EXPECT_THAT(Find("whale"), ElementsAre("seen"));
  *edit.article.mutable_publish_time() = TimeUtil::MicrosecondsToTimestamp(1'000'000);
  ASSERT_TRUE(Edit(edit).ok());
  Add("retracted", {.body = "A whale."});
  EXPECT_THAT(Find("whale"), UnorderedElementsAre("seen", "scheduled", "retracted"));
}

// Otherwise pages would end early.
TEST_F(SearchTest, UnreadableArticlesTakeNoRoomOnAPage) {
  for (int i = 0; i < 3; ++i) {
    Add(absl::StrCat("seen-", i), {.body = "A whale."});
    v1::Article scheduled = MakeArticle(absl::StrCat("scheduled-", i), "A whale.");
    scheduled.set_title("Whale");
    *scheduled.mutable_publish_time() =
        TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
    ASSERT_TRUE(Publish(scheduled).ok());
  }
  const auto page = Search({.text = "whale", .page_size = 2});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, SizeIs(2));
  EXPECT_NE(page->next_key, "");
}

TEST_F(SearchTest, FollowsEveryChange) {
  Add("post", {.title = "Whales", .body = "A whale."});
  Add("post", {.title = "Sharks", .body = "A shark."});
  EXPECT_THAT(Find("whale"), IsEmpty());
  EXPECT_THAT(Find("sharks"), ElementsAre("post"));
  v1::Article unknown;
  ASSERT_TRUE(Edit({.id = "post", .article = unknown, .paths = {"language_code"}}).ok());
  EXPECT_THAT(Find("swimming or sharks"), ElementsAre("post"));
  EXPECT_THAT(Find("sharkes"), IsEmpty());
  EXPECT_THAT(Find("sharks", "en"), IsEmpty());
  ASSERT_TRUE(Rename({.id = "post", .new_id = "fish"}).ok());
  EXPECT_THAT(Find("sharks"), ElementsAre("fish"));
}

TEST_F(SearchTest, ShowsAPassageWithTheWordsHighlighted) {
  const std::string filler(2000, '.');
  Add("post", {.body = absl::StrCat("A start. ", filler, " The **whale** <b>ran</b> & Whales run. ",
                                    filler)});
  EXPECT_THAT(SnippetOf("\"whale ran\" or running whales"),
              HasSubstr("The **[whale]** <b>[ran]</b> & [Whales] [run]."));
}

TEST_F(SearchTest, DoesNotHighlightExcludedWords) {
  Add("post", {.body = "The white whale."});
  EXPECT_EQ(SnippetOf("whale or shark -white"), "The white [whale].");
  EXPECT_EQ(SnippetOf("whale -shark"), "The white [whale].");
  EXPECT_EQ(SnippetOf("-shark"), "The white whale.");
}

TEST_F(SearchTest, ShowsTheBeginningIfOnlyTheTitleMatches) {
  Add("post", {.title = "Whales", .body = absl::StrCat("It begins. ", std::string(400, 'x'))});
  EXPECT_EQ(SnippetOf("whale"), "It begins.");
}

}  // namespace
}  // namespace content::store
