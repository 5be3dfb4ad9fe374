#include "embedded/cluster.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "embedded/file_error.h"

namespace content::embedded {
namespace {

namespace fs = std::filesystem;

constexpr std::array kVersions = {17, 16, 15};

std::string ProgramDirectory(int version) {
  return absl::StrCat("/usr/lib/postgresql/", version, "/bin");
}

bool IsInstalled(int version) {
  return access(absl::StrCat(ProgramDirectory(version), "/postgres").c_str(), X_OK) == 0;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void AddSettings(Command& postgres, std::initializer_list<std::string> settings) {
  for (const std::string& setting : settings) {
    postgres.arguments.insert(postgres.arguments.end(), {"-c", setting});
  }
}

// For disposable databases.
void DisableDurability(Command& postgres) {
  AddSettings(postgres, {"fsync=off", "synchronous_commit=off", "full_page_writes=off"});
}

absl::Status InitializeCluster(const Layout& layout, const std::string& programs, const User& user,
                               bool durable) {
  Command initdb = {{programs + "/initdb", "--pgdata", layout.partial, "--username=content",
                     "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
                     "--auth=trust"},  // only this user and root can enter the socket's directory
                    user,
                    layout.log};
  if (!durable) initdb.arguments.push_back("--no-sync");
  if (absl::Status status = Run(initdb); !status.ok()) return status;

  Command create_database = {{programs + "/postgres", "--single", "-D", layout.partial},
                             user,
                             layout.log,
                             "CREATE DATABASE content\n"};
  AddSettings(create_database, {"exit_on_error=on"});
  if (!durable) DisableDurability(create_database);
  create_database.arguments.push_back("postgres");
  return Run(create_database);
}

// Returns whether process `pid` is the server of this cluster, judging by its command line, because
// process ids are reused, for instance after a reboot. The command line can be read where
// /proc/PID/exe and cwd cannot, for instance by root in a container.
bool ServesCluster(pid_t pid, const Layout& layout) {
  const std::string command_line = ReadFile(absl::StrCat("/proc/", pid, "/cmdline"));
  const std::vector<absl::string_view> arguments = absl::StrSplit(command_line, '\0');
  return absl::EndsWith(arguments.front(), "/postgres") &&
         std::find(arguments.begin(), arguments.end(), layout.cluster) != arguments.end();
}

// Replaces the first line. PostgreSQL needs the others to find out whether its shared memory is
// still in use.
absl::Status ClaimLockFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT ? absl::OkStatus() : FileError("open " + path, errno);
  const absl::Cleanup close_file = [fd] { close(fd); };
  std::string text(4096, '\0');  // more than PostgreSQL writes
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  if (size < 0) return FileError("read " + path, errno);
  text.resize(static_cast<size_t>(size));
  text.replace(0, text.find('\n'), absl::StrCat(getpid()));
  return Overwrite(fd, text) ? absl::OkStatus() : FileError("write " + path, errno);
}

}  // namespace

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError(absl::StrCat("open ", path), errno);
  const int error = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  // What file systems answer that do not sync directories.
  if (error == 0 || error == EINVAL || error == EBADF) return absl::OkStatus();
  return FileError(absl::StrCat("sync ", path), error);
}

