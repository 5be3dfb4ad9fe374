#include "embedded/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace content::embedded {
namespace {

// Runs "$@" if process $0 is still the parent.
constexpr char kUnlessOrphaned[] = R"([ "$PPID" = "$0" ] && exec "$@")";

// Returns the arguments that run `command` through util-linux's setpriv, which sets the user and
// the signal at the parent's death: a process with threads can do very little between fork and
// exec. The shell notices a parent that died before setpriv had set the signal.
std::vector<std::string> SetprivArguments(const Command& command, int parent_death_signal) {
  std::vector<std::string> arguments = {"/usr/bin/setpriv", "--pdeathsig",
                                        sigabbrev_np(parent_death_signal)};
  if (command.user.uid != geteuid()) {
    arguments.insert(arguments.end(), {"--reuid", absl::StrCat(command.user.uid), "--regid",
                                       absl::StrCat(command.user.gid), "--clear-groups"});
  }
  arguments.insert(arguments.end(),
                   {"--", "/bin/sh", "-c", kUnlessOrphaned, absl::StrCat(getpid())});
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  return arguments;
}

std::vector<char*> ToArgv(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

void AddStandardFiles(posix_spawn_file_actions_t& files, const Command& command, int input) {
  const auto put = [&files](int file, int place) {
    posix_spawn_file_actions_adddup2(&files, file, place);
  };
  put(command.input_file >= 0 ? command.input_file : input, STDIN_FILENO);
  if (command.output_file >= 0) {
    put(command.output_file, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, command.log.c_str(),
                                     O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
  }
  put(command.error_file >= 0 ? command.error_file : STDOUT_FILENO, STDERR_FILENO);
}

}  // namespace

absl::StatusOr<pid_t> Spawn(const Command& command, int parent_death_signal) {
  int input[2];
  if (pipe2(input, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  absl::Cleanup close_input = [&input] { close(input[0]); };
  const ssize_t written = write(input[1], command.input.data(), command.input.size());
  close(input[1]);
  if (written < 0) return absl::ErrnoToStatus(errno, "cannot write to a pipe");

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  absl::Cleanup destroy_files = [&files] { posix_spawn_file_actions_destroy(&files); };
  AddStandardFiles(files, command, input[0]);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&files, "/");

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  absl::Cleanup destroy_attributes = [&attributes] { posix_spawnattr_destroy(&attributes); };
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> arguments = SetprivArguments(command, parent_death_signal);
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  pid_t pid;
  const int error = posix_spawn(&pid, arguments.front().c_str(), &files, &attributes,
                                ToArgv(arguments).data(), ToArgv(environment).data());
  if (error != 0) {
    return absl::ErrnoToStatus(error, absl::StrCat("cannot start ", command.arguments.front()));
  }
  return pid;
}

absl::Status Run(const Command& command) {
  const off_t log_size = FileSize(command.log);
  const absl::StatusOr<pid_t> pid = Spawn(command, SIGKILL);
  if (!pid.ok()) return pid.status();
  const int status = Reap(*pid);
  if (status == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(command.arguments.front(), ": ",
                                          DescribeWaitStatus(status), NoteOfFullDisk(command.log),
                                          "\n", LastLines(command.log, log_size)));
}

absl::Status RunOnFiles(Command command) {
  command.log = "/dev/null";
  command.error_file = memfd_create("stderr", MFD_CLOEXEC);
  if (command.error_file < 0) return absl::ErrnoToStatus(errno, "cannot make a file in memory");
  const absl::Cleanup close_file = [&command] { close(command.error_file); };
  const absl::StatusOr<pid_t> pid = Spawn(command, SIGKILL);
  if (!pid.ok()) return pid.status();
  const int status = Reap(*pid);
  if (status == 0) return absl::OkStatus();
  const std::string words =
      LastLines(absl::StrCat("/proc/self/fd/", command.error_file), /*from=*/0);
  return absl::InternalError(absl::StrCat(command.arguments.front(), ": ",
                                          DescribeWaitStatus(status), words.empty() ? "" : "\n",
                                          words));
}

void AwaitExit(pid_t pid) {
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
}

int Reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string DescribeWaitStatus(int wait_status) {
  return WIFSIGNALED(wait_status) ? absl::StrCat("signal ", WTERMSIG(wait_status))
                                  : absl::StrCat("exit status ", WEXITSTATUS(wait_status));
}

off_t FileSize(const std::string& file) {
  struct stat info;
  return stat(file.c_str(), &info) == 0 ? info.st_size : 0;
}

std::string LastLines(const std::string& log, off_t from) {
  std::ifstream file(log);
  file.seekg(from);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::vector<absl::string_view> lines = absl::StrSplit(absl::StripSuffix(text, "\n"), '\n');
  constexpr std::ptrdiff_t kLines = 10;
  return absl::StrJoin(lines.end() - std::min(std::ssize(lines), kLines), lines.end(), "\n");
}

std::string NoteOfFullDisk(const std::string& log) {
  constexpr uint64_t kSegmentBytes = 16 << 20;
  struct statvfs disk;
  const bool is_full = statvfs(std::filesystem::path(log).parent_path().c_str(), &disk) == 0 &&
                       disk.f_bavail * disk.f_frsize < kSegmentBytes;
  return is_full ? "; the disk is full" : "";
}

}  // namespace content::embedded
