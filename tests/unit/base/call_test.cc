#include "base/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"

namespace content {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<Callback<int>>);
static_assert(!std::is_copy_assignable_v<Callback<int>>);
static_assert(std::is_nothrow_move_constructible_v<Callback<int>>);
static_assert(std::is_nothrow_move_assignable_v<Callback<int>>);
static_assert(!std::is_constructible_v<Callback<int>, void (*)(std::string)>);

// The answers that callbacks gave, in order.
class CallbackTest : public ::testing::Test {
 protected:
  Callback<int> NewCallback() {
    return [this](absl::StatusOr<int> answer) { answers_.push_back(std::move(answer)); };
  }

  // One more answer than before, which says that the call was dropped.
  void ExpectOneDropped() {
    ASSERT_EQ(answers_.size(), 1U);
    EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kInternal);
    EXPECT_EQ(ReasonOf(answers_[0].status()), "INTERNAL");
  }

  std::vector<absl::StatusOr<int>> answers_;
};

TEST_F(CallbackTest, IsCalledOnceAndThenEmpty) {
  {
    Callback<int> done = NewCallback();
    EXPECT_TRUE(done);
    std::move(done)(7);
    EXPECT_FALSE(done);
    ASSERT_EQ(answers_.size(), 1U);
    EXPECT_EQ(answers_[0].value(), 7);
  }
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(CallbackTest, PassesOnErrors) {
  NewCallback()(Cancelled());
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kCancelled);
}

TEST_F(CallbackTest, AnswersInternalAndLogsWhenItIsDropped) {
  ::testing::internal::CaptureStderr();
  { const Callback<int> done = NewCallback(); }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("a call was dropped without an answer"));
  ExpectOneDropped();
}

TEST_F(CallbackTest, IsEmptyAfterItWasMoved) {
  Callback<int> done = NewCallback();
  {
    Callback<int> moved = std::move(done);
    EXPECT_FALSE(done);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_TRUE(moved);
    std::move(moved)(7);
  }
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(CallbackTest, AnswersForTheOneThatAnAssignmentReplaces) {
  Callback<int> done = NewCallback();
  Callback<int> other = NewCallback();
  done = std::move(other);
  EXPECT_FALSE(other);  // NOLINT(bugprone-use-after-move): that is what is tested
  ExpectOneDropped();
  std::move(done)(7);
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[1].value(), 7);
}

TEST_F(CallbackTest, SurvivesAnAssignmentToItself) {
  Callback<int> done = NewCallback();
  Callback<int>& same = done;
  done = std::move(same);
  EXPECT_THAT(answers_, IsEmpty());
  ASSERT_TRUE(done);
  std::move(done)(7);
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(CallbackTest, IsEmptyUntilItIsAssigned) {
  {
    Callback<int> done;
    EXPECT_FALSE(done);
    done = NewCallback();
    EXPECT_TRUE(done);
    std::move(done)(7);
  }
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(CallbackTest, AnswersWhenAFunctionThatHoldsItIsDropped) {
  {
    const Callback<std::string> outer =
        [done = NewCallback()](const absl::StatusOr<std::string>& text) mutable {
          if (!text.ok()) return std::move(done)(text.status());
          std::move(done)(static_cast<int>(text->size()));
        };
  }
  ExpectOneDropped();
}

TEST_F(CallbackTest, KeepsWhatItsFunctionHoldsUntilTheAnswerWasGiven) {
  std::vector<std::string> events;
  const auto note = [&events](int*) { events.emplace_back("released"); };
  int target = 0;
  Callback<int> done = [&events, held = std::shared_ptr<int>(&target, note)](
                           const absl::StatusOr<int>&) { events.emplace_back("answered"); };
  std::move(done)(7);
  EXPECT_THAT(events, ElementsAre("answered", "released"));
}

TEST_F(CallbackTest, MayBeReplacedByItsOwnAnswer) {
  Callback<int> done;
  done = [this, &done](absl::StatusOr<int> answer) {
    answers_.push_back(std::move(answer));
    done = NewCallback();
  };
  std::move(done)(1);
  ASSERT_TRUE(done);
  std::move(done)(2);
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[1].value(), 2);
}

TEST(CallbackOfVoid, IsGivenAStatus) {
  std::vector<absl::Status> answers;
  const auto note = [&answers](absl::Status status) { answers.push_back(std::move(status)); };
  Callback<void> called = note;
  std::move(called)(absl::OkStatus());
  { const Callback<void> dropped = note; }
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].code(), absl::StatusCode::kInternal);
}

TEST(CheckCaller, IsOkWhileTheCallerWaits) {
  EXPECT_TRUE(CheckCaller({}).ok());
  const SteadyTime now = SteadyNow();
  EXPECT_TRUE(CheckCaller({.deadline = now + absl::Nanoseconds(1)}, now).ok());
  EXPECT_EQ(CheckCaller({.deadline = now}, now).code(), absl::StatusCode::kDeadlineExceeded);
  bool is_cancelled = false;
  const CallContext context{.deadline = now, .cancelled = [&] { return is_cancelled; }};
  EXPECT_EQ(CheckCaller(context, now).code(), absl::StatusCode::kDeadlineExceeded);
  is_cancelled = true;
  EXPECT_EQ(CheckCaller(context, now).code(), absl::StatusCode::kCancelled);
}

TEST(CallContextTest, AnIdentityIsOneAccountOnAllConnections) {
  const auto call = [](const std::string& identity, Account connection) {
    return CallContext{
        .caller = std::make_shared<const Caller>(Caller{.identity = identity, .person = ""}),
        .account_of = [connection] { return connection; }};
  };
  EXPECT_EQ(call("cn:a", 1).account(), call("cn:a", 2).account());
  EXPECT_NE(call("cn:a", 1).account(), call("cn:b", 1).account());
  EXPECT_NE(call("cn:a", 1).account(), kOwnWork);
  EXPECT_EQ(call("", 1).account(), 1);
}

TEST(AccountTest, ConnectionsOfOneOriginDiffer) {
  EXPECT_NE(AccountOf("a:1", "a"), AccountOf("a:2", "a"));
  EXPECT_EQ(OriginOf(AccountOf("a:1", "a")), OriginOf(AccountOf("a:2", "a")));
  EXPECT_NE(OriginOf(AccountOf("a:1", "a")), OriginOf(AccountOf("b:1", "b")));
  EXPECT_EQ(OriginOf(AccountOf("cn:a")), AccountOf("cn:a"));
}

TEST(CallContextTest, WithoutACallerItIsOfItsConnectionOrOwnWork) {
  EXPECT_EQ((CallContext{.account_of = [] { return Account{7}; }}).account(), 7);
  EXPECT_EQ(CallContext().account(), kOwnWork);
}

}  // namespace
}  // namespace content