absl::Status RemoveDirectory(const std::string& path) {
  std::error_code error;
  for (int attempt = 0; attempt < 100; ++attempt) {
    fs::remove_all(path, error);
    if (!error) return absl::OkStatus();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return FileError(absl::StrCat("remove ", path), error.value());
}

absl::StatusOr<std::string> FindPrograms(const Layout& layout) {
  if (!Exists(layout.cluster)) {
    const auto newest = std::find_if(kVersions.begin(), kVersions.end(), IsInstalled);
    if (newest != kVersions.end()) return ProgramDirectory(*newest);
    return absl::FailedPreconditionError(
        "PostgreSQL 15 to 17 is not installed (Debian's package postgresql); install it or give "
        "the URL of a database that runs elsewhere");
  }
  int version = 0;
  if (!absl::SimpleAtoi(ReadFile(layout.cluster + "/PG_VERSION"), &version)) {
    return absl::FailedPreconditionError(
        absl::StrCat(layout.cluster,
                     " is not a PostgreSQL cluster (its file PG_VERSION has no "
                     "version); move it away or choose another data directory"));
  }
  if (IsInstalled(version)) return ProgramDirectory(version);
  return absl::FailedPreconditionError(
      absl::StrCat(layout.cluster, " was made by PostgreSQL ", version,
                   ", which is not installed; install Debian's package postgresql-", version));
}

absl::Status CheckClusterExists(const Layout& layout) {
  struct stat info;
  if (stat(layout.root.c_str(), &info) != 0) {
    if (errno != ENOENT) return FileError(absl::StrCat("inspect ", layout.root), errno);
    return absl::NotFoundError(absl::StrCat("the data directory ", layout.root, " does not exist"));
  }
  if (lstat(layout.cluster.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      return FileError(absl::StrCat("inspect ", layout.cluster), errno);
    }
    return absl::NotFoundError(absl::StrCat("there is no database in ", layout.root));
  }
  return absl::OkStatus();
}

absl::Status MakeCluster(const Layout& layout, const std::string& programs, const User& user,
                         bool durable) {
  if (Exists(layout.cluster)) return absl::OkStatus();
  if (absl::Status status = RemoveDirectory(layout.partial); !status.ok()) return status;
  if (absl::Status status = MakePrivateDirectory(layout.partial, user); !status.ok()) return status;
  if (absl::Status status = InitializeCluster(layout, programs, user, durable); !status.ok()) {
    return status;
  }
  if (rename(layout.partial.c_str(), layout.cluster.c_str()) != 0) {
    return FileError(absl::StrCat("rename ", layout.partial), errno);
  }
  return durable ? SyncDirectory(layout.root) : absl::OkStatus();
}

Command ServerCommand(const Layout& layout, const std::string& programs, const User& user,
                      bool durable) {
  // The setting is a list. Quotes make the path one item, whatever it contains.
  const std::string socket =
      absl::StrCat("\"", absl::StrReplaceAll(layout.socket, {{"\"", "\"\""}}), "\"");
  Command server = {{programs + "/postgres", "-D", layout.cluster}, user, layout.log};
  AddSettings(server, {"listen_addresses=", "port=5432", "unix_socket_directories=" + socket,
                       "unix_socket_permissions=0700", "max_connections=100",
                       "shared_buffers=128MB", "timezone=UTC", "log_timezone=UTC"});
  if (!durable) DisableDurability(server);
  return server;
}

std::string UrlOf(const Layout& layout) {
  const std::string host = absl::StrReplaceAll(layout.socket, {{"\\", "\\\\"}, {"'", "\\'"}});
  return absl::StrCat("host='", host, "' port=5432 user=content dbname=content");
}

std::optional<Postmaster> FindPostmaster(const Layout& layout) {
  // The first line is the process id, the eighth (the last to be written) the status.
  const std::string text = ReadFile(layout.cluster + "/postmaster.pid");
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  pid_t pid = 0;
  if (!absl::SimpleAtoi(lines.front(), &pid) || !ServesCluster(pid, layout)) return std::nullopt;
  return Postmaster{pid, lines.size() > 7 && absl::StripAsciiWhitespace(lines[7]) == "ready"};
}

// Process ids are reused. PostgreSQL does not start if a process of its user has the id in such a
// file, unless that process is its parent.
absl::Status ClaimLockFiles(const Layout& layout) {
  absl::Status status = ClaimLockFile(layout.cluster + "/postmaster.pid");
  status.Update(ClaimLockFile(absl::StrCat(layout.socket, kSocketName, ".lock")));
  return status;
}

}  // namespace content::embedded
