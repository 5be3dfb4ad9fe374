#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Runs PostgreSQL's programs as child processes.
namespace content::embedded {

struct User {
  uid_t uid;
  gid_t gid;
};

struct Command {
  /// The absolute path of the program, then its arguments.
  std::vector<std::string> arguments;
  User user;
  /// File to which standard output and standard error are appended.
  std::string log = {};
  /// Standard input; at most PIPE_BUF bytes.
  std::string input = {};
  /// Open files that take the places of these. -1: none does.
  int input_file = -1;
  int output_file = -1;
  int error_file = -1;
};

/// Starts a program and returns its process id.
///
/// The program receives `parent_death_signal` when the calling thread ends, and does not run if
/// this process ends before that is set up. It has its own session (Ctrl-C in the terminal does not
/// reach it), default signal handling, only the three standard file descriptors, the working
/// directory `/`, and an environment that does not depend on this process's (PGPORT and others
/// would change its settings).
absl::StatusOr<pid_t> Spawn(const Command& command, int parent_death_signal);

/// Runs a program and waits for its end. The program is killed if the calling thread ends.
/// INTERNAL, with the end of its output, if it fails.
absl::Status Run(const Command& command);

/// Runs a program that reads or writes files, and has no log. INTERNAL, with the end of what it
/// wrote to standard error, if it fails.
absl::Status RunOnFiles(Command command);

/// Blocks until the child `pid` has ended. Its id is not reused until Reap() is called.
void AwaitExit(pid_t pid);

/// Blocks until the child `pid` has ended, and returns its status as waitpid(2) does.
int Reap(pid_t pid);

/// Describes a status of waitpid(2): "exit status 1", "signal 9".
std::string DescribeWaitStatus(int wait_status);

/// Size of a file; 0 if it does not exist.
off_t FileSize(const std::string& file);

/// The last ten lines, at most, that were written to `log` after its first `from` bytes.
std::string LastLines(const std::string& log, off_t from);

/// Returns "; the disk is full" if the disk of `log` lacks the room for a segment of PostgreSQL's
/// write-ahead log, otherwise "". PostgreSQL may be unable to log that itself.
std::string NoteOfFullDisk(const std::string& log);

}  // namespace content::embedded
