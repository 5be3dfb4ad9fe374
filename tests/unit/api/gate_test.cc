#include "api/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"

namespace content::api {
namespace {

static_assert(!std::is_copy_constructible_v<Gate::Pass>);

// Many, so that a wait that does not block returns before they are destroyed.
std::vector<Gate::Pass> EnterManyTimes(Gate& gate) {
  std::vector<Gate::Pass> passes;
  for (int i = 0; i < 1000; ++i) passes.push_back(gate.Enter());
  return passes;
}

// Calls `wait` on another thread, and destroys `passes` meanwhile. Returns how many of them were
// left when `wait` returned.
size_t PassesLeftAfter(absl::FunctionRef<void()> wait, std::vector<Gate::Pass> passes) {
  std::atomic<size_t> left = passes.size();
  std::latch begun(1);
  std::future<size_t> left_after = std::async(std::launch::async, [&] {
    begun.count_down();
    wait();
    return left.load();
  });
  begun.wait();
  while (!passes.empty()) {
    --left;
    passes.pop_back();
  }
  return left_after.get();
}

TEST(Gate, LetsNobodyInOnceItIsClosed) {
  Gate gate;
  EXPECT_TRUE(gate.Enter());
  gate.Close(absl::ZeroDuration());
  EXPECT_FALSE(gate.Enter());
  gate.AwaitEmpty();
}

TEST(Gate, CloseBlocksUntilEveryPassWasDestroyed) {
  Gate gate;
  EXPECT_EQ(PassesLeftAfter([&gate] { gate.Close(absl::Hours(1)); }, EnterManyTimes(gate)), 0U);
}

TEST(Gate, IsEmptyOnceEveryPassWasDestroyed) {
  Gate gate;
  EXPECT_EQ(PassesLeftAfter([&gate] { gate.AwaitEmpty(); }, EnterManyTimes(gate)), 0U);
}

TEST(Gate, StaysEnteredWhileAPassIsMoved) {
  Gate gate;
  std::vector<Gate::Pass> passes = EnterManyTimes(gate);
  std::vector<Gate::Pass> moved;
  for (Gate::Pass& pass : passes) {
    moved.push_back(std::move(pass));
    EXPECT_FALSE(pass);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_TRUE(moved.back());
  }
  EXPECT_EQ(PassesLeftAfter([&gate] { gate.AwaitEmpty(); }, std::move(moved)), 0U);
}

TEST(Gate, WaitsNoLongerThanTheTimeout) {
  Gate gate;
  const Gate::Pass pass = gate.Enter();
  gate.Close(absl::Milliseconds(1));
  EXPECT_FALSE(gate.Enter());
}

}  // namespace
}  // namespace content::api
