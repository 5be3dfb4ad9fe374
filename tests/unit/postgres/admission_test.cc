#include "postgres/admission.h"

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "gtest/gtest.h"

namespace content::postgres {
namespace {

TEST(AdmissionTest, RefusesCallsAboveTheLimit) {
  Admission admission(2);
  const auto first = admission.Admit();
  const auto second = admission.Admit();
  EXPECT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(ReasonOf(admission.Admit().status()), "OVERLOADED");
  EXPECT_EQ(admission.waiting(), 2);
}

TEST(AdmissionTest, ATicketGivesItsPlaceBackOnce) {
  Admission admission(1);
  {
    Admission::Ticket ticket = *admission.Admit();
    Admission::Ticket moved = std::move(ticket);
    EXPECT_EQ(admission.waiting(), 1);
    moved = {};
    EXPECT_EQ(admission.waiting(), 0);
  }
  EXPECT_EQ(admission.waiting(), 0);
  EXPECT_TRUE(admission.Admit().ok());
}

TEST(AdmissionTest, ReplacingATicketGivesThePlaceOfTheOldOneBack) {
  Admission admission(2);
  Admission::Ticket first = *admission.Admit();
  first = *admission.Admit();
  EXPECT_EQ(admission.waiting(), 1);
}

TEST(AdmissionTest, OneKeyHasHalfOfThePlacesAndAtLeastOne) {
  EXPECT_EQ(Admission(10).limit_per_key(), 5);
  EXPECT_EQ(Admission(1).limit_per_key(), 1);
}

TEST(AdmissionTest, ACallThatWaitsAgainIsNotRefused) {
  Admission admission(1);
  const auto first = admission.Admit();
  const Admission::Ticket again = admission.Readmit();
  EXPECT_EQ(admission.waiting(), 2);
}

TEST(AdmissionTest, CountsCallsOfManyThreads) {
  Admission admission(3);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&admission] {
        for (int call = 0; call < 10'000; ++call) {
          const auto ticket = admission.Admit();
          const Admission::Ticket again = admission.Readmit();
        }
      });
    }
  }
  EXPECT_EQ(admission.waiting(), 0);
}

}  // namespace
}  // namespace content::postgres
