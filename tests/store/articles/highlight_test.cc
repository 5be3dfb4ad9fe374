#include "store/articles/highlight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace content::store {
namespace {

using ::testing::SizeIs;

// The marks of a body in which PostgreSQL found nothing.
std::vector<Mark> MarksOf(absl::string_view body, absl::string_view query) {
  return FindMarks(SplitBodyForSearch(body), ParseSearchQuery(query), {}, 0);
}

// The marked texts, each in brackets.
std::string Marked(absl::string_view body, absl::string_view query) {
  std::string marked;
  for (const Mark& mark : MarksOf(body, query)) {
    absl::StrAppend(&marked, "[", body.substr(mark.begin, mark.end - mark.begin), "]");
  }
  return marked;
}

std::string Repeated(absl::string_view text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) absl::StrAppend(&repeated, text);
  return repeated;
}

TEST(FindMarks, MarksCharactersWithAnyMarks) {
  EXPECT_EQ(Marked("東京 カ ガ ก\u0E34\u0E48", "東 カ ก"), "[東][カ][ก\u0E34\u0E48]");
  EXPECT_EQ(Marked("ก ก\u0E34", "ก\u0E34 ก\u0E34\u0E48"), "[ก\u0E34]");
}

TEST(FindMarks, MarksTheLongestTermThatEndsWithAUnit) {
  EXPECT_EQ(Marked("東京都の京都", "東京 京都 東京都 都"), "[東京][東京都][京都]");
  EXPECT_EQ(Marked("a 東京 b", "京 \"a 東京 b\" b"), "[a 東京 b][京]");
  EXPECT_EQ(Marked("天気予報", "天気予想 気予 予報"), "[気予][予報]");
}

TEST(FindMarks, MarksAUnitOnceHoweverOftenItIsFound) {
  const std::vector<size_t> found = {0, 0};
  EXPECT_THAT(FindMarks(SplitBodyForSearch("whale"), ParseSearchQuery("whale"), found, 0),
              SizeIs(1));
}

TEST(FindMarks, HasAtMostAsManyMarksAsTheBodyHasUnits) {
  const std::string body = Repeated("東", 10'000);
  EXPECT_THAT(MarksOf(body, Repeated("東 ", 150)), SizeIs(10'000));
  std::string nested;
  for (int i = 1; i < 24; ++i) absl::StrAppend(&nested, Repeated("東", i), " ");
  EXPECT_THAT(MarksOf(body, nested), SizeIs(10'000));
}

// The longest of `terms` that ends with the character `i` of `body`, found without haste.
size_t LongestAt(const std::string& body, size_t i, const std::vector<std::string>& terms) {
  size_t longest = 0;
  for (const std::string& term : terms) {
    const std::string before = body.substr(0, i + 1);
    if (term.size() > longest && before.ends_with(term)) longest = term.size();
  }
  return longest;
}

std::string InKana(const std::string& text) {
  std::string kana;
  for (const char c : text) kana += c == 'a' ? "ア" : "イ";
  return kana;
}

TEST(FindMarks, FindsWhatASimpleSearchFinds) {
  std::mt19937 random(1);
  const auto random_text = [&](size_t size) {
    std::string text(size, 'a');
    for (char& c : text) c = random() % 2 == 0 ? 'a' : 'b';
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    const std::string body = random_text(40);
    std::vector<std::string> terms;
    std::string query;
    for (int i = 0; i < 5; ++i) {
      terms.push_back(random_text(2 + random() % 5));
      absl::StrAppend(&query, InKana(terms.back()), " ");
    }
    size_t expected = 0;
    for (size_t i = 0; i < body.size(); ++i) expected += LongestAt(body, i, terms);
    size_t bytes = 0;
    for (const Mark& mark : MarksOf(InKana(body), query)) bytes += mark.end - mark.begin;
    EXPECT_EQ(bytes, expected * std::string("ア").size()) << body << " " << query;
  }
}

}  // namespace
}  // namespace content::store
