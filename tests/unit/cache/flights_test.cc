// Reads that share questions to the database.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "content/errors.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ScriptedCall;

using FlightsTest = CacheFixture;

CallContext Until(SteadyTime deadline) { return {.deadline = deadline}; }

CallContext Unless(const std::atomic<bool>& cancelled) {
  return {.cancelled = [&cancelled] { return cancelled.load(); }};
}

CallContext Of(Account account) {
  return {.account_of = [account] { return account; }};
}

TEST_F(FlightsTest, ManyReadsOfOneArticleAreOneQuestion) {
  std::vector<Reader> readers;
  for (int i = 0; i < 100; ++i) readers.push_back(Get("a", i % 2 == 0 ? kFull : kBasic));
  EXPECT_THAT(source_.open(), ElementsAre("full a"));
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(readers[98].answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(readers[99].answer(), "a v1, r5 c5");
}

TEST_F(FlightsTest, ManyReadsOfAMissingArticleAreOneQuestion) {
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", std::nullopt);
  EXPECT_EQ(one.answer(), "articles/a does not exist");
  EXPECT_EQ(two.answer(), "articles/a does not exist");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(FlightsTest, LateReadOfAnOldFlightWaitsForAnother) {
  const Reader early = Get("a");
  ScriptedCall question = source_.Take("full a");
  Pass(absl::Seconds(2));
  const Reader late = Get("a");
  EXPECT_THAT(source_.open(), IsEmpty());
  question.Answer(MakeArticle("a", 5));
  EXPECT_EQ(early.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(late.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(late.answer(), "a v1 with body, r6 c6");
}

TEST_F(FlightsTest, TheThreadOfAReadMayRunTheFlightThatItBegins) {
  const CallContext may_run_here = {.may_run_here = true};
  Get("a", kFull, 0, may_run_here);
  ScriptedCall question = source_.Take("full a");
  EXPECT_TRUE(question.context.may_run_here);
  Pass(absl::Seconds(2));
  const Reader late = Get("a", kFull, 0, may_run_here);
  question.Answer(MakeArticle("a", 5));
  {
    ScriptedCall next = source_.Take("state a");
    EXPECT_FALSE(next.context.may_run_here) << "begun by the thread that landed the first";
    next.Answer(MakeArticle("a", 5));
  }
  Pass(absl::Seconds(2));
  Get("a", kFull, 0, may_run_here);
  EXPECT_TRUE(source_.Take("state a").context.may_run_here);
}

TEST_F(FlightsTest, AFlightIsOfTheAccountThatBeganIt) {
  Get("a", kFull, 0, Of(7));
  Get("a", kFull, 0, Of(8));
  ScriptedCall question = source_.Take("full a");
  EXPECT_EQ(question.context.account(), 7);
  EXPECT_FALSE(question.context.confirms);
  question.Answer(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  Get("a", kFull, 0, Of(8));
  const ScriptedCall confirmation = source_.Take("state a");
  EXPECT_EQ(confirmation.context.account(), 8);
  EXPECT_TRUE(confirmation.context.confirms);
}

TEST_F(FlightsTest, ConfirmationsAheadOfTimeAreTheServersOwnWork) {
  LoadWarm("a", 1);
  Pass(kDue);
  const ScriptedCall question = TakeConfirmation("states a");
  EXPECT_EQ(question.context.account(), kOwnWork);
  EXPECT_TRUE(question.context.confirms);
}

TEST_F(FlightsTest, ARefusalOfOneAccountIsNotThatOfAnother) {
  const Reader greedy = Get("a", kFull, 0, Of(7));
  const Reader modest = Get("a", kFull, 0, Of(8));
  const Reader another = Get("a", kFull, 0, Of(9));
  source_.Answer("full a", Overloaded(absl::Seconds(1), "refused"));
  EXPECT_EQ(greedy.answer(), "refused");
  EXPECT_TRUE(modest.waits());
  ScriptedCall question = source_.Take("full a");
  EXPECT_EQ(question.context.account(), 8);
  question.Answer(MakeArticle("a", 5));
  EXPECT_EQ(modest.answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(another.answer(), "a v1 with body, r5 c5");
}

TEST_F(FlightsTest, ARefusalIsPassedOnOnce) {
  const Reader one = Get("a", kFull, 0, Of(7));
  const Reader two = Get("a", kFull, 0, Of(8));
  const Reader three = Get("a", kFull, 0, Of(9));
  source_.Answer("full a", Overloaded(absl::Seconds(1), "refused"));
  source_.Answer("full a", Overloaded(absl::Seconds(1), "refused too"));
  EXPECT_EQ(two.answer(), "refused too");
  EXPECT_EQ(three.answer(), "refused too");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(FlightsTest, ErrorsReachAllWaitersAndAreNotKept) {
  Get("b");
  source_.Answer("full b", absl::InternalError("broken"));
  const int64_t empty = cache().GetInfo().byte_count();
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", absl::InternalError("broken"));
  EXPECT_EQ(one.answer(), "broken");
  EXPECT_EQ(two.answer(), "broken");
  EXPECT_EQ(cache().GetInfo().byte_count(), empty);
  const Reader three = Get("a");
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(three.answer(), "a v1 with body, r5 c5");
}

TEST_F(FlightsTest, SourceMayAnswerOnTheSpotAndCallbackMayReadAgain) {
  source_.AnswerAtOnce(MakeArticle("a", 5));
  Reader inner;
  cache().GetArticle({}, "a", kFull, 0, [&](const absl::StatusOr<ArticleAnswer>&) {
    cache().GetArticle({}, "a", kBasic, 0, inner.Done<ArticleAnswer>());
  });
  EXPECT_EQ(inner.answer(), "a v1, r5 c5");
}

TEST_F(FlightsTest, DestructorCancelsConfirmationsAndWaitsForThem) {
  LoadWarm("a", 1);
  Pass(kDue);
  ScriptedCall question = TakeConfirmation("states a");
  EXPECT_FALSE(question.context.cancelled());
  std::atomic<bool> answered = false;
  std::thread answering([&] {
    while (!question.context.cancelled()) std::this_thread::yield();
    answered = true;
    question.Answer(Cancelled());
  });
  cache_ = nullptr;
  EXPECT_TRUE(answered);
  answering.join();
}

TEST_F(FlightsTest, FlightHasTheDeadlineOfItsReads) {
  const SteadyTime deadline = clock_.Now() + absl::Hours(1);
  const Reader reader = Get("a", kFull, 0, Until(deadline));
  EXPECT_EQ(source_.Take("full a").context.deadline, deadline);
}

TEST_F(FlightsTest, FlightIsCancelledOnceAllCallersHaveGone) {
  std::atomic<bool> first_gone = false;
  std::atomic<bool> second_gone = false;
  const Reader first = Get("a", kFull, 0, Unless(first_gone));
  const Reader second = Get("a", kFull, 0, Unless(second_gone));
  ScriptedCall question = source_.Take("full a");
  EXPECT_FALSE(question.context.cancelled());
  first_gone = true;
  EXPECT_FALSE(question.context.cancelled());
  second_gone = true;
  EXPECT_TRUE(question.context.cancelled());
  question.Answer(Cancelled());
  EXPECT_EQ(first.Await(), Cancelled().message());
  EXPECT_EQ(second.Await(), Cancelled().message());
}

TEST_F(FlightsTest, CancelledFlightIsRepeatedForReadsThatJoinedLater) {
  std::atomic<bool> gone = false;
  const Reader first = Get("a", kFull, 0, Unless(gone));
  ScriptedCall question = source_.Take("full a");
  gone = true;
  EXPECT_TRUE(question.context.cancelled());
  const Reader second = Get("a");
  question.Answer(Cancelled());
  EXPECT_EQ(first.answer(), Cancelled().message());
  EXPECT_TRUE(second.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(second.answer(), "a v1 with body, r5 c5");
}

TEST_F(FlightsTest, TimedOutFlightIsNotRepeatedForItsFirstReads) {
  const Reader reader = Get("a");
  source_.Answer("full a", DeadlineExceeded());  // by a limit of the source's own
  EXPECT_EQ(reader.answer(), DeadlineExceeded().message());
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(FlightsTest, NothingIsRepeatedForACallerThatHasGone) {
  std::atomic<bool> gone = false;
  const Reader first = Get("a");
  const Reader second = Get("a", kFull, 6, Unless(gone));
  gone = true;
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(second.answer(), Cancelled().message());
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(FlightsTest, CallerThatHasGoneIsAnsweredWhileItsFlightIsUnderWay) {
  std::atomic<bool> gone = false;
  const Reader first = Get("a", kFull, 0, Unless(gone));
  const Reader second = Get("a", kFull, 0, Until(clock_.Now() + absl::Milliseconds(10)));
  const Reader third = Get("a");
  gone = true;
  Pass(absl::Milliseconds(10));
  RunMaintenance();
  EXPECT_EQ(first.answer(), Cancelled().message());
  EXPECT_EQ(second.answer(), DeadlineExceeded().message());
  EXPECT_TRUE(third.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(third.answer(), "a v1 with body, r5 c5");
}

TEST_F(FlightsTest, LimitsTheReadsOfOneFlight) {
  std::vector<Reader> readers;
  for (int i = 0; i < 10'000; ++i) readers.push_back(Get("a"));
  EXPECT_EQ(Get("a").answer(), Overloaded(absl::Seconds(1)).message());
  const Reader other = Get("b");
  EXPECT_TRUE(other.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  for (const Reader& reader : readers) ASSERT_EQ(reader.answer(), "a v1 with body, r5 c5");
}

TEST_F(FlightsTest, SourceThatNeverBringsTheTextIsAnInternalError) {
  EncodedArticle textless = MakeArticle("a", 5);
  textless.text = nullptr;
  textless.basic_size = 0;
  source_.AnswerAtOnce(textless);
  EXPECT_EQ(Get("a").answer(), "internal error");
}

}  // namespace
}  // namespace content::cache
