#include "backup_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "embedded/cluster.h"

namespace content {
namespace {

constexpr std::array kEndingSignals = {SIGINT, SIGTERM, SIGHUP};

// The file to be removed when a signal ends the process; "" for none.
char removed_at_end[PATH_MAX] = "";

extern "C" void RemoveAndEnd(int signal) {
  unlink(removed_at_end);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

// Signals that are ignored, as under nohup, stay so.
void RemoveAtEnd(const std::string& path) {
  path.copy(removed_at_end, sizeof removed_at_end - 1);
  for (const int signal : kEndingSignals) {
    if (std::signal(signal, RemoveAndEnd) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
}

absl::Status FileError(absl::string_view action, const std::string& path, int error_number) {
  return absl::FailedPreconditionError(absl::StrCat("cannot ", action, " ", path, ": ",
                                                    std::generic_category().message(error_number)));
}

absl::Status Exists(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(path, " exists: --force overwrites it"));
}

absl::Status CheckName(const std::string& path, bool may_overwrite) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : FileError("write", path, errno);
  }
  // A device or a pipe would be replaced, not written to.
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " exists, and is not a regular file"));
  }
  return may_overwrite ? absl::OkStatus() : Exists(path);
}

// Gives a file its name, which nobody else may have. Returns 0, or a value of errno.
int NameAlone(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // Not every file system can. The other name is removed in the end.
  return link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  absl::Status status = embedded::SyncDirectory(parent.empty() ? "." : parent.string());
  if (status.ok()) return status;
  return absl::DataLossError(
      absl::StrCat(path, " is written, but may not be on disk: ", status.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BackupFile>> BackupFile::Create(const std::string& path,
                                                               bool may_overwrite) {
  if (absl::Status status = CheckName(path, may_overwrite); !status.ok()) return status;
  std::string partial = absl::StrCat(path, ".partial-XXXXXX");
  const int fd = mkostemp(partial.data(), O_CLOEXEC);
  if (fd < 0) return FileError("write", path, errno);
  return std::unique_ptr<BackupFile>(new BackupFile(path, may_overwrite, partial, fd));
}

BackupFile::BackupFile(const std::string& path, bool may_overwrite, const std::string& partial,
                       int fd)
    : path_(path), may_overwrite_(may_overwrite), partial_(partial), fd_(fd) {
  RemoveAtEnd(partial_);
}

BackupFile::~BackupFile() {
  unlink(partial_.c_str());
  close(fd_);
}

absl::StatusOr<int64_t> BackupFile::Keep() {
  struct stat info;
  if (fsync(fd_) != 0 || fstat(fd_, &info) != 0) return FileError("write", path_, errno);
  if (absl::Status status = Name(); !status.ok()) return status;
  if (absl::Status status = SyncDirectoryOf(path_); !status.ok()) return status;
  return info.st_size;
}

absl::Status BackupFile::Name() const {
  if (!may_overwrite_) {
    const int error = NameAlone(partial_, path_);
    if (error == 0) return absl::OkStatus();
    return error == EEXIST ? Exists(path_) : FileError("write", path_, error);
  }
  // Somebody may have made something else of it since.
  if (absl::Status status = CheckName(path_, may_overwrite_); !status.ok()) return status;
  if (rename(partial_.c_str(), path_.c_str()) == 0) return absl::OkStatus();
  return FileError("write", path_, errno);
}

}  // namespace content
