#include "postgres/admission.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/call.h"
#include "base/errors.h"
#include "base/memory_guard.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace content::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(AdmissionTest, RefusesCallsAboveTheLimit) {
  Admission admission(2);
  const auto first = admission.Admit(kOwnWork);
  const auto second = admission.Admit(kOwnWork);
  EXPECT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(ReasonOf(admission.Admit(kOwnWork).status()), "OVERLOADED");
  EXPECT_EQ(admission.waiting(), 2);
}

TEST(AdmissionTest, CountsRefusalsByTheirCauseAndHowLongCallsWaited) {
  Admission admission(3);
  auto first = admission.Admit(1);
  auto second = admission.Admit(1);
  EXPECT_FALSE(admission.Admit(1).ok());
  const auto third = admission.Admit(kOwnWork);
  EXPECT_FALSE(admission.Admit(2).ok());
  EXPECT_FALSE(admission.Admit(kOwnWork).ok());
  const AdmissionNumbers& numbers = admission.numbers();
  EXPECT_EQ(numbers.refused.Read(Refusal::kAccount), 1);
  EXPECT_EQ(numbers.refused.Read(Refusal::kFull), 2);
  EXPECT_EQ(numbers.refused.Read(Refusal::kMemory), 0);
  EXPECT_EQ(numbers.waits.Read().count(), 0);
  *first = {};
  *second = Admission::Ticket(std::move(*first));
  EXPECT_EQ(numbers.waits.Read().count(), 2);
}

TEST(AdmissionTest, ATicketGivesItsPlaceBackOnce) {
  Admission admission(1);
  {
    Admission::Ticket ticket = *admission.Admit(kOwnWork);
    Admission::Ticket moved = std::move(ticket);
    EXPECT_EQ(admission.waiting(), 1);
    moved = {};
    EXPECT_EQ(admission.waiting(), 0);
  }
  EXPECT_EQ(admission.waiting(), 0);
  EXPECT_TRUE(admission.Admit(kOwnWork).ok());
}

TEST(AdmissionTest, ReplacingATicketGivesThePlaceOfTheOldOneBack) {
  Admission admission(2);
  Admission::Ticket first = *admission.Admit(kOwnWork);
  first = *admission.Admit(kOwnWork);
  EXPECT_EQ(admission.waiting(), 1);
}

TEST(AdmissionTest, AnAccountHasAsManyPlacesAsItLeaves) {
  Admission admission(4);
  const auto first = admission.Admit(1);
  const auto second = admission.Admit(1);
  EXPECT_EQ(ReasonOf(admission.Admit(1).status()), "OVERLOADED");
  const auto other = admission.Admit(2);
  EXPECT_TRUE(other.ok());
  const Admission::Ticket again = admission.Readmit(2);
  EXPECT_FALSE(admission.Admit(2).ok()) << "one that waits again has a place";
}

TEST(AdmissionTest, SaysWhoHasTooManyCalls) {
  Admission admission(2);
  const auto ticket = admission.Admit(1);
  EXPECT_THAT(std::string(admission.Admit(1).status().message()), HasSubstr("of this client"));
  const auto other = admission.Admit(2);
  EXPECT_THAT(std::string(admission.Admit(3).status().message()), Not(HasSubstr("client")));
}

TEST(AdmissionTest, WhileMemoryIsShortOnlyOwnWorkAndConfirmationsAreAdmitted) {
  const MemoryGuard short_of_memory({.limit = 1, .read_used = [] { return 2; }});
  Admission admission(10, nullptr, &short_of_memory);
  EXPECT_EQ(ReasonOf(admission.Admit(1).status()), "MEMORY_SHORT");
  EXPECT_TRUE(admission.Admit(kOwnWork).ok());
  EXPECT_TRUE(admission.Admit(1, /*confirms=*/true).ok());
  const MemoryGuard at_ease({.limit = 2, .read_used = [] { return 2; }});
  EXPECT_TRUE(Admission(10, nullptr, &at_ease).Admit(1).ok());
}

TEST(AdmissionTest, OneKeyHasThreeQuartersOfThePlacesAndAtLeastOne) {
  EXPECT_EQ(Admission(100).limit_per_key(), 75);
  EXPECT_EQ(Admission(1).limit_per_key(), 1);
}

TEST(AdmissionTest, ACallThatWaitsAgainIsNotRefused) {
  Admission admission(1);
  const auto first = admission.Admit(kOwnWork);
  const Admission::Ticket again = admission.Readmit(kOwnWork);
  EXPECT_EQ(admission.waiting(), 2);
}

TEST(AdmissionTest, CountsCallsOfManyThreads) {
  Admission admission(3);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&admission] {
        for (int call = 0; call < 10'000; ++call) {
          const auto ticket = admission.Admit(static_cast<Account>(call % 3));
          const Admission::Ticket again = admission.Readmit(static_cast<Account>(call % 2));
        }
      });
    }
  }
  EXPECT_EQ(admission.waiting(), 0);
}

}  // namespace
}  // namespace content::postgres
