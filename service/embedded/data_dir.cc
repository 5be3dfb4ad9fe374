#include "embedded/data_dir.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "embedded/file_error.h"

namespace content::embedded {
namespace {

namespace fs = std::filesystem;

absl::Status CheckSocket(const Layout& layout) {
  constexpr size_t kLimit = sizeof(sockaddr_un::sun_path) - 1;
  const size_t length = layout.socket.size() + kSocketName.size();
  if (length > kLimit) {
    return absl::FailedPreconditionError(
        absl::StrCat("the path of the data directory ", layout.root, " is ", length - kLimit,
                     " bytes too long for a unix socket below it; choose a shorter one"));
  }
  if (layout.root.find_first_of(",\n") != std::string::npos) {
    return absl::FailedPreconditionError(
        absl::StrCat("the path of the data directory ", layout.root,
                     " must not contain a comma or a line break, because PostgreSQL's clients "
                     "could not name the socket below it"));
  }
  return absl::OkStatus();
}

// Root will write below the directory. A user who could change it could redirect these writes.
absl::Status CheckOwner(const Layout& layout) {
  struct stat root;
  if (stat(layout.root.c_str(), &root) != 0) {
    return FileError(absl::StrCat("inspect ", layout.root), errno);
  }
  struct stat cluster;
  const bool is_of_clusters_owner =
      lstat(layout.cluster.c_str(), &cluster) == 0 && cluster.st_uid == root.st_uid;
  const bool is_closed_to_others = (root.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if ((root.st_uid == 0 || is_of_clusters_owner) && is_closed_to_others) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("root does not use the data directory ", layout.root,
                   ", because other users can change it; it must belong to root, or to the owner "
                   "of the database in it, and must not be writable by others"));
}

// Creates the data directory. Its parents get the permissions of the umask. Root's directory can be
// entered by other users, because one of them runs the database; the private files in it have
// permissions of their own.
absl::Status CreateRoot(const Layout& layout) {
  const std::string& root = layout.root;
  const bool is_root_user = geteuid() == 0;
  std::error_code error;
  fs::create_directories(fs::path(root).parent_path(), error);
  if (error) return FileError(absl::StrCat("create the parents of ", root), error.value());
  const mode_t mode = is_root_user ? 0755 : 0700;
  if (mkdir(root.c_str(), mode) == 0) {
    if (chmod(root.c_str(), mode) != 0) {
      return FileError(absl::StrCat("change the mode of ", root), errno);
    }
    return absl::OkStatus();
  }
  if (errno != EEXIST) return FileError(absl::StrCat("create ", root), errno);
  return is_root_user ? CheckOwner(layout) : absl::OkStatus();
}

struct flock WriteLockOfWholeFile() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

void WritePid(int fd) {
  if (!Overwrite(fd, absl::StrCat(getpid(), "\n"))) {
    // The id is only for error messages; the lock is held without it.
  }
}

std::string ReadPid(int fd) {
  std::array<char, 32> text;
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  int pid = 0;
  const absl::string_view line(text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return absl::SimpleAtoi(line.substr(0, line.find('\n')), &pid) ? absl::StrCat("process ", pid)
                                                                 : "another process";
}

absl::StatusOr<User> UserNamed(const char* name) {
  struct passwd entry;
  struct passwd* found = nullptr;
  std::array<char, 16384> strings;
  getpwnam_r(name, &entry, strings.data(), strings.size(), &found);
  if (found == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("there is no user ", name));
  }
  return User{entry.pw_uid, entry.pw_gid};
}

absl::Status CheckReachable(const Layout& layout, const User& user) {
  const off_t log_size = SizeOf(layout.log);
  // Tested as that user, because modes are not conclusive where there are access control lists.
  const Command test = {{"/usr/bin/test", "-x", layout.root}, user, layout.log};
  const absl::StatusOr<pid_t> pid = Spawn(test, SIGKILL);
  if (!pid.ok()) return pid.status();
  const int status = Reap(*pid);
  if (status == 0) return absl::OkStatus();
  constexpr int kCannotBecomeUser = 127;
  if (WEXITSTATUS(status) == kCannotBecomeUser) {
    return absl::FailedPreconditionError(absl::StrCat(
        "PostgreSQL does not run as root, and this process may not start it as another user (uid ",
        user.uid, "): ", LastLines(layout.log, log_size)));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "PostgreSQL does not run as root, and the user it runs as instead (uid ", user.uid,
      ") cannot enter the data directory ", layout.root,
      ": it or a directory above it is closed to other users; choose one that is not, such as "
      "/var/lib/contentd"));
}

}  // namespace

