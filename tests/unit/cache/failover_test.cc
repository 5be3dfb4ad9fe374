// The database fails over to a standby, which may lack the last commits and use their revisions
// again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/time/time.h"
#include "base/errors.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ScriptedCall;

using CacheFailoverTest = CacheFixture;

TEST_F(CacheFailoverTest, EverythingIsForgotten) {
  Load(MakeArticle("a", 3));
  LoadPage(MakeArticle("a", 3), "p");
  Get("missing");
  source_.Answer("full missing", std::nullopt);
  source_.FailOver();
  EXPECT_EQ(cache().GetInfo().article_count(), 0);

  const Reader article = Get("a", kFull, 3);
  const Reader page = GetPage("a", "p");
  const Reader missing = Get("missing");
  source_.Answer("full a", MakeArticle("a", 3, 9));
  source_.Answer("page p", MakeArticle("a", 3, 9));
  source_.Answer("full missing", MakeArticle("missing", 1));
  EXPECT_EQ(article.answer(), "a v9 with body, r3 c3");
  EXPECT_EQ(page.answer(), "p at 3");
  EXPECT_EQ(missing.answer(), "missing v1 with body, r1 c1");
}

TEST_F(CacheFailoverTest, NothingIsServedWhileTheDatabaseIsAway) {
  Load(MakeArticle("a", 3));
  source_.FailOver();
  const Reader reader = Get("a");
  source_.Answer("full a", StoreUnavailable());
  EXPECT_EQ(reader.answer(), "the database cannot be reached");
}

TEST_F(CacheFailoverTest, AnAnswerUnderWayIsDroppedAndItsReadersAskAgain) {
  const Reader early = Get("a");
  ScriptedCall before = source_.Take("full a");
  source_.FailOver();
  ScriptedCall after = source_.Take("full a");
  const Reader late = Get("a");
  EXPECT_THAT(source_.open(), IsEmpty());  // it joins the flight that began after the failover
  before.Answer(MakeArticle("a", 9, 9));
  EXPECT_TRUE(early.waits());
  EXPECT_EQ(cache().GetInfo().article_count(), 0);
  after.Answer(MakeArticle("a", 3));
  EXPECT_EQ(early.answer(), "a v1 with body, r3 c3");
  EXPECT_EQ(late.answer(), "a v1 with body, r3 c3");
}

TEST_F(CacheFailoverTest, AnAnswerFromBeforeDoesNotReplaceALaterOne) {
  const Reader reader = Get("a");
  ScriptedCall before = source_.Take("full a");
  source_.FailOver();
  source_.Answer("full a", MakeArticle("a", 3));
  before.Answer(MakeArticle("a", 9, 9));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r3 c3");
  EXPECT_EQ(Get("a", kFull, 9).waits(), true);
}

// The renaming may be lost, and the name given to another article.
TEST_F(CacheFailoverTest, AliasesAreForgotten) {
  Load(MakeArticle("a", 3));
  const Reader before = Get("name");
  source_.Answer("full name", MakeArticle("a", 3));
  EXPECT_EQ(before.answer(), "a v1 with body, r3 c3");
  Pass(absl::Seconds(2));
  const Reader reader = Get("name");
  EXPECT_THAT(source_.open(), ElementsAre("state a"));
  ScriptedCall question = source_.Take("state a");
  source_.FailOver();
  source_.Answer("full name", MakeArticle("name", 1));
  question.Answer(MakeArticle("a", 3));
  EXPECT_EQ(reader.answer(), "name v1 with body, r1 c1");
}

TEST_F(CacheFailoverTest, WarmArticlesAreNotConfirmedAnyMore) {
  LoadWarm("a", 2);
  source_.FailOver();
  Pass(kDue);
  ExpectNothingIsConfirmed();
  Load(MakeArticle("a", 3));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r3 c3");
  Pass(kDue);
  TakeConfirmation("states a").Answer(MakeArticle("a", 3));
}

}  // namespace
}  // namespace content::cache
