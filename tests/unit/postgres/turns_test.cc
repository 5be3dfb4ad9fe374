#include "postgres/turns.h"

#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/call.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace content::postgres {
namespace {

using ::testing::ElementsAre;

using Strings = std::vector<std::string>;

class FairQueueTest : public ::testing::Test {
 protected:
  // The account of a call is its first letter.
  void Add(const std::string& call) { queue_.Add(static_cast<Account>(call[0]), call); }

  void AddAll(const Strings& calls) {
    for (const std::string& call : calls) Add(call);
  }

  FairQueue<std::string> queue_;
};

TEST_F(FairQueueTest, AnAccountAloneHasItsCallsInOrderOfArrival) {
  AddAll({"a1", "a2"});
  EXPECT_EQ(queue_.Take(), "a1");
  Add("a3");
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("a2", "a3"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(FairQueueTest, AccountsTakeTurns) {
  AddAll({"a1", "a2", "a3", "b1", "b2", "c1"});
  EXPECT_EQ(queue_.size(), 6);
  EXPECT_EQ(queue_.front(), "a1");
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
}

TEST_F(FairQueueTest, OneThatComesLaterWaitsForOneRoundAtMost) {
  AddAll({"a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4"});
  for (const char* call : {"a1", "b1", "a2"}) EXPECT_EQ(queue_.Take(), call);
  Add("c1");
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("b2", "a3", "b3", "c1", "a4", "b4"));
}

TEST_F(FairQueueTest, OneThatWasAwayHasSavedNothingUp) {
  Add("b1");
  AddAll({"a1", "a2", "a3", "a4", "a5", "a6"});
  for (const char* call : {"b1", "a1", "a2", "a3"}) EXPECT_EQ(queue_.Take(), call);
  AddAll({"b2", "b3", "b4"});
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("a4", "b2", "a5", "b3", "a6", "b4"));
}

TEST_F(FairQueueTest, AnItemComesEarlierIfItIsTheTurnOfAnotherAccount) {
  AddAll({"a1", "a2"});
  const auto last = queue_.Add('a', "a3");
  Add("b1");
  EXPECT_TRUE(queue_.IsBefore('b', 'a'));
  EXPECT_TRUE(queue_.IsBefore('c', 'b'));
  EXPECT_FALSE(queue_.IsBefore('c', 'd'));
  EXPECT_EQ(queue_.Hasten(last, 'a'), last) << "it would come later";
  const auto hastened = queue_.Hasten(last, 'b');
  EXPECT_EQ(hastened->second, "a3");
  Add("b2");
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("a1", "b1", "a2", "a3", "b2"));
}

TEST_F(FairQueueTest, OneThatComesBackAtOnceDoesNotStarveTheOthers) {
  for (int i = 0; i < 100; ++i) Add(absl::StrCat("a", i));
  std::map<char, int> done;
  Add("b");
  for (int i = 0; i < 100; ++i) {
    const std::string call = queue_.Take();
    ++done[call[0]];
    if (call == "b") Add("b");
  }
  EXPECT_EQ(done['a'], 50);
  EXPECT_EQ(done['b'], 50);
}

TEST_F(FairQueueTest, WhatIsPutBackIsNext) {
  AddAll({"a1", "a2", "b1"});
  std::string first = queue_.Take();
  std::string second = queue_.Take();
  Add("c1");
  queue_.PutBack(std::move(second));
  queue_.PutBack(std::move(first));
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("a1", "b1", "a2", "c1"));
}

TEST_F(FairQueueTest, AnyItemMayBeTaken) {
  AddAll({"a1", "a2", "a3", "b1"});
  EXPECT_EQ(queue_.Take(std::next(queue_.begin(), 2)), "a2");
  AddAll({"a4", "b2", "c1"});
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("a1", "b1", "c1", "b2", "a3", "a4"));
}

TEST_F(FairQueueTest, ItemsTakenOutOfTurnDoNotDelayOtherAccounts) {
  for (int i = 0; i < 100; ++i) Add(absl::StrCat("a", i));
  Add("b1");
  EXPECT_EQ(queue_.Take(), "a0");
  for (int i = 0; i < 10; ++i) queue_.Take(std::prev(queue_.end()));
  Add("b2");
  Add("c1");
  for (const char* call : {"b1", "a1", "b2", "c1"}) EXPECT_EQ(queue_.Take(), call);
}

TEST_F(FairQueueTest, ItemsTakenOutOfTurnAreForgottenWhenNothingWaits) {
  AddAll({"a1", "a2", "a3", "a4"});
  while (!queue_.empty()) queue_.Take(std::prev(queue_.end()));
  AddAll({"a5", "b1", "b2"});
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("a5", "b1", "b2"));
}

TEST_F(FairQueueTest, CallsThatWereAllTakenAreNotHeldAgainstTheirAccount) {
  AddAll({"a1", "a2", "a3", "a4"});
  EXPECT_EQ(queue_.TakeAll().size(), 4);
  AddAll({"b1", "b2", "a5", "a6"});
  EXPECT_THAT(queue_.TakeAll(), ElementsAre("b1", "a5", "b2", "a6"));
}

TEST_F(FairQueueTest, AccountsThatComeAndGoAreServedInOrderOfArrival) {
  FairQueue<Account> queue;
  for (Account account = 0; account < 10'000; ++account) {
    queue.Add(account, account);
    if (account < 100) continue;
    EXPECT_EQ(queue.Take(), account - 100);
  }
}

TEST(FairQueueItems, MayBeMovable) {
  FairQueue<std::unique_ptr<int>> queue;
  queue.Add(1, std::make_unique<int>(1));
  queue.Add(1, std::make_unique<int>(2));
  queue.Add(2, std::make_unique<int>(3));
  EXPECT_EQ(*queue.Take(), 1);
  EXPECT_EQ(*queue.Take(), 3);
  EXPECT_EQ(*queue.Take(), 2);
}

}  // namespace
}  // namespace content::postgres
