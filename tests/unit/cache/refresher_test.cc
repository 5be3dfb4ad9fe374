// Warm articles, which are confirmed ahead of time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/errors.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ScriptedCall;

class RefresherTest : public CacheFixture {
 protected:
  // Number of articles that each open "states" question asks for.
  std::vector<std::ptrdiff_t> CountsOfOpenQuestions() {
    std::vector<std::ptrdiff_t> counts;
    for (const std::string& what : source_.open()) {
      counts.push_back(std::count(what.begin(), what.end(), ' '));
    }
    return counts;
  }
};

TEST_F(RefresherTest, ArticleThatIsReadWhileFreshIsConfirmedAFewTimes) {
  LoadWarm("a", 2);
  for (const int revision : {6, 7}) {
    Pass(kDue);
    TakeConfirmation("states a").Answer(MakeArticle("a", revision));
  }
  Pass(kDue);
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r7 c7");  // warm again from the start
  for (const int revision : {8, 9}) {
    TakeConfirmation("states a").Answer(MakeArticle("a", revision));
    Pass(kDue);
  }
  ExpectNothingIsConfirmed();
}

TEST_F(RefresherTest, ItsThreadRunsNoReads) {
  options_.confirmations_ahead = 1;
  Load(MakeArticle("a", 5));
  Get("a", kFull, 0, {.may_run_here = true});
  Pass(kDue);
  EXPECT_FALSE(TakeConfirmation("states a").context.may_run_here);
}

TEST_F(RefresherTest, ArticleThatIsReadOnceIsNotConfirmed) {
  options_.confirmations_ahead = 2;
  Load(MakeArticle("a", 5));
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(RefresherTest, ArticleThatIsReadWhenExpiredIsNotConfirmed) {
  options_.confirmations_ahead = 2;
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(1001));
  Get("a");
  source_.Answer("state a", MakeArticle("a", 6));
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(RefresherTest, ConfirmsManyArticlesByOneQuestion) {
  options_.confirmations_ahead = 1;
  for (const char* id : {"a", "b", "c"}) {
    Load(MakeArticle(id, 5));
    Get(id);
  }
  Pass(kDue / 2);
  Load(MakeArticle("d", 5));
  Get("d");
  Pass(kDue / 2);
  TakeConfirmation("states a b c").Answer(MakeArticle("any", 6));
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(Get(id).answer(), absl::StrCat(id, " v1 with body, r6 c6"));
  }
}

TEST_F(RefresherTest, ConfirmsNothingTooEarly) {
  LoadWarm("a", 2);
  Pass(absl::Milliseconds(690));
  ExpectNothingIsConfirmed();
}

