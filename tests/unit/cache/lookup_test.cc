// Reads that are answered from memory, by view, revision and age.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/time/time.h"
#include "content/errors.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ScriptedCall;

using LookupTest = CacheFixture;

TEST_F(LookupTest, AnswersFreshArticlesFromMemory) {
  const Reader first = Get("a");
  EXPECT_TRUE(first.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(first.answer(), "a v1 with body, r5 c5");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(Get("a", kBasic).answer(), "a v1, r5 c5");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(LookupTest, AsksOnlyForTheStateOfAnExpiredArticle) {
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(1001));
  const Reader reader = Get("a");
  EXPECT_TRUE(reader.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "a v1 with body, r6 c6");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(LookupTest, LoadsTheTextIfTheVersionHasChanged) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", MakeArticle("a", 6, 2));
  EXPECT_TRUE(reader.waits());
  source_.Answer("full a", MakeArticle("a", 6, 2));
  EXPECT_EQ(reader.answer(), "a v2 with body, r6 c6");
}

TEST_F(LookupTest, CountsTheAgeFromBeforeTheQuestionWasSent) {
  const Reader reader = Get("a");
  ScriptedCall question = source_.Take("full a");
  Pass(absl::Milliseconds(400));
  question.Answer(MakeArticle("a", 5));
  Pass(absl::Milliseconds(601));
  const Reader late = Get("a");
  EXPECT_TRUE(late.waits());
}

TEST_F(LookupTest, ServesTheViewThatItHas) {
  Load(MakeArticle("a", 5), kBasic);
  EXPECT_EQ(Get("a", kBasic).answer(), "a v1, r5 c5");
  const Reader full = Get("a", kFull);
  EXPECT_TRUE(full.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(full.answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(Get("a", kBasic).answer(), "a v1, r5 c5");
}

TEST_F(LookupTest, BasicViewDoesNotReplaceFullView) {
  const Reader basic = Get("a", kBasic);
  const Reader full = Get("a", kFull);
  ScriptedCall basic_question = source_.Take("basic a");
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(full.answer(), "a v1 with body, r5 c5");
  basic_question.Answer(MakeArticle("a", 5));
  EXPECT_EQ(basic.answer(), "a v1, r5 c5");
  EXPECT_EQ(Get("a", kFull).answer(), "a v1 with body, r5 c5");
}

TEST_F(LookupTest, AsksIfTheWantedRevisionIsNotKnown) {
  Load(MakeArticle("a", 5));
  EXPECT_EQ(Get("a", kFull, 5).answer(), "a v1 with body, r5 c5");
  const Reader reader = Get("a", kFull, 6);
  source_.Answer("state a", MakeArticle("a", 7));
  EXPECT_EQ(reader.answer(), "a v1 with body, r7 c7");
}

TEST_F(LookupTest, FailsIfTheWantedRevisionIsNotReached) {
  const Reader reader = Get("a", kFull, 6);
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "articles/a is at revision 5, not yet at 6");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
}

TEST_F(LookupTest, AnEarlierFlightCannotTellThatTheRevisionIsNotReached) {
  const Reader early = Get("a");
  const Reader writer = Get("a", kFull, 6);
  EXPECT_THAT(source_.open(), ElementsAre("full a"));
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(early.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(writer.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(writer.answer(), "a v1 with body, r6 c6");
}

TEST_F(LookupTest, AnEarlierFlightMayShowTheWantedRevision) {
  const Reader early = Get("a");
  const Reader writer = Get("a", kFull, 6);
  source_.Answer("full a", MakeArticle("a", 6));
  EXPECT_EQ(writer.answer(), "a v1 with body, r6 c6");
}

TEST_F(LookupTest, CountsEachReadOnce) {
  Load(MakeArticle("a", 5));
  const Reader by_other_name = Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  EXPECT_FALSE(by_other_name.waits());
  EXPECT_EQ(cache().GetInfo().hit_count(), 0);
  EXPECT_EQ(cache().GetInfo().miss_count(), 2);
  Get("old-name");
  EXPECT_EQ(cache().GetInfo().hit_count(), 1);
  Pass(absl::Seconds(2));
  const Reader refused = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_FALSE(refused.waits());
  Get("a");  // at once: it is known to be away
  EXPECT_EQ(cache().GetInfo().hit_count(), 2);
  EXPECT_EQ(cache().GetInfo().miss_count(), 3);
  EXPECT_EQ(cache().GetInfo().stale_count(), 2);
}

TEST_F(LookupTest, CountsHitsAndMisses) {
  Load(MakeArticle("a", 5));
  Get("a");
  Get("a");
  const Reader missing = Get("b");
  source_.Answer("full b", std::nullopt);
  Get("b");
  const v1::CacheInfo info = cache().GetInfo();
  EXPECT_EQ(info.byte_limit(), 1 << 20);
  EXPECT_GT(info.byte_count(), 0);
  EXPECT_EQ(info.article_count(), 1);
  EXPECT_EQ(info.hit_count(), 3);
  EXPECT_EQ(info.miss_count(), 2);
  EXPECT_EQ(info.stale_count(), 0);
}

}  // namespace
}  // namespace content::cache
