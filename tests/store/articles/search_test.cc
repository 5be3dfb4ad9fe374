#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/time_util.h"
#include "store/articles/snippet.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// The parts one after the other, those that are highlighted in brackets.
template <class Parts>
std::string Render(const Parts& parts) {
  std::string text;
  for (const v1::SnippetPart& part : parts) {
    EXPECT_FALSE(part.text().empty());
    absl::StrAppend(&text, part.highlighted() ? "[" : "", part.text(),
                    part.highlighted() ? "]" : "");
  }
  return text;
}

class SearchTest : public StoreTest {
 protected:
  struct Text {
    std::string title = "Untitled";
    std::string summary = "";
    std::string body = "Nothing.";
    std::string language = "en";
  };

  void Add(const std::string& id, const Text& text) {
    v1::Article article = MakeArticle(id, text.body);
    article.set_title(text.title);
    article.set_summary(text.summary);
    article.set_language_code(text.language);
    const auto published = Publish(article);
    ASSERT_TRUE(published.ok()) << published.status();
  }

  // Ids of what is found, the most relevant first; or the error's reason.
  std::vector<std::string> Find(const std::string& text, const std::string& language = "") {
    const auto page = Search({.text = text, .language = language, .page_size = 50});
    if (!page.ok()) return {ReasonOf(page.status())};
    std::vector<std::string> ids;
    for (const auto& result : page->items) {
      ids.push_back(*ParseArticleName(result.article().name()));
    }
    return ids;
  }

  // The snippet of the one article that is found.
  std::string SnippetOf(const std::string& text) {
    const auto page = Search({.text = text, .page_size = 50});
    if (!page.ok() || page->items.size() != 1) {
      ADD_FAILURE() << page.status();
      return "";
    }
    return Render(page->items[0].snippet());
  }
};

TEST_F(SearchTest, FindsWordsOfTitleSummaryAndBody) {
  Add("title", {.title = "The whale"});
  Add("summary", {.summary = "Of a whale."});
  Add("body", {.body = "There was a whale."});
  Add("none", {.body = "There was a shark."});
  EXPECT_THAT(Find("whale"), ElementsAre("title", "summary", "body"));
}

TEST_F(SearchTest, AWordInTheTitleCountsForMoreThanManyInTheBody) {
  Add("a-body", {.body = "Whale, whale, whale, whale: a whale; whales."});
  Add("a-title", {.title = "Whale"});
  Add("b-body", {.body = "Whale, whale, whale, whale: a whale; whales."});
  EXPECT_THAT(Find("whale"), ElementsAre("a-title", "b-body", "a-body"));
}

