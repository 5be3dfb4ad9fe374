// Pages of comments, with and without their article.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/errors.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using ::testing::IsEmpty;
using testing::ScriptedCall;

using PagesTest = CacheFixture;

TEST_F(PagesTest, KeepsPagesByKey) {
  LoadPage(MakeArticle("a", 5), "p");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 5");
  const Reader other = GetPage("a", "q");
  EXPECT_TRUE(other.waits());
  source_.Answer("page q", MakeArticle("a", 5));
  EXPECT_EQ(GetPage("a", "q").answer(), "q at 5");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 5");
}

TEST_F(PagesTest, ManyReadsOfOnePageAreOneQuestion) {
  const Reader one = GetPage("a", "p");
  const Reader two = GetPage("a", "p");
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(one.answer(), "p at 5");
  EXPECT_EQ(two.answer(), "p at 5");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(PagesTest, DifferentPagesAreDifferentQuestions) {
  const Reader one = GetPage("a", "p");
  const Reader two = GetPage("a", "q");
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(one.answer(), "p at 5");
  source_.Answer("page q", MakeArticle("a", 5));
  EXPECT_EQ(two.answer(), "q at 5");
}

TEST_F(PagesTest, PageIsGoodWhileTheRevisionIsTheSame) {
  LoadPage(MakeArticle("a", 5), "p");
  Pass(absl::Seconds(2));
  const Reader same = GetPage("a", "p");
  source_.Answer("state a", MakeArticle("a", 5));
  EXPECT_EQ(same.answer(), "p at 5");
  Pass(absl::Seconds(2));
  const Reader other = GetPage("a", "p");
  source_.Answer("state a", MakeArticle("a", 6));
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(other.answer(), "p at 6");
}

TEST_F(PagesTest, PageOfAnUnknownRevisionIsLoadedAtOnce) {
  LoadPage(MakeArticle("a", 5), "p");
  const Reader reader = GetPage("a", "p", {}, 6);
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "p at 6");
  const Reader behind = GetPage("a", "p", {}, 8);
  source_.Answer("page p", MakeArticle("a", 7));
  EXPECT_EQ(behind.answer(), "articles/a is at revision 7, not yet at 8");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 7");
}

TEST_F(PagesTest, PageBringsTheArticleOfTheSameMoment) {
  const Reader reader = GetPage("a", "p", kFull);
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "p at 5 of a v1 with body, r5 c5");
  EXPECT_EQ(GetPage("a", "p", kBasic).answer(), "p at 5 of a v1, r5 c5");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 5");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
}

TEST_F(PagesTest, LoadsThePageAgainIfTheArticleIsNotKnown) {
  LoadPage(MakeArticle("a", 5), "p");
  const Reader reader = GetPage("a", "p", kBasic);
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "p at 5 of a v1, r5 c5");
}

TEST_F(PagesTest, PageAndArticleHaveOneRevisionDespiteNotices) {
  const Reader early = GetPage("a", "p", kFull);
  source_.Notify(MakeNotice("a", 6));
  const Reader late = GetPage("a", "p", kFull);
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(early.answer(), "p at 5 of a v1 with body, r5 c5");
  EXPECT_TRUE(late.waits());
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(late.answer(), "p at 6 of a v1 with body, r6 c6");
}

TEST_F(PagesTest, ConstantChangesKeepNobodyWaiting) {
  const Reader first = GetPage("a", "p");
  source_.Notify(MakeNotice("a", 10));
  const Reader second = GetPage("a", "p");
  source_.Answer("page p", MakeArticle("a", 9));
  EXPECT_EQ(first.answer(), "p at 9");
  ScriptedCall question = source_.Take("page p");
  source_.Notify(MakeNotice("a", 11));
  question.Answer(MakeArticle("a", 10));
  EXPECT_EQ(second.answer(), "p at 10");
}

TEST_F(PagesTest, PageIsNeverOlderThanAnArticleAlreadySeen) {
  const Reader page = GetPage("a", "p");
  ScriptedCall question = source_.Take("page p");
  const Reader article = Get("a");
  source_.Answer("full a", MakeArticle("a", 6));
  EXPECT_EQ(article.answer(), "a v1 with body, r6 c6");
  const Reader later_page = GetPage("a", "p");
  question.Answer(MakeArticle("a", 5));
  EXPECT_EQ(page.answer(), "p at 5");
  EXPECT_TRUE(later_page.waits());
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(later_page.answer(), "p at 6");
}

TEST_F(PagesTest, ErrorsOfTheLoaderArePassedOn) {
  Load(MakeArticle("a", 5));
  const Reader one = GetPage("a", "p");
  const Reader two = GetPage("a", "p");
  source_.Answer("page p", CommentNotFound("articles/a/comments/c"));
  EXPECT_EQ(one.answer(), "articles/a/comments/c does not exist");
  EXPECT_EQ(two.answer(), "articles/a/comments/c does not exist");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
}

TEST_F(PagesTest, LoaderMayFindTheArticleMissing) {
  Load(MakeArticle("a", 5));
  const Reader page = GetPage("a", "p");
  source_.Answer("page p", std::nullopt);  // retracted
  EXPECT_EQ(page.answer(), "articles/a does not exist");
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
}

TEST_F(PagesTest, PageReadByAnAliasIsThatOfTheArticle) {
  LoadPage(MakeArticle("a", 5), "p");
  const Reader reader = GetPage("old-name", "p");
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "p at 5");
  EXPECT_EQ(GetPage("old-name", "p").answer(), "p at 5");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(PagesTest, LimitsThePagesOfOneArticle) {
  for (int i = 0; i < 100; ++i) LoadPage(MakeArticle("a", 5), absl::StrCat("p", i));
  EXPECT_EQ(GetPage("a", "p99").answer(), "p99 at 5");
  EXPECT_TRUE(GetPage("a", "p0").waits());
}

}  // namespace
}  // namespace content::cache
