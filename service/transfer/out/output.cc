#include "transfer/out/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "transfer/files.h"

namespace content::transfer {
namespace {

constexpr size_t kBufferBytes = size_t{64} << 10;
constexpr mode_t kFileMode = 0666;  // without what the umask takes
constexpr mode_t kFolderMode = 0777;

absl::Status CannotWrite(const std::string& path) {
  const std::string where = path == kStandardInput ? "standard output" : path;
  return absl::InternalError(
      absl::StrCat("cannot write to ", where, ": ", std::generic_category().message(errno)));
}

absl::Status WriteAllBytes(int descriptor, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotWrite(path);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

// Returns the path itself, not one of a link to it: what the link leads to is replaced. Without a
// slash at its end, because the last part gets another name for a while.
std::string ActualPath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path actual = std::filesystem::weakly_canonical(path, error);
  std::string text = error ? path : actual.string();
  while (text.size() > 1 && absl::EndsWith(text, "/")) text.pop_back();
  return text;
}

// Next to the path, so that it can be renamed. No other process has it.
std::string PartialPath(const std::string& path) {
  return absl::StrCat(path, ".", getpid(), ".partial");
}

int OpenForWriting(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kFileMode);
}

// Waits until the bytes are on disk.
absl::Status CloseFile(int descriptor, const std::string& path) {
  const bool is_synced = fsync(descriptor) == 0;
  const int error = errno;
  const bool is_closed = close(descriptor) == 0;
  if (!is_synced) errno = error;
  return is_synced && is_closed ? absl::OkStatus() : CannotWrite(path);
}

}  // namespace

absl::StatusOr<OutputFile> OutputFile::Open(const std::string& path, absl::string_view head) {
  if (path == kStandardInput) return OutputFile(dup(STDOUT_FILENO), path, "");
  const std::string actual = ActualPath(path);
  struct stat status = {};
  const bool exists = stat(actual.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is a folder; name a file"));
  }
  if (exists && !S_ISREG(status.st_mode)) {
    const int descriptor = open(actual.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return CannotWrite(path);
    return OutputFile(descriptor, actual, "");
  }
  if (exists && status.st_size > 0) {
    const absl::StatusOr<std::string> begin = ReadFile(actual, head.size());
    if (!begin.ok() || *begin != head) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is there and is no export; name another file, or remove it"));
    }
  }
  std::string partial = PartialPath(actual);
  const int descriptor = OpenForWriting(partial);
  if (descriptor < 0) return CannotWrite(path);
  return OutputFile(descriptor, actual, std::move(partial));
}

OutputFile::OutputFile(int descriptor, std::string path, std::string partial_path)
    : descriptor_(descriptor), path_(std::move(path)), partial_path_(std::move(partial_path)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      partial_path_(std::exchange(other.partial_path_, "")),
      buffer_(std::move(other.buffer_)) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!partial_path_.empty()) unlink(partial_path_.c_str());
}

absl::Status OutputFile::Write(absl::string_view bytes) {
  buffer_.append(bytes.data(), bytes.size());
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

absl::Status OutputFile::Flush() {
  absl::Status status = WriteAllBytes(descriptor_, buffer_, path_);
  buffer_.clear();
  return status;
}

absl::Status OutputFile::Complete() {
  if (absl::Status status = Flush(); !status.ok()) return status;
  if (partial_path_.empty()) return absl::OkStatus();
  absl::Status status = CloseFile(std::exchange(descriptor_, -1), path_);
  if (!status.ok()) return status;
  if (std::rename(partial_path_.c_str(), path_.c_str()) != 0) return CannotWrite(path_);
  partial_path_.clear();
  return absl::OkStatus();
}

absl::StatusOr<OutputFolder> OutputFolder::Open(const std::string& path) {
  std::string actual = ActualPath(path);
  std::error_code error;
  if (std::filesystem::exists(actual, error) && !std::filesystem::is_empty(actual, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is there and is not empty; name another folder, or remove it"));
  }
  std::string partial = PartialPath(actual);
  if (mkdir(partial.c_str(), kFolderMode) != 0) return CannotWrite(path);
  return OutputFolder(std::move(actual), std::move(partial));
}

OutputFolder::OutputFolder(std::string path, std::string partial_path)
    : path_(std::move(path)), partial_path_(std::move(partial_path)) {}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : path_(std::move(other.path_)), partial_path_(std::exchange(other.partial_path_, "")) {}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (!partial_path_.empty()) std::filesystem::remove_all(partial_path_, ignored);
}

absl::Status OutputFolder::Write(const std::string& name, absl::string_view content) {
  const std::string path = absl::StrCat(partial_path_, "/", name);
  const int descriptor = OpenForWriting(path);
  if (descriptor < 0) return CannotWrite(path);
  absl::Status status = WriteAllBytes(descriptor, content, path);
  if (close(descriptor) != 0) status.Update(CannotWrite(path));
  return status;
}

absl::Status OutputFolder::Complete() {
  // Takes the place of an empty folder.
  if (std::rename(partial_path_.c_str(), path_.c_str()) != 0) return CannotWrite(path_);
  partial_path_.clear();
  return absl::OkStatus();
}

}  // namespace content::transfer
