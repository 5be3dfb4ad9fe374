#include "store/articles/search_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;

// The alternatives of a query, as `wanted ! excluded`, separated by ` OR `.
std::string Parse(absl::string_view text) {
  const ParsedQuery query = ParseSearchQuery(text);
  EXPECT_EQ(query.wanted.size(), query.excluded.size());
  std::string parsed;
  for (size_t i = 0; i < query.wanted.size(); ++i) {
    absl::StrAppend(&parsed, i > 0 ? " OR " : "", query.wanted[i],
                    query.excluded[i].empty() ? "" : " ! ", query.excluded[i]);
  }
  return parsed;
}

TEST(ParseSearchQuery, ReadsWordsQuotesAlternativesAndExclusions) {
  EXPECT_EQ(Parse("white WHALE"), "'white' & 'whale'");
  EXPECT_EQ(Parse("\"white whale\""), "('white' <1> 'whale')");
  EXPECT_EQ(Parse("\"white"), "'white'");
  EXPECT_EQ(Parse("a b or c OR \"or\" -or"), "'a' & 'b' OR 'c' OR 'or' ! 'or'");
  EXPECT_EQ(Parse("a -b -\"c d\""), "'a' ! 'b' | ('c' <1> 'd')");
  EXPECT_EQ(Parse("-a"), " ! 'a'");
  EXPECT_EQ(Parse("a\u3000b"), "'a' & 'b'");
}

TEST(ParseSearchQuery, IgnoresWhatHasNoWord) {
  for (const char* text :
       {"", " ", "-", "--", "\"", "\"\"", "or", "or or", "...", "- \"\"", "🐋", "<>"}) {
    EXPECT_EQ(Parse(text), "") << text;
  }
  EXPECT_EQ(Parse("or a or or b or"), "'a' OR 'b'");
  EXPECT_EQ(Parse("a & | ! ( ) ' \\ :* <->"), "'a'");
}

TEST(ParseSearchQuery, KeepsTheWordsOfOneTermTogether) {
  EXPECT_EQ(Parse("don't"), "('don' <1> 't' | 'don':D & 't':D)");
  EXPECT_EQ(Parse("a.b/c"), "('a' <1> 'b' <1> 'c' | 'a':D & 'b':D & 'c':D)");
  EXPECT_EQ(Parse("-a.b"), " ! ('a' <1> 'b' | 'a':D & 'b':D)");
}

TEST(ParseSearchQuery, AsksForPairsOfCharacters) {
  EXPECT_EQ(Parse("東京"), "'東京'");
  EXPECT_EQ(Parse("東京都"), "('東京' <1> '京都' | '東京':D & '京都':D)");
  EXPECT_EQ(Parse("ハハハ"), "('ハハ' <1> 'ハハ' | 'ハハ':D & 'ハハ':D)");
  EXPECT_EQ(Parse("京"), "'京':*");
  EXPECT_EQ(Parse("\"東京 大阪\""), "('東京' <2> '大阪' | '東京':D & '大阪':D)");
  EXPECT_EQ(Parse("2024年"), "('2024' <1> '年':* | '2024':D & '年':*D)");
}

TEST(ParseSearchQuery, IsPlainText) {
  EXPECT_EQ(Parse("<template>"), "'template'");
  EXPECT_EQ(Parse("R&amp;D"), "('r' <1> 'amp' <1> 'd' | 'r':D & 'amp':D & 'd':D)");
}

TEST(ParseSearchQuery, ListsTheWantedTermsOnce) {
  std::vector<std::string> terms;
  for (const auto& term :
       ParseSearchQuery("whale -ship or \"東京 a\" 京 WHALE 京 or 東京a 京").terms) {
    terms.push_back(absl::StrJoin(term, " ", [](std::string* text, const SearchUnit& unit) {
      absl::StrAppend(text, unit.text);
    }));
  }
  EXPECT_THAT(terms, ElementsAre("whale", "東 京 a", "京"));
}

}  // namespace
}  // namespace content::store
