#include "base/memory_guard.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "telemetry/log.h"

namespace content {
namespace {

namespace fs = std::filesystem;

// Version 1 says that there is no limit by a number about this large.
constexpr int64_t kNoLimit = int64_t{1} << 60;

// Returns the lower of `limit` and the number in a file, if that is one.
std::optional<int64_t> Lower(std::optional<int64_t> limit, const fs::path& file) {
  std::ifstream stream(file);
  std::string text;
  int64_t bytes = 0;
  if (!(stream >> text) || !absl::SimpleAtoi(text, &bytes) || bytes >= kNoLimit) return limit;
  return std::min(limit.value_or(bytes), bytes);
}

// Returns the lowest limit of `group`, a path below `mount`, and of those around it. In a
// container, `group` may be a path on the host, of which there is only the top.
std::optional<int64_t> LowestLimit(const fs::path& mount, const std::string& group,
                                   const std::vector<const char*>& files) {
  std::optional<int64_t> limit;
  fs::path directory = mount;
  const auto look = [&] {
    for (const char* const file : files) limit = Lower(limit, directory / file);
  };
  look();
  for (const fs::path& part : fs::path(group).lexically_normal().relative_path()) {
    directory /= part;
    look();
  }
  return limit;
}

}  // namespace

std::optional<int64_t> ReadMemoryLimit(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::ifstream groups(root / "proc/self/cgroup");
  // Each line is NUMBER:CONTROLLERS:GROUP, without controllers in version 2.
  for (std::string line; std::getline(groups, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    std::optional<int64_t> limit;
    if (fields[1].empty()) {
      // Above the former the kernel ends a process, above the latter it slows it down.
      limit = LowestLimit(mount, fields[2], {"memory.max", "memory.high"});
    } else if (fields[1] == "memory") {
      limit = LowestLimit(mount / "memory", fields[2], {"memory.limit_in_bytes"});
    }
    if (limit) return limit;
  }
  return std::nullopt;
}

int64_t ReadUsedMemory(const fs::path& root) {
  std::ifstream stream(root / "proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  int64_t shared = 0;
  if (!(stream >> size >> resident >> shared)) return 0;
  return (resident - shared) * sysconf(_SC_PAGESIZE);
}

void GiveBackMemory() { malloc_trim(0); }

MemoryGuard::MemoryGuard(Options options) : options_(std::move(options)) {
  if (options_.limit == 0) return;
  Look();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void MemoryGuard::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    options_.clock->SleepFor(kInterval, stop);
    Look();
  }
}

void MemoryGuard::Look() {
  const bool was_short = is_short();
  const int64_t used = ReadNeeded();
  const bool is_short = was_short ? used >= options_.limit / 20 * 19 : used > options_.limit;
  if (is_short == was_short) return;
  is_short_.store(is_short, std::memory_order_relaxed);
  if (is_short) {
    log::Warning("memory is short", {{"used", used}, {"limit", options_.limit}});
  } else {
    log::Info("memory suffices again", {{"used", used}, {"limit", options_.limit}});
  }
}

// Memory that can be given back is not needed.
int64_t MemoryGuard::ReadNeeded() {
  const int64_t used = ReadUsed();
  const SteadyTime now = options_.clock->Now();
  if ((used <= options_.limit && !is_short()) || now < next_give_back_) return used;
  next_give_back_ = now + kGiveBackInterval;
  options_.give_back();
  return ReadUsed();
}

}  // namespace content
