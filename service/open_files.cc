#include "open_files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <initializer_list>

namespace content {
namespace {

// Libraries open files of their own before main, which are closed on exec, as those that the
// process was started with are not.
bool IsStandardFile(int file) {
  const int flags = fcntl(file, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

}  // namespace

void OpenStandardFiles(char** argv) {
  bool was_missing = false;
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (IsStandardFile(file)) continue;
    was_missing = true;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, file);
    if (null == file) fcntl(file, F_SETFD, 0);
  }
  if (was_missing) execv("/proc/self/exe", argv);
}

void RaiseOpenFilesLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace content
