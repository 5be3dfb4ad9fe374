#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "absl/time/time.h"
#include "base/clock.h"

namespace content {

/// Returns the lowest memory limit, in bytes, of this process's control group and those around it,
/// of version 1 or 2; nullopt if there is none. `root` has the directories `proc` and `sys`.
std::optional<int64_t> ReadMemoryLimit(const std::filesystem::path& root = "/");

/// Returns the memory in bytes that this process has for itself, that which it has freed but not
/// given back included: what is resident, without the pages of files, which the kernel can take
/// back. 0 if it cannot be read.
int64_t ReadUsedMemory(const std::filesystem::path& root = "/");

/// Gives memory that was freed back to the kernel: the C library keeps it. May take milliseconds.
void GiveBackMemory();

/// Watches the memory of this process. Whoever is about to begin work that needs memory asks it
/// first (MemoryShort in base/errors.h). Logs when memory becomes short and when it suffices again.
///
/// Thread-safe.
class MemoryGuard {
 public:
  static constexpr absl::Duration kInterval = absl::Milliseconds(100);
  /// Minimum time between two attempts to give memory back.
  static constexpr absl::Duration kGiveBackInterval = absl::Seconds(5);

  struct Options {
    /// Memory becomes short above this number of bytes, and suffices again below 95 % of it. 0: it
    /// is never short.
    int64_t limit = 0;
    std::function<int64_t()> read_used = [] { return ReadUsedMemory(); };
    std::function<void()> give_back = GiveBackMemory;
    SteadyClock* clock = &SteadyClock::System();
  };

  /// Looks at the memory at once, and then every kInterval.
  explicit MemoryGuard(Options options);
  ~MemoryGuard() = default;

  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;

  /// Costs an atomic load.
  bool is_short() const { return is_short_.load(std::memory_order_relaxed); }

  int64_t limit() const { return options_.limit; }

  /// Returns the memory that is used now, in bytes.
  int64_t ReadUsed() const { return options_.read_used(); }

 private:
  void Run(const std::stop_token& stop);
  void Look();
  int64_t ReadNeeded();

  const Options options_;
  std::atomic<bool> is_short_ = false;
  SteadyTime next_give_back_ = SteadyTime::InfinitePast();
  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content
