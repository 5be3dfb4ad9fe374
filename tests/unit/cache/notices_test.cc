// Changes that the source announces.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ScriptedCall;

using NoticesTest = CacheFixture;

TEST_F(NoticesTest, NoticeChangesTheCountsInPlace) {
  Load(MakeArticle("a", 5));
  source_.Notify(MakeNotice("a", 6));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
  source_.Notify(MakeNotice("a", 4));  // an older one
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(NoticesTest, NoticeDoesNotConfirm) {
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(900));
  source_.Notify(MakeNotice("a", 6));
  Pass(absl::Milliseconds(101));
  const Reader reader = Get("a");
  EXPECT_TRUE(reader.waits());
  EXPECT_THAT(source_.open(), ElementsAre("state a"));
}

TEST_F(NoticesTest, NoticeOfAnotherVersionDropsTheText) {
  Load(MakeArticle("a", 5));
  source_.Notify(MakeNotice("a", 6, 2));
  const Reader reader = Get("a");
  source_.Answer("full a", MakeArticle("a", 6, 2));
  EXPECT_EQ(reader.answer(), "a v2 with body, r6 c6");
}

// As when a scheduled article is released.
TEST_F(NoticesTest, NoticeOfANewerVersionAtTheSameRevisionDropsTheText) {
  Load(MakeArticle("a", 5));
  source_.Notify(MakeNotice("a", 5, 2));
  const Reader reader = Get("a");
  source_.Answer("full a", MakeArticle("a", 5, 2));
  EXPECT_EQ(reader.answer(), "a v2 with body, r5 c5");
}

TEST_F(NoticesTest, NoticeOfAnUnknownArticleIsIgnored) {
  cache();
  source_.Notify(MakeNotice("a", 6));
  EXPECT_THAT(source_.open(), IsEmpty());
  EXPECT_EQ(cache().GetInfo().article_count(), 0);
}

TEST_F(NoticesTest, TextLoadedDuringANoticeOfACommentIsGood) {
  const Reader early = Get("a");
  source_.Notify(MakeNotice("a", 6));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 5));  // as it was before
  EXPECT_EQ(early.answer(), "a v1 with body, r6 c6");
  EXPECT_EQ(late.answer(), "a v1 with body, r6 c6");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(NoticesTest, ReadAfterANoticeIsNotAnsweredWithAnOlderState) {
  const Reader early = Get("a");
  source_.Notify(MakeNotice("a", 6, 2));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 5, 1));
  EXPECT_EQ(early.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(late.waits());
  source_.Answer("full a", MakeArticle("a", 6, 2));
  EXPECT_EQ(late.answer(), "a v2 with body, r6 c6");
}

TEST_F(NoticesTest, AnswerOlderThanANoticeIsNotKept) {
  const Reader early = Get("a");
  source_.Notify(MakeNotice("a", 6, 2));
  source_.Answer("full a", MakeArticle("a", 5, 1));
  const Reader late = Get("a");
  EXPECT_TRUE(late.waits());
  EXPECT_THAT(source_.open(), ElementsAre("full a"));
}

TEST_F(NoticesTest, NoticeDropsPages) {
  LoadPage(MakeArticle("a", 5), "p");
  source_.Notify(MakeNotice("a", 6));
  const Reader reader = GetPage("a", "p");
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "p at 6");
}

TEST_F(NoticesTest, OlderAnswerDoesNotReplaceNewerState) {
  const Reader basic = Get("a", kBasic);
  ScriptedCall older = source_.Take("basic a");
  const Reader full = Get("a", kFull);
  source_.Answer("full a", MakeArticle("a", 6, 2));
  older.Answer(MakeArticle("a", 5, 1));
  EXPECT_EQ(Get("a", kBasic).answer(), "a v2, r6 c6");
}

TEST_F(NoticesTest, OlderStateInALaterAnswerIsBelieved) {
  Load(MakeArticle("a", 50, 7));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", MakeArticle("a", 40, 7));  // restored from a backup
  EXPECT_TRUE(reader.waits());                         // its text may differ as well
  source_.Answer("full a", MakeArticle("a", 40, 7));
  EXPECT_EQ(reader.answer(), "a v7 with body, r40 c40");
}

}  // namespace
}  // namespace content::cache
