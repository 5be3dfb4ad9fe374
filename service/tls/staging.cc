#include "tls/staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace content::tls {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "contentd-tls-";
// Of a directory that is not locked yet. It holds nothing.
constexpr char kUnlockedPrefix[] = "contentd-tls.new-";
// It is locked at once, unless its process ends.
constexpr std::chrono::hours kMaxTimeUnlocked{1};
constexpr char kLock[] = "/lock";
constexpr char kCurrent[] = "/current";
constexpr char kChain[] = "/chain.pem";
constexpr char kKey[] = "/key.pem";
constexpr char kClientCas[] = "/client-cas.pem";
constexpr char kCrls[] = "/crls";

absl::Status CannotStage(absl::string_view path, int error) {
  return absl::UnavailableError(absl::StrCat(
      "cannot keep the certificates that were validated: ", path, ": ", std::strerror(error)));
}

// Whether the open file `lock` is the one in the directory. Others may have removed that.
bool IsLockOf(const std::string& directory, int lock) {
  struct stat held {};
  struct stat found {};
  return fstat(lock, &held) == 0 && lstat((directory + kLock).c_str(), &found) == 0 &&
         held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

// Locks a directory until the descriptor that it returns is closed, or the process ends. -1, with
// errno, if that fails. `flags`: of open(2).
int Lock(const std::string& directory, int flags) {
  const int fd =
      open((directory + kLock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, S_IRUSR | S_IWUSR);
  if (fd < 0) return -1;
  const bool is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (is_locked && IsLockOf(directory, fd)) return fd;
  const int error = is_locked ? ENOENT : errno;
  close(fd);
  errno = error;
  return -1;
}

// Everybody may create files there; what others have created is left alone.
bool IsOwnDirectory(const fs::path& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

void RemoveIfUnlocked(const fs::path& directory) {
  const int lock = Lock(directory.string(), 0);
  if (lock < 0) return;
  std::error_code ignored;
  fs::remove_all(directory, ignored);
  close(lock);
}

void RemoveIfOld(const fs::path& directory) {
  std::error_code error;
  const fs::file_time_type changed = fs::last_write_time(directory, error);
  if (error || fs::file_time_type::clock::now() - changed < kMaxTimeUnlocked) return;
  fs::remove_all(directory, error);
}

// Removes what processes that have ended left there.
void RemoveLeftovers(const fs::path& parent) {
  std::error_code error;
  fs::directory_iterator entry(parent, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    const std::string name = path.filename().string();
    if (absl::StartsWith(name, kPrefix) && IsOwnDirectory(path)) RemoveIfUnlocked(path);
    if (absl::StartsWith(name, kUnlockedPrefix) && IsOwnDirectory(path)) RemoveIfOld(path);
  }
}

// Creates a directory that is locked before others can take it for one whose process has ended.
// Returns its path; empty, with errno, if that fails.
std::string CreateLocked(const fs::path& parent, int& lock) {
  std::string unlocked = parent / absl::StrCat(kUnlockedPrefix, "XXXXXX");
  if (mkdtemp(unlocked.data()) == nullptr) return "";
  std::string path = parent / absl::StrCat(kPrefix, unlocked.substr(unlocked.size() - 6));
  lock = Lock(unlocked, O_CREAT | O_EXCL);
  if (lock >= 0 && rename(unlocked.c_str(), path.c_str()) == 0) return path;
  const int error = errno;
  if (lock >= 0) close(lock);
  std::error_code ignored;
  fs::remove_all(unlocked, ignored);
  errno = error;
  return "";
}

bool WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0) return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Each generation has a time of modification of its own, in whole seconds: by it gRPC recognises
// that it has read the key of one set and the certificate of another, and reads them again.
absl::Status WriteFile(const std::string& path, absl::string_view text, int generation) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return CannotStage(path, errno);
  const absl::Cleanup close_it = [fd] { close(fd); };
  const timespec time = {.tv_sec = generation, .tv_nsec = 0};
  const std::array<timespec, 2> times = {time, time};
  if (WriteAll(fd, text) && futimens(fd, times.data()) == 0) return absl::OkStatus();
  return CannotStage(path, errno);
}

// By its name, what each file of a set contains.
std::map<std::string, std::string> FilesOf(const Certificates& certificates, int generation) {
  std::map<std::string, std::string> files = {
      {kChain, certificates.chain},
      {kKey, certificates.key},
      // OpenSSL keeps the revocation lists that it has read for as long as gRPC keeps the CAs. With
      // the text before its first certificate, every generation has other CAs.
      {kClientCas, absl::StrCat("generation ", generation, "\n", certificates.client_cas)}};
  for (const auto& [name, crl] : certificates.crls) {
    files.emplace(absl::StrCat(kCrls, "/", name), crl);
  }
  return files;
}

absl::Status WriteSet(const std::string& directory, const Certificates& certificates,
                      int generation) {
  std::error_code error;
  fs::create_directories(directory + kCrls, error);
  if (error) return CannotStage(directory, error.value());
  absl::Status status;
  for (const auto& [name, text] : FilesOf(certificates, generation)) {
    status.Update(WriteFile(directory + name, text, generation));
  }
  return status;
}

bool IsWhole(const std::string& directory, const Certificates& certificates, int generation) {
  const auto files = FilesOf(certificates, generation);
  return std::all_of(files.begin(), files.end(), [&directory](const auto& file) {
    std::error_code error;
    return fs::file_size(directory + file.first, error) == file.second.size() && !error;
  });
}

// Makes the link `path` lead to `target`, at once.
absl::Status Relink(const std::string& path, const std::string& target) {
  const std::string next = path + ".next";
  unlink(next.c_str());
  if (symlink(target.c_str(), next.c_str()) != 0) return CannotStage(next, errno);
  if (rename(next.c_str(), path.c_str()) != 0) return CannotStage(path, errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Staging>> Staging::Create() {
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  const fs::path parents[] = {"/dev/shm", error ? fs::path("/tmp") : temporary};
  for (const fs::path& parent : parents) RemoveLeftovers(parent);
  for (const fs::path& parent : parents) {
    int lock = -1;
    std::string path = CreateLocked(parent, lock);
    if (!path.empty()) return absl::WrapUnique(new Staging(std::move(path), lock));
  }
  return CannotStage(parents[1].string(), errno);
}

Staging::~Staging() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
  close(lock_);
}

absl::Status Staging::Replace(const Certificates& certificates) {
  ++generation_;
  const std::string name = absl::StrCat(generation_);
  std::string unused = absl::StrCat(directory_, "/", name);
  absl::Status status = WriteSet(unused, certificates, generation_);
  if (status.ok()) status = Relink(directory_ + kCurrent, name);
  if (status.ok()) {
    std::swap(unused, current_);
    in_use_ = certificates;
    in_use_generation_ = generation_;
  }
  std::error_code ignored;
  fs::remove_all(unused, ignored);
  return status;
}

absl::StatusOr<bool> Staging::Repair() {
  if (IsLockOf(directory_, lock_) && IsWhole(directory_ + kCurrent, in_use_, in_use_generation_)) {
    return false;
  }
  if (absl::Status status = LockAgain(); !status.ok()) return status;
  if (absl::Status status = Replace(in_use_); !status.ok()) return status;
  return true;
}

// Locks the directory again, unless it is locked. Creates it if it is not there.
absl::Status Staging::LockAgain() {
  if (IsLockOf(directory_, lock_)) return absl::OkStatus();
  if (!IsOwnDirectory(directory_) && mkdir(directory_.c_str(), S_IRWXU) != 0) {
    return CannotStage(directory_, errno);
  }
  const int lock = Lock(directory_, O_CREAT);
  if (lock < 0) {
    const int error = errno;
    rmdir(directory_.c_str());  // Nobody else would, were it empty and this process ended.
    return CannotStage(directory_, error);
  }
  close(std::exchange(lock_, lock));
  return absl::OkStatus();
}

Paths Staging::PathsLike(const Paths& operators) const {
  const std::string current = directory_ + kCurrent;
  return {.cert_file = current + kChain,
          .key_file = current + kKey,
          .client_ca_file = operators.client_ca_file.empty() ? "" : current + kClientCas,
          .crl_dir = operators.crl_dir.empty() ? "" : current + kCrls};
}

}  // namespace content::tls
