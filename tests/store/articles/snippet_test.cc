#include "store/articles/snippet.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "store/articles/search_fixture.h"

namespace content::store {
namespace {

using ::testing::AllOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

std::string Mark(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"[", std::string(1, kMarkStart)}, {"]", std::string(1, kMarkEnd)}});
}

std::string Snippet(const std::string& text) { return Render(MakeSnippet(Mark(text))); }

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
  EXPECT_TRUE(MakeSnippet(wave)[0].text().size() % 3 == 0);
  EXPECT_THAT(snippet, HasSubstr("\xE6\xB5\xAA[\xE6\xB5\xAA"));
}

}  // namespace
}  // namespace content::store
