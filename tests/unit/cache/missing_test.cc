// Articles that do not exist or that readers may not see.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/time/time.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using testing::ScriptedCall;

using MissingTest = CacheFixture;

TEST_F(MissingTest, RetractedArticleIsMissing) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", std::nullopt);
  EXPECT_EQ(reader.answer(), "articles/a does not exist");
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
  EXPECT_EQ(cache().GetInfo().article_count(), 0);
}

TEST_F(MissingTest, RemembersForAWhileThatAnArticleIsMissing) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
  EXPECT_EQ(GetPage("a", "p").answer(), "articles/a does not exist");
  Pass(absl::Milliseconds(1));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 1));
  EXPECT_EQ(late.answer(), "a v1 with body, r1 c1");
}

TEST_F(MissingTest, NoticeOfItsKeyMakesItFoundAgain) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  source_.Notify(MakeNotice("a", 1));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 1));
  EXPECT_EQ(late.answer(), "a v1 with body, r1 c1");
}

TEST_F(MissingTest, NoticeOfItsNameMakesItFoundAgain) {
  const Reader reader = Get("new-name");
  source_.Answer("full new-name", std::nullopt);
  ChangeNotice notice = MakeNotice("a", 2, 2);
  notice.name = "new-name";
  source_.Notify(notice);  // renamed
  const Reader late = Get("new-name");
  source_.Answer("full a", MakeArticle("a", 2, 2));
  EXPECT_EQ(late.answer(), "a v2 with body, r2 c2");
}

TEST_F(MissingTest, NoticeOfItsNameWhileAFlightIsUnderWay) {
  const Reader early = Get("new-name");
  ChangeNotice notice = MakeNotice("a", 2, 2);
  notice.name = "new-name";
  source_.Notify(notice);
  source_.Answer("full new-name", std::nullopt);  // as it was before
  source_.Answer("full a", MakeArticle("a", 2, 2));
  EXPECT_EQ(early.answer(), "a v2 with body, r2 c2");
}

TEST_F(MissingTest, AsksAgainIfARevisionOfAMissingArticleIsWanted) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  const Reader writer = Get("a", kFull, 1);
  source_.Answer("full a", MakeArticle("a", 1));
  EXPECT_EQ(writer.answer(), "a v1 with body, r1 c1");

  const Reader other = Get("b", kFull, 1);
  source_.Answer("full b", std::nullopt);
  EXPECT_EQ(other.answer(), "articles/b does not exist");
}

TEST_F(MissingTest, FoundArticleIsMissingOnlyForEarlierReads) {
  const Reader early = Get("a", kBasic);
  ScriptedCall older = source_.Take("basic a");
  source_.Notify(MakeNotice("a", 1));  // published meanwhile
  const Reader late = Get("a", kBasic);
  older.Answer(std::nullopt);  // read before the publication, or after a retraction
  EXPECT_EQ(early.answer(), "articles/a does not exist");
  EXPECT_TRUE(late.waits());
  source_.Answer("basic a", MakeArticle("a", 1));
  EXPECT_EQ(late.answer(), "a v1, r1 c1");
}

TEST_F(MissingTest, ArticleReportedMissingIsShownToNobodyUntilItIsAskedForAgain) {
  Load(MakeArticle("a", 5));
  LoadPage(MakeArticle("a", 5), "p");
  Pass(absl::Seconds(2));
  const Reader early = Get("a");
  ScriptedCall state = source_.Take("state a");
  const Reader other = GetPage("a", "q");
  ScriptedCall page = source_.Take("page q");
  source_.Notify(MakeNotice("a", 6));
  state.Answer(std::nullopt);  // retracted before the notice, or after it
  EXPECT_EQ(early.answer(), "articles/a does not exist");
  page.Answer(MakeArticle("a", 6));  // read before the retraction, or published again
  EXPECT_TRUE(other.waits());
  const Reader late = Get("a");
  source_.Answer("page q", std::nullopt);
  EXPECT_EQ(other.answer(), "articles/a does not exist");
  source_.Answer("full a", std::nullopt);
  EXPECT_EQ(late.answer(), "articles/a does not exist");
}

TEST_F(MissingTest, RetractedArticleWithNoticesIsMissing) {
  Reader reader = Get("a");
  for (int revision = 5; revision < 105; ++revision) {
    ScriptedCall question = source_.Take("full a");
    const Reader next = Get("a");
    source_.Notify(MakeNotice("a", revision));
    question.Answer(std::nullopt);
    ASSERT_EQ(reader.answer(), "articles/a does not exist");
    ASSERT_TRUE(next.waits());
    reader = next;
  }
}

TEST_F(MissingTest, OlderAnswerDoesNotBringAMissingArticleBack) {
  const Reader early = Get("a", kBasic);
  ScriptedCall older = source_.Take("basic a");
  const Reader gone = Get("a", kFull);
  source_.Answer("full a", std::nullopt);  // retracted meanwhile
  EXPECT_EQ(gone.answer(), "articles/a does not exist");
  older.Answer(MakeArticle("a", 5));
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
  EXPECT_EQ(early.answer(), "articles/a does not exist");
}

TEST_F(MissingTest, OldNoticeDoesNotBringAMissingArticleBack) {
  const Reader early = Get("a", kBasic);
  ScriptedCall older = source_.Take("basic a");
  const Reader gone = Get("a", kFull);
  source_.Answer("full a", std::nullopt);
  source_.Notify(MakeNotice("a", 5));  // of a change before the retraction
  older.Answer(MakeArticle("a", 5));
  EXPECT_TRUE(early.waits());
  source_.Answer("basic a", std::nullopt);
  EXPECT_EQ(early.answer(), "articles/a does not exist");
}

}  // namespace
}  // namespace content::cache
