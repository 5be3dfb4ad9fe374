#include "http/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace content::http {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// /proc/self/statm: the size of the process and what of it is resident, in pages.
int64_t ReadResidentBytes() {
  int64_t size = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace

ProcessState ReadProcessState() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {.resident_bytes = ReadResidentBytes(),
          .max_open_files = static_cast<int64_t>(files.rlim_cur),
          .cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime)};
}

}  // namespace content::http
