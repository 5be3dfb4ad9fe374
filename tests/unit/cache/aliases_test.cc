// Articles that are read by more than one name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/time/time.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using ::testing::IsEmpty;
using testing::ScriptedCall;

using AliasesTest = CacheFixture;

TEST_F(AliasesTest, ArticleIsKeptOnceForAllItsNames) {
  Load(MakeArticle("a", 5));
  const Reader reader = Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(cache().GetInfo().article_count(), 1);
  source_.Notify(MakeNotice("a", 6));
  EXPECT_EQ(Get("old-name").answer(), "a v1 with body, r6 c6");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(AliasesTest, NewerStateUnderTheKeyAnswersAnAlias) {
  const Reader reader = Get("old-name");
  ScriptedCall question = source_.Take("full old-name");
  Load(MakeArticle("a", 6, 2));
  question.Answer(MakeArticle("a", 5, 1));  // older
  EXPECT_EQ(reader.answer(), "a v2 with body, r6 c6");
}

TEST_F(AliasesTest, ErrorsHaveTheNameThatTheCallerGave) {
  Load(MakeArticle("a", 5));
  const Reader reader = Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  const Reader behind = Get("old-name", kFull, 7);
  source_.Answer("state a", MakeArticle("a", 5));
  EXPECT_EQ(behind.answer(), "articles/old-name is at revision 5, not yet at 7");
  Pass(absl::Seconds(2));
  const Reader gone = Get("old-name");
  source_.Answer("state a", std::nullopt);
  EXPECT_EQ(gone.answer(), "articles/old-name does not exist");
}

TEST_F(AliasesTest, NamesThatAreAliasesOfEachOtherAreInternalErrors) {
  const Reader one = Get("a");
  source_.Answer("full a", MakeArticle("b", 5));
  source_.Answer("full b", MakeArticle("a", 5));
  EXPECT_EQ(one.answer(), "internal error");
  EXPECT_EQ(Get("a").answer(), "internal error");
}

TEST_F(AliasesTest, FreshnessIsDecidedWhenTheReadComesToTheKey) {
  const Reader reader = Get("old-name");
  ScriptedCall question = source_.Take("full old-name");
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(1001));
  question.Answer(MakeArticle("a", 6));
  EXPECT_TRUE(reader.waits());  // what is known of the first name is too old by now
  source_.Answer("state a", MakeArticle("a", 7));
  EXPECT_EQ(reader.answer(), "a v1 with body, r7 c7");
}

}  // namespace
}  // namespace content::cache
