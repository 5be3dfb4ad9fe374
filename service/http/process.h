#pragma once

#include <cstdint>

// What the kernel tells of this process.
namespace content::http {

struct ProcessState {
  int64_t resident_bytes = 0;
  int64_t max_open_files = 0;
  double cpu_seconds = 0;
};

/// What cannot be read is 0.
ProcessState ReadProcessState();

}  // namespace content::http
