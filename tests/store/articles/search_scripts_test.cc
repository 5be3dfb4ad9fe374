#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "content/search_text.h"
#include "content/text.h"
#include "store/articles/search_fixture.h"
#include "store/schema.h"
#include "store/store_fixture.h"
#include "support/random_text.h"

// What searches find in the texts of all scripts.
namespace content::store {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(SearchTest, FindsWordsInTextWithoutSpaces) {
  Add("ja", {.body = "東京の天気は静かです。コーヒー", .language = "ja"});
  Add("zh", {.body = "我们去港口，今天天气很好。", .language = "zh"});
  Add("ko", {.body = "서울에서 만나요.", .language = "ko"});
  Add("th", {.body = "เราไปที่ท่าเรือด้วยกัน", .language = "th"});
  Add("km", {.body = "ខ្ញុំស្រឡាញ់ភាសាខ្មែរ", .language = ""});
  for (const char* query :
       {"東京", "天気", "静か", "です", "東京の天気は静かです", "コーヒー", "気は"}) {
    EXPECT_THAT(Find(query), ElementsAre("ja")) << query;
    EXPECT_THAT(Find(query, "ja"), ElementsAre("ja")) << query;
  }
  for (const char* query : {"港口", "天气", "今天", "天气很好"}) {
    EXPECT_THAT(Find(query), ElementsAre("zh")) << query;
  }
  for (const char* query : {"서울", "서울에서", "만나"})
    EXPECT_THAT(Find(query), ElementsAre("ko"));
  for (const char* query : {"ท่าเรือ", "เรา", "ด้วยกัน"}) EXPECT_THAT(Find(query), ElementsAre("th"));
  EXPECT_THAT(Find("ភាសា"), ElementsAre("km"));
  EXPECT_THAT(Find("京東"), IsEmpty());
  EXPECT_THAT(Find("東天"), IsEmpty());
  EXPECT_THAT(Find("ทาเรือ"), IsEmpty());  // without the tone mark
}

TEST_F(SearchTest, FindsSingleCharactersInTextWithoutSpaces) {
  Add("ja", {.body = "東京の天気", .language = "ja"});
  for (const char* query : {"東", "京", "の", "天", "気"}) {
    EXPECT_THAT(Find(query), ElementsAre("ja")) << query;
  }
  EXPECT_EQ(SnippetOf("京"), "東[京]の天気");
  EXPECT_EQ(SnippetOf("気"), "東京の天[気]");
}

TEST_F(SearchTest, HighlightsOnlyWhatWasSearchedFor) {
  Add("ja", {.body = "明日は雨です。データとコンピューター、ヴァイオリンとバイオリン。2024年と5年の"
                     "ハハハハ。",
             .language = "ja"});
  EXPECT_THAT(SnippetOf("雨"), HasSubstr("明日は[雨]です。"));
  EXPECT_THAT(SnippetOf("データ"), HasSubstr("[データ]とコンピューター"));
  EXPECT_THAT(SnippetOf("コンピューター"), HasSubstr("データと[コンピューター]、"));
  EXPECT_THAT(SnippetOf("ヴァイオリン"), HasSubstr("[ヴァイオリン]とバイオリン。"));
  EXPECT_THAT(SnippetOf("5年"), HasSubstr("2024年と[5年]の"));
  EXPECT_THAT(SnippetOf("ハハ"), HasSubstr("年の[ハハハハ]。"));
}

TEST_F(SearchTest, QuotesAlternativesAndExclusionsWorkInTextWithoutSpaces) {
  Add("tokyo", {.body = "東京の天気", .language = "ja"});
  Add("osaka", {.body = "大阪の天気", .language = "ja"});
  Add("both", {.body = "東京大阪間", .language = "ja"});
  EXPECT_THAT(Find("天気 -東京"), ElementsAre("osaka"));
  EXPECT_THAT(Find("天気 -\"東京の\""), ElementsAre("osaka"));
  EXPECT_THAT(Find("東京 or 大阪"), UnorderedElementsAre("tokyo", "osaka", "both"));
  EXPECT_THAT(Find("東京 天気"), ElementsAre("tokyo"));
  EXPECT_THAT(Find("\"東京 大阪\""), ElementsAre("both"));
  EXPECT_THAT(Find("\"大阪 東京\""), IsEmpty());
  EXPECT_THAT(Find("大阪 東京"), ElementsAre("both"));
}

TEST_F(SearchTest, HighlightsInTextWithoutSpaces) {
  std::string filler;
  for (int i = 0; i < 300; ++i) filler += "あ";
  Add("ja", {.title = "天気の話", .body = absl::StrCat(filler, "東京の天気予報です。", filler)});
  const std::string snippet = SnippetOf("天気予報 東京");
  EXPECT_THAT(snippet, HasSubstr("あ[東京]の[天気予報]です。あ"));
  EXPECT_LE(snippet.size(), 304u);
}

TEST_F(SearchTest, FindsAndHighlightsFarIntoALongText) {
  std::string body;
  for (int i = 0; i < 40'000; ++i) absl::StrAppend(&body, i % 2 == 0 ? "甲" : "乙");
  Add("zh", {.body = absl::StrCat(body, "港口天气 The whales ran."), .language = "zh"});
  EXPECT_THAT(SnippetOf("港口天气"), HasSubstr("乙[港口天气] The"));
  EXPECT_THAT(SnippetOf("whales ran"), HasSubstr("The [whales] [ran]."));
  EXPECT_THAT(Find("天气港"), IsEmpty());
}

TEST_F(SearchTest, FindsTermsOfAllKindsFarIntoALongText) {
  std::string body;
  for (int i = 0; i < 9'000; ++i) body += "甲乙";
  Add("ja", {.body = absl::StrCat(
                 body, "最後に量子力学とCOVID病毒と2025年とK팝とハハハ https://late.example/path"),
             .language = "ja"});
  Add("other", {.body = absl::StrCat(body, "量子と力学、病毒、年、팝、ハハ。"), .language = "ja"});
  for (const char* query : {"量子力学", "COVID病毒", "2025年", "K팝", "late.example",
                            "https://late.example/path", "\"COVID病毒と\""}) {
    EXPECT_THAT(Find(query), ElementsAre("ja")) << query;
  }
  EXPECT_THAT(Find("ハハハ"), Contains("ja"));
  EXPECT_THAT(Find("量子 -COVID病毒"), ElementsAre("other"));
  EXPECT_THAT(Search({.text = "COVID病毒 ハハハ", .page_size = 1})->items.size(), 1);
  EXPECT_THAT(SnippetOf("COVID病毒"), HasSubstr("と[COVID病毒]と"));
  EXPECT_THAT(SnippetOf("late.example"), HasSubstr("https://[late].[example]/path"));
}

TEST_F(SearchTest, KnowsTheOrderOfWordsAfterALongTitleAndSummary) {
  std::string summary;
  for (int i = 0; i < 900; ++i) summary += "丙丁";
  std::string body;
  for (int i = 0; i < 7'200; ++i) body += "甲乙";
  Add("zh", {.title = "標題",
             .summary = summary,
             .body = body + "港口甲天气" + body + "口港",
             .language = "zh"});
  EXPECT_THAT(SnippetOf("港口"), HasSubstr("乙[港口]甲"));
  EXPECT_THAT(SnippetOf("天气"), HasSubstr("甲[天气]甲"));
  EXPECT_THAT(SnippetOf("口港"), HasSubstr("乙[口港]"));
  EXPECT_THAT(Find("港天"), IsEmpty());
}

TEST_F(SearchTest, IgnoresHowTextIsEncoded) {
  Add("post", {.title = "Café",
               .body = "The o\uFB03ce was qui\u00ADet; Œuvre Ｆｕｌｌ ﾃﾞｰﾀ.",
               .language = "xx"});
  for (const char* query :
       {"cafe\u0301", "CAFÉ", "office", "o\uFB03ce", "quiet", "qui\u00ADet", "qu\u200Biet",
        "oeuvre", "œuvre", "full", "ＦＵＬＬ", "データ", "ﾃﾞｰﾀ"}) {
    EXPECT_THAT(Find(query), ElementsAre("post")) << query;
  }
  EXPECT_THAT(SnippetOf("office quiet"), HasSubstr("The [o\uFB03ce] was [qui\u00ADet];"));
}

TEST_F(SearchTest, FindsWhatReadersSeeOfABody) {
  Add("post",
      {.title = "Using the <dialog> element",
       .summary = "&eacute; <b>",
       .body = "H<sub>2</sub>O, ency&shy;clopedia, caf&eacute;, &#x4eac;都, `List<String>`; "
               "We do R&D; then Q&A; and M&A.\n\n```\nstd::vector<float>\n```\n"});
  for (const char* query : {"dialog", "<dialog>", "eacute", "H2O", "encyclopedia", "café", "京都",
                            "String", "List<String>", "float", "std::vector<float>", "R&D"}) {
    EXPECT_THAT(Find(query), ElementsAre("post")) << query;
  }
  EXPECT_THAT(Find("sub"), IsEmpty());
  EXPECT_THAT(Find("<template>"), IsEmpty());
  EXPECT_THAT(SnippetOf("h2o 京都"),
              HasSubstr("[H<sub>2</sub>O], ency&shy;clopedia, caf&eacute;, [&#x4eac;都],"));
}

TEST_F(SearchTest, FoldsSymbolsThatStandForLetters) {
  Add("post", {.body = "⽇本で㌔と㍻、5㎏", .language = "ja"});
  for (const char* query : {"日本", "キロ", "平成", "5kg", "㍻"}) {
    EXPECT_THAT(Find(query), ElementsAre("post")) << query;
  }
}

TEST_F(SearchTest, FindsEquivalentSpellingsOfThai) {
  Add("th", {.body = "น\u0E49\u0E33", .language = "th"});
  for (const char* query : {"น\u0E49\u0E33", "น\u0E4D\u0E49\u0E32"}) {
    EXPECT_THAT(Find(query), ElementsAre("th")) << query;
  }
}

TEST_F(SearchTest, FindsHashesAndOtherWordsOfDigitsAndLetters) {
  Add("post", {.body = "commit 60e1463a fixes the sea and the lighthouse near the harbour"});
  EXPECT_THAT(Find("\"60e1463a fixes\""), ElementsAre("post"));
  EXPECT_THAT(Find("harbour"), ElementsAre("post"));
  EXPECT_THAT(SnippetOf("lighthouse"), HasSubstr("the [lighthouse] near"));
  EXPECT_THAT(SnippetOf("60e1463a"), HasSubstr("commit [60e1463a] fixes"));
}

// Otherwise positions would not be the numbers of our words.
TEST_F(SearchTest, GivesThePostgresParserOnlyWordsThatItTakesAsTheyAre) {
  std::mt19937 random(11);
  std::string texts;
  for (int i = 0; i < 100'000; ++i) {
    for (size_t j = 1 + random() % 10; j > 0; --j) texts += "0123456789eEdfxuabz"[random() % 19];
    texts += ' ';
  }
  for (char32_t c = 0x80; c < 0x40000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    testing::AppendCharacter(c, texts);
    texts += ' ';
    testing::AppendCharacter(c, texts);
    absl::StrAppend(&texts, "1e5 7e");
    testing::AppendCharacter(c, texts);
    absl::StrAppend(&texts, "e8x ");
  }
  std::string words;
  const std::vector<SearchUnit> units = SplitForSearch(texts);
  for (size_t i = 0; i < units.size(); ++i) absl::StrAppend(&words, IndexedWord(units, i), " ");
  const std::string tokens =
      Sql(absl::StrCat("SELECT string_agg(token || ' ', '') FROM ts_parse('default', '", words,
                       "') WHERE token !~ '^ +$'"));
  ASSERT_GT(words.size(), 4'000'000U);
  const auto split = std::mismatch(words.begin(), words.end(), tokens.begin(), tokens.end()).first;
  const auto at = static_cast<size_t>(split - words.begin());
  EXPECT_TRUE(tokens == words) << "at byte " << at << ": "
                               << words.substr(at - std::min<size_t>(at, 20), 40);
}

TEST_F(SearchTest, FindsAddressesAsTheyStandInTheText) {
  Add("post", {.body = "See https://example.org/path?q=1#x, [this](http://a.example/b_c%20d) or "
                       "<mailto:ana.lee@example.com>; C:\\dir\\file.txt, version 1.51.1"});
  for (const char* query :
       {"https://example.org/path?q=1#x", "example.org/path?q=1", "example.org", "example",
        "https://example.org", "http://a.example/b_c%20d", "ana.lee@example.com", "@example.com",
        "C:\\dir\\file.txt", "1.51.1", "\"See https://example.org/path?q=1#x\""}) {
    EXPECT_THAT(Find(query), ElementsAre("post")) << query;
  }
  EXPECT_THAT(Find("https://example.org/elsewhere"), IsEmpty());
  EXPECT_THAT(SnippetOf("example.org/path"), HasSubstr("https://[example].[org]/[path]?q=1#x"));
}

TEST_F(SearchTest, HighlightsTheBodyWhereTitleAndSummaryMatchToo) {
  Add("post", {.title = "The whale of the", .summary = "A whale, the", .body = "The whale is it."});
  EXPECT_EQ(SnippetOf("whale"), "The [whale] is it.");
}

// Whatever the database's locale does with letters.
TEST_F(SearchTest, DoesNotDependOnTheLocale) {
  Sql("CREATE DATABASE in_c TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
  const std::string own = Sql("SELECT 'dbname=' || current_database()");
  url_ = absl::StrReplaceAll(url_, {{own, "dbname=in_c"}});
  ASSERT_EQ(Sql("SELECT current_database()"), "in_c");
  ASSERT_TRUE(Migrate(url_).ok());
  store_ = *Open(url_);
  Add("post", {.title = "ÜNÏCÖDÉ JAŹŃ", .body = "“Introduction” – ПРИВЕТ ITALY; running東京。"});
  for (const char* query : {"ünïcödé", "ÜNÏCÖDÉ", "jaźń", "introductions", "привет", "italy", "run",
                            "東京", "\"привет italy\""}) {
    EXPECT_THAT(Find(query), ElementsAre("post")) << query;
  }
  EXPECT_THAT(SnippetOf("introduction италия or run"), HasSubstr("[running]東京"));
}

TEST_F(SearchTest, FindsRandomTextByItself) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    const std::string text = ToNfc(testing::RandomText(random, 60));
    if (!HasVisibleCharacter(text)) continue;
    const std::string id = absl::StrCat("post-", round);
    Add(id, {.body = text, .language = round % 2 == 0 ? "" : "en"});
    for (const std::string& query : {absl::StrCat("\"", text, "\""), text}) {
      const auto page = Search({.text = query, .page_size = 50});
      if (!page.ok()) {
        EXPECT_EQ(ReasonOf(page.status()), "INVALID_REQUEST") << page.status();
        continue;
      }
      if (query != text) {
        EXPECT_THAT(Find(query), Contains(id)) << text;
      }
      for (const auto& result : page->items) {
        for (const auto& part : result.snippet()) EXPECT_TRUE(IsUtf8(part.text()));
      }
    }
  }
}

TEST_F(SearchTest, IndexesAgainWhatAMigrationRemoved) {
  Add("post", {.body = "A whale. 東京の天気"});
  Add("gone", {.body = "A whale."});
  ASSERT_TRUE(Retract("gone").ok());
  const std::string index = Sql("SELECT search FROM article_search");
  Sql("TRUNCATE article_search; UPDATE schema_migration SET search_index_owed = true");
  EXPECT_THAT(Find("whale"), IsEmpty());
  ASSERT_TRUE(Migrate(url_).ok());
  EXPECT_THAT(Find("whale 東京"), ElementsAre("post"));
  EXPECT_EQ(Sql("SELECT search FROM article_search"), index);
  EXPECT_EQ(Sql("SELECT count(*) FROM article_search"), "1");
}

}  // namespace
}  // namespace content::store
