#include "postgres/breaker.h"

#include <gtest/gtest.h>

#include <optional>

#include "absl/status/status.h"
#include "support/fake_clock.h"

namespace content::postgres {
namespace {

class BreakerTest : public ::testing::Test {
 protected:
  // Looks for this long. Returns whether the database should be probed at the end.
  bool LookFor(absl::Duration duration) {
    bool should_probe = false;
    for (absl::Duration passed; passed < duration; passed += Breaker::kLookInterval) {
      clock_.Advance(Breaker::kLookInterval);
      should_probe = breaker_.Look(clock_.Now());
    }
    return should_probe;
  }

  void Answer() { Breaker::Question(&breaker_).NoteAnswer(); }

  static constexpr absl::Duration kLong = absl::Seconds(10);

  testing::FakeClock clock_;
  Breaker breaker_;
};

TEST_F(BreakerTest, NobodyWhoWaitsIsNoSilence) {
  EXPECT_FALSE(LookFor(kLong));
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, OpensIfNeitherAWaiterNorTheProbeIsAnswered) {
  const Breaker::Question question(&breaker_);
  EXPECT_FALSE(LookFor(Breaker::kSuspicion));
  EXPECT_TRUE(LookFor(Breaker::kLookInterval)) << "a probe, before it opens";
  EXPECT_FALSE(breaker_.is_open());
  EXPECT_TRUE(LookFor(Breaker::kPatience)) << "and more";
  EXPECT_TRUE(breaker_.is_open());
}

TEST_F(BreakerTest, AnAnswerToTheProbeKeepsItClosed) {
  const Breaker::Question waits_for_a_lock(&breaker_);
  for (int i = 0; i < 10; ++i) {
    while (!LookFor(Breaker::kLookInterval)) {
    }
    Answer();
    EXPECT_FALSE(LookFor(Breaker::kLookInterval));
    EXPECT_FALSE(breaker_.is_open());
  }
}

TEST_F(BreakerTest, AnswersToOthersKeepItClosed) {
  const Breaker::Question slow(&breaker_);
  for (int i = 0; i < 40; ++i) {
    Answer();
    EXPECT_FALSE(LookFor(Breaker::kSuspicion));
  }
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, TheFirstAnswerClosesIt) {
  std::optional<Breaker::Question> question(&breaker_);
  LookFor(kLong);
  ASSERT_TRUE(breaker_.is_open());
  question.reset();
  EXPECT_TRUE(LookFor(kLong)) << "no answer, although nobody waits: the connection was cut";
  EXPECT_TRUE(breaker_.is_open());
  Answer();
  EXPECT_FALSE(LookFor(Breaker::kLookInterval));
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, SilenceBeginsAnewAfterAnAnswer) {
  const Breaker::Question question(&breaker_);
  LookFor(kLong);
  Answer();
  EXPECT_FALSE(LookFor(Breaker::kSuspicion));
  EXPECT_FALSE(breaker_.is_open());
  LookFor(kLong);
  EXPECT_TRUE(breaker_.is_open());
}

// The answers may have come, but nobody has run to see them.
TEST_F(BreakerTest, APauseOfTheProcessIsNoSilence) {
  const Breaker::Question question(&breaker_);
  LookFor(Breaker::kSuspicion);
  clock_.Advance(absl::Hours(1));
  LookFor(Breaker::kLookInterval);
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, TheErrorSaysWhatIsWrong) {
  EXPECT_TRUE(absl::IsUnavailable(DoesNotAnswer()));
  EXPECT_EQ(DoesNotAnswer().message(), "the database does not answer");
}

}  // namespace
}  // namespace content::postgres