absl::StatusOr<Layout> LayoutOf(const std::string& data_dir) {
  std::error_code error;
  fs::path root = fs::absolute(data_dir, error);
  if (!error) root = fs::weakly_canonical(root, error);
  if (error) return FileError(absl::StrCat("use the data directory ", data_dir), error.value());
  if (!root.has_filename()) root = root.parent_path();
  const std::string path = root.string();
  Layout layout = {
      .root = path,
      .lock = path + "/lock",
      .cluster = path + "/postgres",
      .partial = path + "/postgres.partial",
      .socket = path + "/socket",
      .log = path + "/postgres.log",
  };
  if (absl::Status status = CheckSocket(layout); !status.ok()) return status;
  return layout;
}

// Uses an open file description lock, because flock(2) cannot test a lock without taking it.
absl::StatusOr<Lock> Lock::Take(const Layout& layout) {
  if (absl::Status status = CreateRoot(layout); !status.ok()) return status;
  const int fd = open(layout.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return FileError(absl::StrCat("open ", layout.lock), errno);
  Lock lock(fd);
  struct flock request = WriteLockOfWholeFile();
  if (fcntl(fd, F_OFD_SETLK, &request) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return FileError(absl::StrCat("lock ", layout.lock), errno);
    }
    return absl::FailedPreconditionError(
        absl::StrCat("the data directory ", layout.root, " is in use by ", ReadPid(fd)));
  }
  WritePid(fd);
  return lock;
}

Lock::Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Lock::~Lock() {
  if (fd_ >= 0) close(fd_);
}

bool IsLocked(const Layout& layout) {
  const int fd = open(layout.lock.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  struct flock request = WriteLockOfWholeFile();
  const bool asked = fcntl(fd, F_OFD_GETLK, &request) == 0;
  close(fd);
  return asked && request.l_type != F_UNLCK;
}

absl::StatusOr<User> DatabaseUser(const Layout& layout) {
  const bool is_root = geteuid() == 0;
  struct stat cluster;
  const bool exists = lstat(layout.cluster.c_str(), &cluster) == 0;
  if (!is_root) {
    if (exists && cluster.st_uid != geteuid()) {
      return absl::FailedPreconditionError(
          absl::StrCat(layout.cluster, " belongs to another user (uid ", cluster.st_uid,
                       "); run as that user, or choose another data directory"));
    }
    return User{geteuid(), getegid()};
  }
  absl::StatusOr<User> user = User{cluster.st_uid, cluster.st_gid};
  if (!exists) {
    user = UserNamed("postgres");
    if (!user.ok()) user = UserNamed("nobody");
    if (!user.ok()) return user.status();
  } else if (user->uid == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(layout.cluster, " belongs to root, but PostgreSQL does not run as root"));
  }
  if (absl::Status status = CheckReachable(layout, *user); !status.ok()) return status;
  return user;
}

absl::Status MakePrivateDirectory(const std::string& path, const User& user) {
  if (mkdir(path.c_str(), 0700) == 0) {
    // lchown, because somebody may have replaced the directory by a link meanwhile.
    if (user.uid != geteuid() && lchown(path.c_str(), user.uid, user.gid) != 0) {
      return FileError(absl::StrCat("change the owner of ", path), errno);
    }
    return absl::OkStatus();
  }
  if (errno != EEXIST) return FileError(absl::StrCat("create ", path), errno);
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return FileError(absl::StrCat("inspect ", path), errno);
  if (!S_ISDIR(info.st_mode) || info.st_uid != user.uid || (info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not a directory that only the database's user (uid ", user.uid,
                     ") can enter; remove it, or choose another data directory"));
  }
  return absl::OkStatus();
}

bool Overwrite(int fd, absl::string_view text) {
  const auto size = static_cast<ssize_t>(text.size());
  // Truncated afterwards, so that a reader always finds a whole first line.
  return pwrite(fd, text.data(), text.size(), 0) == size && ftruncate(fd, size) == 0;
}

}  // namespace content::embedded
