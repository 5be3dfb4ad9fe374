#include "store/articles/snippet.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/articles/search_fixture.h"

namespace content::store {
namespace {

using ::testing::AllOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

// The snippet of a text whose words in brackets are marked.
std::string Snippet(const std::string& bracketed) {
  std::string text;
  std::vector<Mark> marks;
  for (const char c : bracketed) {
    if (c == '[') {
      marks.push_back({text.size(), text.size()});
    } else if (c == ']') {
      marks.back().end = text.size();
    } else {
      text.push_back(c);
    }
  }
  return Render(MakeSnippet(text, marks));
}

TEST(SnippetTest, AShortTextIsShownWhole) {
  EXPECT_EQ(Snippet("The [white] whale\n\nswam"), "The [white] whale\n\nswam");
  EXPECT_EQ(Snippet("[white][whale]"), "[white][whale]");
  EXPECT_EQ(Snippet(""), "");
}

TEST(SnippetTest, PrefersThePassageWithTheMostDistinctWords) {
  const std::string filler = absl::StrJoin(std::vector<std::string>(100, "filler"), " ");
  const std::string text = absl::StrCat("[Whale] [whale] [WHALE] ", filler, " a [whale] was ",
                                        "[white] ", filler, " [white] [whale]");
  const std::string snippet = Snippet(text);
  EXPECT_THAT(snippet, HasSubstr("filler a [whale] was [white] filler"));
  EXPECT_THAT(snippet, SizeIs(AllOf(Gt(250U), Le(304U))));
  EXPECT_EQ(snippet.substr(0, 7), "filler ");
  EXPECT_EQ(snippet.substr(snippet.size() - 7), " filler");
}

TEST(SnippetTest, CutsBetweenCharactersIfThereIsNoSpace) {
  std::string wave;
  for (int i = 0; i < 200; ++i) wave += "\xE6\xB5\xAA";
  const std::string snippet = Snippet(absl::StrCat(wave, "[", wave, "]", wave));
  EXPECT_THAT(snippet, SizeIs(AllOf(Gt(290U), Le(302U))));
  EXPECT_TRUE(MakeSnippet(wave, {})[0].text().size() % 3 == 0);
  EXPECT_THAT(snippet, HasSubstr("\xE6\xB5\xAA[\xE6\xB5\xAA"));
}

TEST(SnippetTest, JoinsMarksThatOverlap) {
  EXPECT_EQ(Render(MakeSnippet("abcde", {{0, 2}, {1, 3}, {3, 4}})), "[abc][d]e");
}

TEST(SnippetTest, DoesNotCutAMarkOffItsLetter) {
  std::string thai;
  for (int i = 0; i < 200; ++i) thai += "ที่";  // one letter and two marks
  const size_t found = 300 * 3;
  for (size_t shift = 0; shift < 9; shift += 3) {
    const std::vector<v1::SnippetPart> parts =
        MakeSnippet(thai + "ก" + thai, {{found + shift, found + shift + 9}});
    EXPECT_THAT(parts.front().text(), ::testing::StartsWith("ท"));
    EXPECT_THAT(parts.back().text(), ::testing::EndsWith("ที่"));
  }
}

TEST(SnippetTest, StaysShortInATextOfMarks) {
  std::string marks = "a";
  for (int i = 0; i < 500; ++i) marks += "\u0301";
  EXPECT_THAT(Snippet(marks), SizeIs(AllOf(Gt(290U), Le(300U))));
  EXPECT_THAT(Render(MakeSnippet(marks, {{501, 503}})), SizeIs(AllOf(Gt(290U), Le(304U))));
}

}  // namespace
}  // namespace content::store
