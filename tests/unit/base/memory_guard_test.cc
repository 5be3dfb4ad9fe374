#include "base/memory_guard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "support/fake_clock.h"

namespace content {
namespace {

namespace fs = std::filesystem;

// ---- What the kernel says ----

class MemoryFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = ::testing::TempDir() + "memory-files-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    root_ = path;
  }

  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  fs::path root_;
};

TEST_F(MemoryFilesTest, WithoutFilesThereIsNoLimit) {
  EXPECT_EQ(ReadMemoryLimit(root_), std::nullopt);
  EXPECT_EQ(ReadUsedMemory(root_), 0);
}

TEST_F(MemoryFilesTest, Version2LimitsAGroupByThoseAroundIt) {
  Write("proc/self/cgroup", "0::/system.slice/contentd.service\n");
  Write("sys/fs/cgroup/system.slice/contentd.service/memory.max", "max\n");
  EXPECT_EQ(ReadMemoryLimit(root_), std::nullopt);
  Write("sys/fs/cgroup/system.slice/memory.max", "2000\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 2000);
  Write("sys/fs/cgroup/system.slice/contentd.service/memory.max", "1000\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 1000);
  Write("sys/fs/cgroup/system.slice/memory.max", "500\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 500);
}

TEST_F(MemoryFilesTest, Version2SlowsAProcessDownBeforeItEndsIt) {
  Write("proc/self/cgroup", "0::/contentd\n");
  Write("sys/fs/cgroup/contentd/memory.max", "2000\n");
  Write("sys/fs/cgroup/contentd/memory.high", "1500\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 1500);
  Write("sys/fs/cgroup/contentd/memory.high", "max\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 2000);
}

TEST_F(MemoryFilesTest, Version1HasANumberForNoLimit) {
  Write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a/b\n0::/c\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(ReadMemoryLimit(root_), std::nullopt);
  Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3000\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 3000);
}

TEST_F(MemoryFilesTest, AContainerSeesItsGroupAtTheTop) {
  Write("proc/self/cgroup", "4:memory:/docker/0123\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "4000\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 4000);
  Write("proc/self/cgroup", "0::/../0123\n");
  Write("sys/fs/cgroup/memory.max", "5000\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 5000);
}

TEST_F(MemoryFilesTest, LinesThatAreNotUnderstoodArePassedBy) {
  Write("proc/self/cgroup", "nonsense\n\n0::/\n");
  Write("sys/fs/cgroup/memory.max", "6000\n");
  EXPECT_EQ(ReadMemoryLimit(root_), 6000);
  Write("sys/fs/cgroup/memory.max", "lots\n");
  EXPECT_EQ(ReadMemoryLimit(root_), std::nullopt);
}

TEST_F(MemoryFilesTest, PagesOfFilesAreNotUsed) {
  Write("proc/self/statm", "1000 300 100 1 0 9 0\n");
  EXPECT_EQ(ReadUsedMemory(root_), 200 * sysconf(_SC_PAGESIZE));
}

TEST(UsedMemoryTest, CountsWhatThisProcessAllocatesAndTouches) {
  constexpr int64_t kBytes = 32 << 20;
  GiveBackMemory();  // else the string may lie in pages that earlier tests have used
  const int64_t before = ReadUsedMemory();
  EXPECT_GT(before, 0);
  const std::string touched(kBytes, 'x');
  EXPECT_GT(ReadUsedMemory(), before + kBytes / 2) << touched.size();
}

// ---- The guard ----

class MemoryGuardTest : public ::testing::Test {
 protected:
  static constexpr int64_t kLimit = 1000;

  void Start() {
    guard_.emplace(MemoryGuard::Options{.limit = kLimit,
                                        .read_used = [this] { return used_.load(); },
                                        .give_back =
                                            [this] {
                                              ++give_backs_;
                                              used_ -= free_.exchange(0);
                                            },
                                        .clock = &clock_});
    clock_.AwaitWaiters(1);
  }

  // Whether memory is short once this much is used.
  bool IsShortAt(int64_t used) {
    used_ = used;
    clock_.Advance(MemoryGuard::kInterval);
    clock_.AwaitWaiters(1);
    return guard_->is_short();
  }

  testing::FakeClock clock_;
  std::atomic<int64_t> used_ = 0;
  std::atomic<int64_t> free_ = 0;  // what can be given back
  std::atomic<int> give_backs_ = 0;
  std::optional<MemoryGuard> guard_;
};

TEST_F(MemoryGuardTest, HasLookedOnceItExists) {
  used_ = kLimit + 1;
  Start();
  EXPECT_TRUE(guard_->is_short());
  EXPECT_EQ(guard_->limit(), kLimit);
  EXPECT_EQ(guard_->ReadUsed(), kLimit + 1);
}

TEST(UnlimitedMemoryGuard, IsNeverShort) {
  const MemoryGuard guard({.read_used = [] { return int64_t{1} << 50; }});
  EXPECT_FALSE(guard.is_short());
  EXPECT_EQ(guard.limit(), 0);
  EXPECT_EQ(guard.ReadUsed(), int64_t{1} << 50);
}

TEST_F(MemoryGuardTest, IsShortAboveTheLimitAndUntilFivePercentAreFree) {
  Start();
  EXPECT_FALSE(IsShortAt(kLimit));
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(IsShortAt(kLimit + 1));
  EXPECT_TRUE(IsShortAt(kLimit));
  EXPECT_TRUE(IsShortAt(950));
  EXPECT_FALSE(IsShortAt(949));
  EXPECT_FALSE(IsShortAt(kLimit));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(log.find("memory is short"), log.rfind("memory is short")) << "logged once: " << log;
}

TEST_F(MemoryGuardTest, WhatCanBeGivenBackDoesNotCount) {
  Start();
  free_ = 500;
  EXPECT_FALSE(IsShortAt(kLimit + 1));
  EXPECT_EQ(give_backs_, 1);
}

TEST_F(MemoryGuardTest, GivesBackAtIntervalsWhileMemoryIsShort) {
  Start();
  EXPECT_TRUE(IsShortAt(2 * kLimit));
  EXPECT_TRUE(IsShortAt(2 * kLimit));
  EXPECT_EQ(give_backs_, 1);
  clock_.Advance(MemoryGuard::kGiveBackInterval);
  clock_.AwaitWaiters(1);
  EXPECT_EQ(give_backs_, 2);
  free_ = 2 * kLimit;
  EXPECT_TRUE(IsShortAt(2 * kLimit)) << "too soon";
  clock_.Advance(MemoryGuard::kGiveBackInterval);
  clock_.AwaitWaiters(1);
  EXPECT_FALSE(guard_->is_short());
}

}  // namespace
}  // namespace content