TEST_F(RefresherTest, ConfirmsNothingIfSwitchedOff) {
  LoadWarm("a", 0);
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(RefresherTest, DoesNotAskAgainForWhatIsBeingConfirmed) {
  LoadWarm("a", 2);
  Pass(kDue);
  ScriptedCall question = TakeConfirmation("states a");
  ExpectNothingIsConfirmed();
  question.Answer(MakeArticle("a", 6));
}

TEST_F(RefresherTest, DoesNotConfirmAMissingArticle) {
  LoadWarm("a", 2);
  Pass(absl::Milliseconds(600));
  const Reader reader = Get("a", kFull, 6);
  source_.Answer("state a", std::nullopt);
  EXPECT_FALSE(reader.waits());
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(RefresherTest, LimitsTheQuestionsUnderWay) {
  options_.confirmations_ahead = 1;
  std::vector<ScriptedCall> questions;
  for (int i = 0; i < 5; ++i) {
    Pass(absl::Milliseconds(1));
    // An answer since the last question was sent, so the database does not count as away.
    Load(MakeArticle(MakeId(i), 5));
    Get(MakeId(i));
    Pass(kDue);
    if (i < 4) questions.push_back(TakeConfirmation(absl::StrCat("states ", MakeId(i))));
  }
  ExpectNothingIsConfirmed();
  questions.back().Answer(MakeArticle(MakeId(3), 5));
  TakeConfirmation(absl::StrCat("states ", MakeId(4)));
}

TEST_F(RefresherTest, ReadJoinsAConfirmationUnderWay) {
  LoadWarm("a", 1);
  Pass(kDue);
  ScriptedCall question = TakeConfirmation("states a");
  Pass(absl::Milliseconds(301));
  const Reader reader = Get("a");
  EXPECT_TRUE(reader.waits());
  EXPECT_THAT(source_.open(), IsEmpty());
  question.Answer(MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "a v1 with body, r6 c6");
}

TEST_F(RefresherTest, ConfirmationMayFindAnArticleMissing) {
  LoadWarm("a", 1);
  Pass(kDue);
  TakeConfirmation("states a").Answer(std::nullopt);
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
}

TEST_F(RefresherTest, RepeatsAFailedConfirmation) {
  LoadWarm("a", 2);
  Pass(kDue);
  TakeConfirmation("states a").Answer(Overloaded(absl::Seconds(1)));
  TakeConfirmation("states a").Answer(MakeArticle("a", 6));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(RefresherTest, ConfirmsNothingWhileTheDatabaseIsAway) {
  LoadWarm("a", 2);
  Pass(kDue);
  TakeConfirmation("states a").Answer(StoreUnavailable());
  ExpectNothingIsConfirmed();
}

TEST_F(RefresherTest, ArticleThatIsReadByAnAliasIsConfirmed) {
  options_.confirmations_ahead = 1;
  Load(MakeArticle("a", 5));
  Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  Get("old-name");
  Pass(kDue);
  TakeConfirmation("states a").Answer(MakeArticle("a", 6));
  EXPECT_EQ(Get("old-name").answer(), "a v1 with body, r6 c6");
}

TEST_F(RefresherTest, DoesNotConfirmEvictedArticles) {
  options_.confirmations_ahead = 1;
  ReadTwice(2000, 6000);
  const int64_t kept = cache().GetInfo().article_count();
  EXPECT_LT(kept, 500);
  Pass(kDue);
  RunMaintenance();
  EXPECT_THAT(CountsOfOpenQuestions(), ElementsAre(kept));
}

TEST_F(RefresherTest, LimitsTheArticlesOfOneQuestion) {
  options_.confirmations_ahead = 1;
  options_.max_bytes = 4 << 20;
  ReadTwice(1200, 500);
  Pass(kDue);
  for (int i = 0; i < 3; ++i) RunMaintenance();
  EXPECT_THAT(CountsOfOpenQuestions(), ElementsAre(500, 500, 200));
}

// ---- The maintenance thread sleeps while it has nothing to do ----

TEST_F(RefresherTest, SleepsWhileNothingIsWarmAndNoFlightIsUnderWay) {
  Load(MakeArticle("a", 5));
  RunMaintenance();
  clock_.AwaitSleep();
  const int notifications = clock_.notifications();
  for (int i = 0; i < 10; ++i) Get("a");  // from memory
  Pass(absl::Hours(1));
  RunMaintenance();
  clock_.AwaitSleep();
  EXPECT_EQ(clock_.notifications(), notifications);
}

TEST_F(RefresherTest, GoesToSleepOnceNothingIsWarmAnyMore) {
  LoadWarm("a", 1);
  Pass(kDue);
  TakeConfirmation("states a").Answer(MakeArticle("a", 6));
  clock_.AwaitSleep();
}

TEST_F(RefresherTest, WakesUpWhenAnArticleBecomesWarm) {
  options_.confirmations_ahead = 1;
  Load(MakeArticle("a", 5));
  RunMaintenance();
  clock_.AwaitSleep();
  Get("a");
  Pass(kDue);
  source_.Await("states a").Answer(MakeArticle("a", 6));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(RefresherTest, WakesUpWhenAFlightDeparts) {
  Load(MakeArticle("a", 5));
  RunMaintenance();
  clock_.AwaitSleep();
  const Reader reader = Get("b", kFull, 0, {.deadline = clock_.Now() + absl::Milliseconds(100)});
  Pass(absl::Milliseconds(100));
  EXPECT_EQ(reader.Await(), DeadlineExceeded().message());
}

// Without RunMaintenance: rounds go on by themselves while an article is warm.
TEST_F(RefresherTest, ConfirmsAgainAndAgainAsTimePasses) {
  LoadWarm("a", 3);
  for (const int revision : {6, 7, 8}) {
    Pass(kDue);
    source_.Await("states a").Answer(MakeArticle("a", revision));
  }
}

}  // namespace
}  // namespace content::cache