TEST_F(SearchTest, AWordCountsForMoreInAShortText) {
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

TEST_F(SearchTest, WantsEveryWord) {
  Add("both", {.title = "Whales", .body = "and a ship"});
  Add("one", {.body = "a ship"});
  EXPECT_THAT(Find("whale ship"), ElementsAre("both"));
}

TEST_F(SearchTest, WantsWordsInQuotesToFollowOneAnother) {
  Add("apart", {.body = "The whale was white."});
  Add("together", {.body = "The white whale."});
  EXPECT_THAT(Find("\"white whale\""), ElementsAre("together"));
  EXPECT_THAT(Find("white whale"), UnorderedElementsAre("apart", "together"));
}

TEST_F(SearchTest, TakesAlternatives) {
  Add("whale", {.body = "A whale."});
  Add("shark", {.body = "A shark."});
  Add("cow", {.body = "A cow."});
  EXPECT_THAT(Find("whale or shark"), UnorderedElementsAre("whale", "shark"));
}

TEST_F(SearchTest, LeavesOutWhatHasAWordWithMinus) {
  Add("plain", {.body = "A whale."});
  Add("white", {.body = "A white whale."});
  Add("foreign", {.body = "Uma baleia.", .language = "pt"});
  EXPECT_THAT(Find("whale -white"), ElementsAre("plain"));
  EXPECT_THAT(Find("-white"), UnorderedElementsAre("plain", "foreign"));
  EXPECT_THAT(Find("whale -\"white whale\""), ElementsAre("plain"));
}

TEST_F(SearchTest, FindsEveryFormOfAWordInTheArticlesLanguage) {
  Add("english", {.body = "The dog was running."});
  Add("portuguese", {.body = "As meninas cantavam.", .language = "pt-BR"});
  Add("unknown", {.body = "Hiding and running.", .language = ""});
  Add("other", {.body = "Hiding and running.", .language = "xx"});
  EXPECT_THAT(Find("runs"), ElementsAre("english"));
  EXPECT_THAT(Find("menina cantar"), ElementsAre("portuguese"));
  EXPECT_THAT(Find("hide"), IsEmpty());
  EXPECT_THAT(Find("hiding"), UnorderedElementsAre("unknown", "other"));
}

// What one language leaves of a word must not find what another has made of another word.
TEST_F(SearchTest, LooksUpAWordAsEachLanguageHasIt) {
  Add("english", {.body = "A university."});
  Add("unknown", {.body = "univers", .language = ""});
  EXPECT_THAT(Find("universe"), ElementsAre("english"));
  EXPECT_THAT(Find("univers"), ElementsAre("unknown"));
}

TEST_F(SearchTest, KeepsToOneLanguage) {
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
  EXPECT_THAT(Find("radio", "nb"), ElementsAre("nb"));  // with nn they share a configuration
  EXPECT_THAT(Find("radio", "nn"), ElementsAre("nn"));
  EXPECT_THAT(Find("radio", "xx"), ElementsAre("xx"));
  EXPECT_THAT(Find("radio", "yy"), IsEmpty());
  EXPECT_THAT(Find("-shark", "pt"), UnorderedElementsAre("pt", "pt-br"));
}

TEST_F(SearchTest, AStopWordOfOneLanguageIsAWordOfAnother) {
  Add("german", {.body = "Die Katze.", .language = "de"});
  Add("english", {.body = "The cats die."});
  EXPECT_THAT(Find("die"), ElementsAre("english"));
  EXPECT_THAT(Find("the"), IsEmpty());  // German has no such word
  EXPECT_THAT(Find("die", "de"), ElementsAre("INVALID_REQUEST"));
}

TEST_F(SearchTest, RefusesAQueryWithoutAWord) {
  for (const char* text : {"...", "\"", "-", "\xF0\x9F\x90\x8B", "\"\" -\"\""}) {
    EXPECT_THAT(Find(text), ElementsAre("INVALID_REQUEST")) << text;
  }
  EXPECT_THAT(Find("whale"), IsEmpty());  // before there is any article
  Add("english", {.body = "The whale."});
  EXPECT_THAT(Find("the"), ElementsAre("INVALID_REQUEST"));
  const absl::Status status = Search({.text = "...", .page_size = 10}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("query"));
}

TEST_F(SearchTest, TakesAnyText) {
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

TEST_F(SearchTest, FindsOnlyWhatReadersSee) {
  Add("seen", {.body = "A whale."});
  v1::Article scheduled = MakeArticle("scheduled", "A whale.");
  scheduled.set_title("Whale");
  *scheduled.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Publish(scheduled).ok());
  Add("retracted", {.body = "A whale."});
  ASSERT_TRUE(Retract("retracted").ok());
  EXPECT_THAT(Find("whale"), ElementsAre("seen"));

  v1::Article due;
  *due.mutable_publish_time() = TimeUtil::MicrosecondsToTimestamp(1'000'000);
  ASSERT_TRUE(Edit({.id = "scheduled", .article = due, .paths = {"publish_time"}}).ok());
  Add("retracted", {.body = "A whale."});
  EXPECT_THAT(Find("whale"), UnorderedElementsAre("seen", "scheduled", "retracted"));
}

// Else pages would end where what is not to be seen takes all the room.
TEST_F(SearchTest, WhatReadersDoNotSeeTakesNoRoomOnAPage) {
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

TEST_F(SearchTest, FollowsWhatIsChanged) {
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

TEST_F(SearchTest, HighlightsNoWordThatMustNotBeThere) {
  Add("post", {.body = "The white whale."});
  EXPECT_EQ(SnippetOf("whale or shark -white"), "The white [whale].");
  EXPECT_EQ(SnippetOf("whale -shark"), "The white [whale].");
  EXPECT_EQ(SnippetOf("-shark"), "The white whale.");
}

TEST_F(SearchTest, ShowsTheBeginningIfTheWordIsInTheTitleOnly) {
  Add("post", {.title = "Whales", .body = absl::StrCat("It begins. ", std::string(400, 'x'))});
  EXPECT_EQ(SnippetOf("whale"), "It begins.");
}

// A phrase of one word over and over, in a long text, takes PostgreSQL's own choice of a passage
// gigabytes and minutes; a conjunction minutes.
TEST_F(SearchTest, StaysQuickWhenWordsRepeat) {
  std::string body;
  for (int i = 0; i < 25'000; ++i) body += "whale ship ";
  body += "shark";
  Add("repeats", {.body = body});
  EXPECT_THAT(Find("\"whale whale\""), IsEmpty());
  const absl::Time start = absl::Now();
  EXPECT_THAT(SnippetOf("\"ship whale\""), HasSubstr("[whale] [ship] [whale]"));
  EXPECT_THAT(SnippetOf("whale ship"), HasSubstr("[whale] [ship] [whale]"));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

TEST_F(SearchTest, PagesThroughEqualRanksWithoutLossOrRepeat) {
  std::set<std::string> expected;
  for (int i = 0; i < 23; ++i) {
    const std::string id = absl::StrCat("post-", i);
    Add(id, {.body = i % 3 == 0 ? "A whale." : "The whale and a whale swam."});
    expected.insert(ArticleName(id));
  }
  SearchQuery query{.text = "whale", .page_size = 4};
  std::vector<std::string> names;
  do {
    const auto page = Search(query);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_THAT(page->items, SizeIs(Le(4U)));
    for (const auto& result : page->items) names.push_back(result.article().name());
    query.after_key = page->next_key;
  } while (!query.after_key.empty());
  EXPECT_EQ(names.size(), expected.size());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), expected);
}

TEST_F(SearchTest, RanksTheNewestThousandMatches) {
  Add("oldest", {.title = "Whale"});
  Sql(R"sql(
    UPDATE article_search SET publish_time = '2000-01-01';
    INSERT INTO article_state (article_id, name, revision, comment_count, comment_policy,
                               publish_time, retracted, feed_position, published_position,
                               ever_readable)
    SELECT 'post-' || i, 'post-' || i, 1, 0, 1, '2001-01-01', false, 0, 0, true
    FROM generate_series(1, 1000) i;
    INSERT INTO article SELECT 'post-' || i, 1, 'A title', '[]', now(), 'en', '', 'A whale.', '[]',
                               '[]', '', 2 FROM generate_series(1, 1000) i;
    INSERT INTO article_search
    SELECT 'post-' || i, 'english', '2001-01-01',
           to_tsvector('english', 'A whale.') ||
           array_to_tsvector(ARRAY['config=english', 'language=en'])
    FROM generate_series(1, 1000) i)sql");
  SearchQuery query{.text = "whale", .page_size = 50};
  int found = 0;
  do {
    const auto page = Search(query);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& result : page->items) EXPECT_NE(result.article().name(), "articles/oldest");
    found += static_cast<int>(page->items.size());
    query.after_key = page->next_key;
  } while (!query.after_key.empty());
  EXPECT_EQ(found, 1000);
}

TEST_F(SearchTest, APageEndsBeforeItIsTooLarge) {
  for (int i = 0; i < 9; ++i) {
    v1::Article article = MakeArticle(absl::StrCat("post-", i), "A whale.");
    for (int author = 0; author < 50; ++author) {
      auto* added = article.add_authors();
      added->set_display_name(absl::StrCat("Author ", author));
      for (int j = 0; j < 1990; ++j) absl::StrAppend(added->mutable_uri(), "\xF0\x9F\x90\x8B");
    }
    ASSERT_TRUE(Publish(article).ok());
  }
  SearchQuery query{.text = "whale", .page_size = 50};
  size_t found = 0;
  do {
    const auto page = Search(query);
    ASSERT_TRUE(page.ok()) << page.status();
    size_t bytes = 0;
    for (const auto& result : page->items) bytes += result.ByteSizeLong();
    EXPECT_LE(bytes, static_cast<size_t>(kMaxReplyBytes));
    found += page->items.size();
    query.after_key = page->next_key;
  } while (!query.after_key.empty());
  EXPECT_EQ(found, 9U);
}

// A different word of `characters` of these letters for each number.
std::string Word(size_t number, size_t characters, const std::vector<std::string>& letters) {
  std::string word;
  for (size_t i = 0; i < characters; ++i, number /= letters.size()) {
    word += letters[number % letters.size()];
  }
  return word;
}

TEST_F(SearchTest, TakesTheLongestTextsOfWordsThatAreAllDifferent) {
  std::vector<std::string> latin;
  for (char c = 'a'; c <= 'z'; ++c) latin.emplace_back(1, c);
  std::vector<std::string> cyrillic;  // two bytes each
  for (char c = 0; c < 16; ++c)
    cyrillic.push_back(std::string("\xD0") + static_cast<char>('\xB0' + c));
  std::vector<std::string> han;       // three bytes
  std::vector<std::string> rare_han;  // four
  for (int i = 0; i < 64; ++i) {
    han.push_back(std::string("\xE5\xA4") + static_cast<char>('\x80' + i));
    rare_han.push_back(std::string("\xF0\xA0\x80") + static_cast<char>('\x80' + i));
  }
  struct Case {
    const char* id;
    std::vector<std::string> letters;
    size_t characters;
    const char* separators;  // one after the other
  };
  const Case cases[] = {{"latin", latin, 4, " "},        {"latin-compounds", latin, 3, "- "},
                        {"cyrillic", cyrillic, 4, "- "}, {"han", han, 4, "- "},
                        {"short", rare_han, 2, "- "},    {"medium", rare_han, 4, "- "},
                        {"long", rare_han, 200, "- "},   {"chains", rare_han, 3, "-------- "},
                        {"paths", latin, 3, "/// "},     {"urls", latin, 4, ".// "}};
  for (const Case& text : cases) {
    std::string body;
    const size_t separators = std::string(text.separators).size();
    for (size_t i = 0; body.size() + 4 * text.characters + 1 < kMaxBodyBytes; ++i) {
      absl::StrAppend(&body, Word(i, text.characters, text.letters));
      body += text.separators[i % separators];
    }
    const std::string title = Word(1, 300, text.letters);
    Add(text.id, {.title = title, .body = body, .language = ""});
    EXPECT_THAT(Find(title), Contains(text.id));
  }
}

// ---- Snippets ----

std::string Mark(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"[", std::string(1, kMarkStart)}, {"]", std::string(1, kMarkEnd)}});
}

