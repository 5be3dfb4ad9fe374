#include "api/gate.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace content::api {
namespace {

static_assert(!std::is_copy_constructible_v<Gate::Pass>);

TEST(Gate, LetsNobodyInOnceItIsClosed) {
  Gate gate;
  EXPECT_TRUE(gate.Enter());
  gate.Close(absl::ZeroDuration());
  EXPECT_FALSE(gate.Enter());
  gate.AwaitEmpty();
}

TEST(Gate, IsEmptyOnceEveryPassWasDestroyed) {
  Gate gate;
  std::optional<Gate::Pass> first = gate.Enter();
  Gate::Pass second = gate.Enter();
  std::future<void> empty = std::async(std::launch::async, [&gate] {
    gate.Close(absl::Hours(1));
    gate.AwaitEmpty();
  });
  first.reset();
  EXPECT_EQ(empty.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  second = Gate::Pass();
  empty.get();
}

TEST(Gate, StaysEnteredWhileAPassIsMoved) {
  Gate gate;
  Gate::Pass pass = gate.Enter();
  auto moved = std::make_unique<Gate::Pass>(std::move(pass));
  EXPECT_FALSE(pass);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(*moved);
  std::future<void> empty = std::async(std::launch::async, [&gate] { gate.AwaitEmpty(); });
  EXPECT_EQ(empty.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  moved.reset();
  empty.get();
}

TEST(Gate, WaitsNoLongerThanTheTimeout) {
  Gate gate;
  const Gate::Pass pass = gate.Enter();
  gate.Close(absl::Milliseconds(1));
  EXPECT_FALSE(gate.Enter());
}

}  // namespace
}  // namespace content::api
