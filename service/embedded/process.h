#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Starting PostgreSQL's programs as child processes.
namespace content::embedded {

struct User {
  uid_t uid;
  gid_t gid;
};

struct Command {
  /// The first is the program's absolute path.
  std::vector<std::string> arguments;
  User user;
  /// Where standard output and standard error are appended.
  std::string log;
  /// Standard input; at most PIPE_BUF bytes.
  std::string input = {};
};

/// Starts a program and returns its process id. It receives `parent_death_signal` when the thread
/// that called this ends, and does not run if this process ends before that. It has a session of
/// its own (Ctrl-C in the terminal does not reach it), default signal handling, no file descriptor
/// but the standard three, `/` as its working directory and an environment that does not depend on
/// ours (PGPORT and the like would change its settings).
absl::StatusOr<pid_t> Spawn(const Command& command, int parent_death_signal);

/// Runs a program to its end; it is killed if this thread dies. INTERNAL, with the end of what it
/// wrote, if it does not succeed.
absl::Status Run(const Command& command);

/// Blocks until the child `pid` has ended, but leaves it for Reap: until then nobody else has its
/// id.
void AwaitExit(pid_t pid);

/// Collects a child, blocking until it has ended, and returns its status as waitpid(2) has it.
int Reap(pid_t pid);

/// A child's status in words: "exit status 1", "signal 9".
std::string Describe(int wait_status);

/// Size of a file; 0 if there is none.
off_t SizeOf(const std::string& file);

/// The last lines of what was written to `log` after its first `from` bytes.
std::string LastLines(const std::string& log, off_t from);

}  // namespace content::embedded
