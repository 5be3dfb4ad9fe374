// A database that is unreachable, does not answer, or is merely busy.

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
using ::testing::StartsWith;

using DatabaseAwayTest = CacheFixture;

TEST_F(DatabaseAwayTest, ServesStaleAnswersWithTheirAge) {
  Load(MakeArticle("a", 5));
  LoadPage(MakeArticle("b", 5), "p", kBasic);
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 30s old");
  // From now on nobody waits.
  EXPECT_EQ(GetPage("b", "p", kBasic).answer(), "p at 5 of b v1, r5 c5, 30s old");
  EXPECT_EQ(cache().GetInfo().stale_count(), 2);
}

TEST_F(DatabaseAwayTest, FullQueueMeansStaleAnswersButNotAway) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", Overloaded(absl::Seconds(1)));
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 30s old");
  // The database does not count as away.
  const Reader next = Get("a");
  EXPECT_TRUE(next.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(next.answer(), "a v1 with body, r6 c6");
}

TEST_F(DatabaseAwayTest, ProbesTheDatabaseNowAndThen) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5, 30s old");
  for (int i = 0; i < 10; ++i) Get("a");
  EXPECT_THAT(source_.open(), ElementsAre("state a"));
  source_.Answer("state a", StoreUnavailable());
  for (int i = 0; i < 10; ++i) Get("a");
  EXPECT_THAT(source_.open(), IsEmpty());
  Pass(absl::Milliseconds(100));
  for (int i = 0; i < 10; ++i) Get("a");
  EXPECT_THAT(source_.open(), ElementsAre("state a"));
}

TEST_F(DatabaseAwayTest, ForgetsAfterAWhileThatTheDatabaseWasAway) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  Pass(absl::Seconds(6));
  const Reader later = Get("a");
  EXPECT_TRUE(later.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(later.answer(), "a v1 with body, r6 c6");
}

TEST_F(DatabaseAwayTest, OneAnswerEndsIt) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(Get("b").answer(), "b v1 with body, r5 c5, 30s old");
  source_.Answer("state b", MakeArticle("b", 6));
  EXPECT_EQ(Get("b").answer(), "b v1 with body, r6 c6");
  const Reader waiting = Get("a");
  EXPECT_TRUE(waiting.waits());
  source_.Answer("state a", MakeArticle("a", 7));
  EXPECT_EQ(waiting.answer(), "a v1 with body, r7 c7");
}

TEST_F(DatabaseAwayTest, DoesNotServeAnswersThatAreTooOld) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(61));
  const Reader old = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(old.answer(), "a v1 with body, r5 c5, 1m1s old");
  FailAll();
  Pass(absl::Milliseconds(1));
  const Reader too_old = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(too_old.answer(), StoreUnavailable().message());
}

TEST_F(DatabaseAwayTest, DoesNotServeLessThanTheWantedRevision) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader writer = Get("a", kFull, 6);
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(writer.answer(), StoreUnavailable().message());
  const Reader other = Get("a", kFull, 5);
  EXPECT_THAT(other.answer(), StartsWith("a v1 with body, r5 c5, 2s old"));
}

TEST_F(DatabaseAwayTest, DoesNotReportMissingWhatMayExist) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  Pass(absl::Seconds(2));
  const Reader late = Get("a");
  source_.Answer("full a", StoreUnavailable());
  EXPECT_EQ(late.answer(), StoreUnavailable().message());
}

TEST_F(DatabaseAwayTest, DatabaseThatAnswersNobodyForHalfASecondIsAway) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  ScriptedCall question = source_.Take("state a");
  Pass(absl::Milliseconds(500));
  RunMaintenance();
  EXPECT_TRUE(reader.waits());
  Pass(absl::Milliseconds(1));
  RunMaintenance();
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 2.501s old");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5, 2.501s old");
  EXPECT_EQ(Get("b").answer(), "b v1 with body, r5 c5, 2.501s old");
  question.Answer(MakeArticle("a", 6));
  Pass(absl::Milliseconds(499));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(DatabaseAwayTest, QuestionThatWaitsForAConnectionDoesNotMeanAway) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  source_.UseUpConnections();
  const Reader reader = Get("a");
  Pass(absl::Seconds(3));
  RunMaintenance();
  EXPECT_TRUE(reader.waits());
  const Reader other = Get("b");
  EXPECT_TRUE(other.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  source_.Answer("state b", MakeArticle("b", 6));
  EXPECT_EQ(reader.answer(), "a v1 with body, r6 c6");
  EXPECT_EQ(other.answer(), "b v1 with body, r6 c6");
}

TEST_F(DatabaseAwayTest, QuestionThatTimesOutInTheQueueDoesNotMeanAway) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  source_.UseUpConnections();
  const Reader reader = Get("a");
  Pass(absl::Seconds(10));
  source_.Answer("state a", DeadlineExceeded());
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 12s old");
  EXPECT_TRUE(Get("b").waits());
}

TEST_F(DatabaseAwayTest, QuestionThatWaitsBehindAReadThatHangsMeansAway) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader hanging = Get("c");
  source_.UseUpConnections();
  const Reader reader = Get("a");
  Pass(absl::Milliseconds(501));
  RunMaintenance();
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 2.501s old");
  EXPECT_TRUE(hanging.waits());
}

TEST_F(DatabaseAwayTest, OneSlowQuestionDoesNotMeanAway) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader slow = Get("a");
  ScriptedCall question = source_.Take("state a");
  Pass(absl::Milliseconds(400));
  Load(MakeArticle("b", 5));
  Pass(absl::Milliseconds(400));
  RunMaintenance();
  EXPECT_TRUE(slow.waits());
  question.Answer(MakeArticle("a", 6));
  EXPECT_EQ(slow.answer(), "a v1 with body, r6 c6");
}

TEST_F(DatabaseAwayTest, SlowPageDoesNotMeanAway) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  const Reader slow = GetPage("a", "p");
  ScriptedCall question = source_.Take("page p");
  Pass(absl::Seconds(3));
  RunMaintenance();
  EXPECT_TRUE(slow.waits());
  const Reader other = Get("b");
  EXPECT_TRUE(other.waits());
  source_.Answer("state b", MakeArticle("b", 6));
  EXPECT_EQ(other.answer(), "b v1 with body, r6 c6");
  question.Answer(MakeArticle("a", 6));
  EXPECT_EQ(slow.answer(), "p at 6");
}

TEST_F(DatabaseAwayTest, RefusalDoesNotMeanAwayIfOthersWereAnsweredSince) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  ScriptedCall question = source_.Take("state a");
  Pass(absl::Milliseconds(1));
  Load(MakeArticle("c", 5));
  question.Answer(StoreUnavailable());
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 2.001s old");
  EXPECT_TRUE(Get("b").waits());
}

TEST_F(DatabaseAwayTest, TimedOutConfirmationMeansAStaleAnswer) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", DeadlineExceeded());
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 2s old");
}

}  // namespace
}  // namespace content::cache
