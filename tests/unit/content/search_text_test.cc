#include "content/search_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "content/body.h"
#include "content/text.h"
#include "content/v1/article.pb.h"
#include "support/random_text.h"

namespace content {
namespace {

// The indexed words, separated by spaces.
std::string Words(const std::vector<SearchUnit>& units) {
  std::vector<std::string> words;
  for (size_t i = 0; i < units.size(); ++i) words.push_back(IndexedWord(units, i));
  return absl::StrJoin(words, " ");
}

std::string Words(absl::string_view text) { return Words(SplitForSearch(text)); }

std::string BodyWords(absl::string_view body) { return Words(SplitBodyForSearch(body)); }

// The text with the bytes of each unit in brackets.
std::string Origins(absl::string_view text, const std::vector<SearchUnit>& units) {
  std::string marked;
  size_t at = 0;
  for (const SearchUnit& unit : units) {
    absl::StrAppend(&marked, text.substr(at, unit.begin - at), "[",
                    text.substr(unit.begin, unit.end - unit.begin), "]");
    at = unit.end;
  }
  return absl::StrCat(marked, text.substr(at));
}

std::string Origins(absl::string_view text) { return Origins(text, SplitForSearch(text)); }

std::string BodyOrigins(absl::string_view body) { return Origins(body, SplitBodyForSearch(body)); }

TEST(SearchText, ConsistsOfWordsInOneForm) {
  EXPECT_EQ(Words("It's a “White” whale—2nd!"), "it s a white whale ƍ2nd");
  EXPECT_EQ(Words("ÜNÏCÖDÉ JAŹŃ Straße ΣΊΣΥΦΟΣ"), "ünïcödé jaźń strasse σίσυφοσ");
  EXPECT_EQ(Words("cafe\u0301"), "caf\u00E9");
  EXPECT_EQ(Words("o\uFB03ce \uFB01 \u0133 Ｆｕｌｌ ｶﾞ x²"), "office fi ij full ガ x2");
  EXPECT_EQ(Words("C\u0153ur \u0152UVRE"), "coeur oeuvre");
  EXPECT_EQ(Words("qui\u00ADet zero\u200Bwidth \uFEFFmark no\u2060break"),
            "quiet zerowidth mark nobreak");
  EXPECT_EQ(Words("İstanbul ISPARTA"), "istanbul isparta");
}

TEST(SearchText, MarksWordsThatBeginWithDigits) {
  EXPECT_EQ(Words("60e1463a 1e5x 2024 x1e5 1e5\u0301"), "ƍ60e1463a ƍ1e5x 2024 x1e5 ƍ1e5\u0301");
  EXPECT_EQ(Words("１e5 ٣ 3٣"), "ƍ1e5 ٣ ƍ3٣");
}

TEST(SearchText, HasNoSymbolsButThoseThatStandForLetters) {
  EXPECT_EQ(Words("Acme™ Linux® 🦊 … ① 20℃ Foo℠bar"), "acme linux 1 20 c foo bar");
  EXPECT_EQ(Words("⽇本 ㌔ ㍻ ㎏ Ⓐ"), "日本 本 キロ ロ 平成 成 kg a");
  EXPECT_EQ(Words("... \u0301 ´ '"), "");
}

TEST(SearchText, SplitsAddressesAndCompounds) {
  EXPECT_EQ(Words("https://example.org/path?q=1#x"), "https example org path q 1 x");
  EXPECT_EQ(Words("<https://a.org> ana@a.org well-known 1.51"),
            "https a org ana a org well known 1 51");
}

TEST(SearchText, OfABodyHasNoMarkup) {
  EXPECT_EQ(BodyWords("<b class=\"x\">one</b><!-- two --> 1 < 2 R&amp;D AT&T &nope"),
            "one 1 2 r d at t nope");
  EXPECT_EQ(BodyWords("one<br>two\n\n<p>three</p><p>four</p>\n\n<!--\n\nfive -->\n\nsix"),
            "one two three four six");
  EXPECT_EQ(BodyWords("1 <b and\n\n2 > 1"), "1 b and 2 1");
  EXPECT_EQ(BodyWords("R&D; Q&A; &nosuchname; &#xZ; &;"), "r d q a nosuchname xz");
}

TEST(SearchText, OfABodyHasReferencesAndInlineTagsWithinWords) {
  EXPECT_EQ(BodyWords("ency&shy;clopedia caf&eacute; &#x4eac;都 &#26481;京 zero&zwnj;width"),
            "encyclopedia café 京都 都 東京 京 zerowidth");
  EXPECT_EQ(BodyWords("H<sub>2</sub>O f<!-- x -->our Acme&trade; one&nbsp;two&lt;b&gt;"),
            "h2o four acme one two b");
  EXPECT_EQ(BodyOrigins("H<sub>2</sub>O caf&eacute;s, &amp;x"),
            "[H<sub>2</sub>O] [caf&eacute;s], &amp;[x]");
}

TEST(SearchText, OfABodyHasCodeAsItStands) {
  EXPECT_EQ(BodyWords("`List<String>` and ``a`<b>`` but <String>"), "list string and a b but");
  EXPECT_EQ(BodyWords("```cpp\nstd::vector<float> &eacute;\n```\n<i>x</i>"),
            "cpp std vector float eacute x");
  EXPECT_EQ(BodyWords("- item\n\n      Map<Key>\n\n> ```\n> Set<int>\n> ```\n\n    Box<char>\n"),
            "item map key set int box char");
  EXPECT_EQ(BodyWords("Title\n===\n    Box<char>\n"), "title box char");
  EXPECT_EQ(BodyWords("Title\n===\n`Box<char>` <b>x</b>\n"), "title box char x");
  EXPECT_EQ(BodyWords("one ` <b> two\n\nthree ` <b> \\` x"), "one two three b x");
  EXPECT_EQ(BodyWords("\\<b> \\&eacute; <i title=\"`\">x ` </i>"), "b eacute x");
  EXPECT_EQ(BodyWords("<div>\n`<i>`\n</div>\n"), "");
  EXPECT_EQ(BodyWords("![one <b>](x) <![CDATA[ ![two ]]> x"), "one x x");
  EXPECT_EQ(BodyWords("<![CDATA[\n\n    <b>\n\n`]]>` x"), "x");
  EXPECT_EQ(BodyWords("[a]: /b \"`\"\n\n[c](`d) <b>` x"), "a b c d b x");
}

TEST(SearchText, OfABodyHasNoScriptsAndStyles) {
  EXPECT_EQ(BodyWords("<script>\none\n\n`two` &eacute;\n</script> three"), "three");
  EXPECT_EQ(BodyWords("one <script type='x'>two &amp; `three`\nfour</script> five"), "one five");
  EXPECT_EQ(BodyWords("Use <script ...> and <style = x> here"), "use and here");
  EXPECT_EQ(BodyOrigins("one<style>two</style>three"), "[one]<style>two</style>[three]");
}

// The words that a search finds are those of word_count.
TEST(SearchText, OfABodyHidesWhatItsWordCountLeavesOut) {
  for (const char* body : {
           "<script>\none\n\ntwo < three\n</script>\n\nfour\n",
           "<STYLE type=x>\none {}\n\n&eacute;\n</STYLE >\n",
           "<div><script>one</script>two<style>three</style> four</div>",
           "<div>\n<script>one <b two=\"</script>three\n</div>\n",
           "<div>\n<script>one\n\ntwo</script>\n",
           "- <script>one\n  two\n- three\n",
           "one <script>two</script> three <!-- four --> five",
           "one <style>two <script>three</style>four</script> five",
           "one <script>two <b>three</b> `</script>` four\n\nfive",
           "one <script>two \\</script> <!--</script>--> three</SCRIPT\n> four",
           "- one <script>two\n- three </script>\n\n  > four <style>five\n\nsix",
           "> one <script\ntwo=\"three\"> four\n> five</script> six",
           "Use `<script>` or \\<style> there",
           "one <script>two</script three> four</script> five",
           "one <script x='](![['>two</script>three",
           "# one <script>two\nthree",
           "&lt;script> one</script> two",
           "one<script/>two</script>three",
       }) {
    v1::Article article;
    article.set_body(body);
    DescribeBody(article);
    EXPECT_EQ(SplitBodyForSearch(body).size(), static_cast<size_t>(article.word_count()))
        << body << "\n"
        << BodyWords(body);
  }
}

TEST(SearchText, IsPlainOutsideABody) {
  EXPECT_EQ(Words("Using the <dialog> element &amp; <!-- more -->"),
            "using the dialog element amp more");
}

TEST(SearchText, HasPairsOfCharactersWhereThereAreNoSpaces) {
  EXPECT_EQ(Words("東京の天気"), "東京 京の の天 天気 気");
  EXPECT_EQ(Words("東京 大阪、京"), "東京 京 大阪 阪 京");
  EXPECT_EQ(Words("서울에서"), "서울 울에 에서 서");
  EXPECT_EQ(Words("コーヒー"), "コー ーヒ ヒー ー");
  EXPECT_EQ(Words("ท่าเรือ"), "ท่า าเ เรื รือ อ");
  EXPECT_EQ(Words("iPhone東京2024年"), "iphone 東京 京 2024 年");
}

// Both spellings look the same.
TEST(SearchText, HasToneMarksOfThaiAndLaoInOneOrder) {
  EXPECT_EQ(Words("น\u0E49\u0E33"), Words("น\u0E4D\u0E49\u0E32"));
  EXPECT_EQ(Words("น\u0E49\u0E33"), Words("น\u0E49\u0E4D\u0E32"));
  EXPECT_EQ(Words("ນ\u0EC9\u0EB3"), Words("ນ\u0ECD\u0EC9\u0EB2"));
  EXPECT_EQ(Words("ก\u0E34\u0E48น"), Words("ก\u0E48\u0E34น"));
  EXPECT_NE(Words("น\u0E49\u0E33"), Words("น\u0E33"));
}

TEST(SearchText, KnowsWhereItsWordsComeFrom) {
  EXPECT_EQ(Origins("It's o\uFB03ce™, qui\u00ADet e\u0301 ½"),
            "[It]'[s] [o\uFB03ce]™, [qui\u00ADet] [e\u0301] [½][½]");
  EXPECT_EQ(Origins("東京の天気 ｶﾞ"), "[東][京][の][天][気] [ｶﾞ]");
}

TEST(SearchText, WritesNewCharactersByTheirNumbers) {
  EXPECT_EQ(Words("\U00031350\U00031351"), "u31350u31351 u31351");
  EXPECT_EQ(Words("a\u1734b"), "ab");
}

TEST(SearchText, CutsLongWords) {
  EXPECT_LE(Words(std::string(5000, 'x')).size(), 1000u);
  EXPECT_EQ(Origins(std::string(5000, 'x')).size(), 5002u);
}

// Random text of all kinds of characters.
TEST(SearchText, IsValidAndTheSameForItsOwnWords) {
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    const std::string text = testing::RandomText(random, 40);
    ASSERT_TRUE(IsUtf8(text));
    const std::vector<SearchUnit> units = SplitForSearch(text);
    size_t last_end = 0;
    for (const SearchUnit& unit : units) {
      EXPECT_TRUE(IsUtf8(unit.text));
      EXPECT_FALSE(unit.text.empty());
      EXPECT_LT(unit.begin, unit.end);
      EXPECT_LE(unit.end, text.size());
      EXPECT_GE(unit.end, last_end);
      last_end = unit.end;
    }
    EXPECT_EQ(Words(ToNfc(text)), Words(text));
    EXPECT_EQ(Words(Words(text)).empty(), Words(text).empty());
    EXPECT_TRUE(IsUtf8(BodyWords(text)));
  }
}

// Would take minutes in quadratic time.
TEST(SearchText, EndsAWordAfterManyMarks) {
  std::string text = "word a";
  for (int i = 0; i < 500'000; ++i) text += i < 250'000 ? "\u0315\u034F" : "\u0316\u034F";
  const std::vector<SearchUnit> units = SplitForSearch(text + "b");
  ASSERT_EQ(units.size(), 3u);
  EXPECT_EQ(CountCharacters(units[1].text), 31u);
  EXPECT_EQ(units[2].text, "b");
  EXPECT_EQ(units[2].end, text.size() + 1);
}

// A body that would take minutes in quadratic time. At the beginning of a line, a piece may begin a
// block; after a word, it is within a paragraph.
std::string Hostile(absl::string_view beginning_of_line, absl::string_view piece,
                    absl::string_view end = "") {
  std::string body(beginning_of_line);
  for (int i = 0; i < 250'000; ++i) absl::StrAppend(&body, piece);
  return absl::StrCat(body, end);
}

// Constructs without an end, of all kinds in turn.
TEST(SearchText, IsCutInLinearTimeIfMarkupDoesNotEnd) {
  constexpr absl::string_view kPiece = "<!--<?<![CDATA[<!x<b ";
  EXPECT_EQ(SplitBodyForSearch(Hostile("", kPiece)).front().text, "cdata");
  EXPECT_EQ(SplitBodyForSearch(Hostile("word ", kPiece)).front().text, "word");
}

// The quotes of each tag pair up with those of the next one, to the end of the text.
TEST(SearchText, IsCutInLinearTimeIfQuotesDoNotEnd) {
  constexpr absl::string_view kPiece = "<b =\"x\"=\"<b ='x'='";
  EXPECT_EQ(SplitBodyForSearch(Hostile("", kPiece, "<>")).front().text, "b");
  EXPECT_EQ(SplitBodyForSearch(Hostile("word ", kPiece, "<>")).front().text, "word");
}

TEST(SearchText, OfBackticksOfManyLengthsTakesLinearTime) {
  std::string backticks;
  for (int i = 1; backticks.size() < 4'000'000; ++i) backticks += std::string(i % 2000, '`') + " ";
  EXPECT_TRUE(SplitBodyForSearch(backticks).empty());
  EXPECT_EQ(Words(SplitBodyForSearch("word " + backticks)), "word");
}

class HostileBody : public ::testing::TestWithParam<const char*> {};

TEST_P(HostileBody, IsCutInLinearTime) {
  SplitBodyForSearch(Hostile("", GetParam()));
  EXPECT_EQ(SplitBodyForSearch(Hostile("word ", GetParam())).front().text, "word");
}

// The last ones begin images around links.
INSTANTIATE_TEST_SUITE_P(SearchText, HostileBody,
                         ::testing::Values("<script>", "<script></script>", "<style>&x;</script>",
                                           "` ``", "&x;", "&eacute;", "\\", "`<b>", "<b>`", "> ",
                                           "![[]()", "<![[]()", "<![CDATA[]()"));

}  // namespace
}  // namespace content