std::string Snippet(const std::string& text) { return Render(MakeSnippet(Mark(text))); }

TEST(SnippetTest, IsTheWholeOfAShortText) {
  EXPECT_EQ(Snippet("The [white] whale\n\nswam"), "The [white] whale\n\nswam");
  EXPECT_EQ(Snippet("[white][whale]"), "[white][whale]");
  EXPECT_EQ(Snippet(""), "");
}

TEST(SnippetTest, PrefersThePassageWithTheMostDifferentWords) {
  const std::string filler = absl::StrJoin(std::vector<std::string>(100, "filler"), " ");
  const std::string text = absl::StrCat("[Whale] [whale] [WHALE] ", filler, " a [whale] was ",
                                        "[white] ", filler, " [white] [whale]");
  const std::string snippet = Snippet(text);
  EXPECT_THAT(snippet, HasSubstr("filler a [whale] was [white] filler"));
  EXPECT_THAT(snippet, SizeIs(AllOf(Gt(250U), Le(304U))));
  EXPECT_EQ(snippet.substr(0, 7), "filler ");
  EXPECT_EQ(snippet.substr(snippet.size() - 7), " filler");
}

TEST(SnippetTest, CutsBetweenCharactersWhereThereIsNoSpace) {
  std::string wave;
  for (int i = 0; i < 200; ++i) wave += "\xE6\xB5\xAA";
  const std::string snippet = Snippet(absl::StrCat(wave, "[", wave, "]", wave));
  EXPECT_THAT(snippet, SizeIs(AllOf(Gt(290U), Le(302U))));
  EXPECT_TRUE(MakeSnippet(wave)[0].text().size() % 3 == 0);
  EXPECT_THAT(snippet, HasSubstr("\xE6\xB5\xAA[\xE6\xB5\xAA"));
}

}  // namespace
}  // namespace content::store
