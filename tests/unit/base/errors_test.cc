#include "base/errors.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "telemetry/log.h"

namespace content {
namespace {

// What ends the process is the last that it writes.
class ErrorsDeathTest : public ::testing::Test {
 protected:
  ErrorsDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(ErrorsDeathTest, ABrokenInvariantIsLoggedBeforeTheProcessEnds) {
  EXPECT_DEATH(
      {
        log::WriteInBackground();
        FailInvariant("one and one is three");
      },
      R"("event":"invariant broken","what":"one and one is three")");
}

TEST_F(ErrorsDeathTest, AnUncaughtExceptionIsLoggedBeforeTheProcessEnds) {
  EXPECT_DEATH(
      {
        log::WriteInBackground();
        FailOnUncaughtExceptions();
        std::thread([] { throw std::runtime_error("out of luck"); }).join();
      },
      R"("event":"invariant broken","what":"uncaught exception: out of luck")");
}

}  // namespace
}  // namespace content
