#include "transfer/out/output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/uuid.h"
#include "transfer/files.h"

namespace content::transfer {
namespace {

constexpr size_t kBufferBytes = size_t{64} << 10;

// An export has what only moderators see. Markdown is for publishing, as the umask says.
constexpr mode_t kExportMode = 0600;
constexpr mode_t kFileMode = 0666;
constexpr mode_t kFolderMode = 0777;
constexpr mode_t kModeBits = 0777;

// How long a reader that does not read may keep the export from seeing that it is stopped.
constexpr absl::Duration kMaxWait = absl::Milliseconds(100);

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

// Waits until a pipe, terminal or socket takes PIPE_BUF bytes without waiting. CANCELLED if the
// export is stopped before.
absl::Status AwaitReader(int descriptor, const std::function<bool()>& is_stopped) {
  pollfd reader = {.fd = descriptor, .events = POLLOUT, .revents = 0};
  while (poll(&reader, 1, static_cast<int>(absl::ToInt64Milliseconds(kMaxWait))) <= 0) {
    if (is_stopped()) return absl::CancelledError("it was stopped");
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

// Next to the path, so that it can be renamed. Another each time: a process that was killed leaves
// its own behind.
std::string PartialPath(const std::string& path) {
  return absl::StrCat(path, ".", absl::Hex(RandomBits(), absl::kZeroPad16), ".partial");
}

int Create(const std::string& path, mode_t mode) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}

// Waits until the bytes are on disk.
absl::Status CloseFile(int descriptor, const std::string& path) {
  const bool is_synced = fsync(descriptor) == 0;
  const int error = errno;
  const bool is_closed = close(descriptor) == 0;
  if (!is_synced) errno = error;
  return is_synced && is_closed ? absl::OkStatus() : CannotWrite(path);
}

// Waits until the files of a folder are on disk: in one go, because one by one takes as many turns
// of it. Returns whether they are.
bool SyncFolder(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool is_synced = syncfs(descriptor) == 0;
  const int error = errno;
  close(descriptor);
  errno = error;
  return is_synced;
}

}  // namespace

absl::StatusOr<OutputFile> OutputFile::Open(const std::string& path, absl::string_view head,
                                            std::function<bool()> is_stopped) {
  if (path == kStandardInput) {
    const int descriptor = dup(STDOUT_FILENO);
    if (descriptor < 0) return CannotWrite(path);
    return OutputFile(descriptor, path, "", std::move(is_stopped));
  }
  const std::string actual = ActualPath(path);
  struct stat status = {};
  if (lstat(actual.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is a link to nothing; name another file, or remove it"));
  }
  const bool exists = stat(actual.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is a folder; name a file"));
  }
  if (exists && !S_ISREG(status.st_mode)) {
    const int descriptor = open(actual.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return CannotWrite(path);
    return OutputFile(descriptor, actual, "", std::move(is_stopped));
  }
  if (exists && status.st_size > 0) {
    const absl::StatusOr<std::string> begin = ReadFile(actual, head.size());
    if (!begin.ok() || *begin != head) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is there and is no export; name another file, or remove it"));
    }
  }
  std::string partial = PartialPath(actual);
  const int descriptor = Create(partial, kExportMode);
  if (descriptor < 0) return CannotWrite(path);
  OutputFile file(descriptor, actual, std::move(partial), std::move(is_stopped));
  if (exists && fchmod(descriptor, status.st_mode & kModeBits) != 0) return CannotWrite(path);
  return file;
}

OutputFile::OutputFile(int descriptor, std::string path, std::string partial_path,
                       std::function<bool()> is_stopped)
    : descriptor_(descriptor),
      path_(std::move(path)),
      partial_path_(std::move(partial_path)),
      is_stopped_(std::move(is_stopped)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      partial_path_(std::exchange(other.partial_path_, "")),
      is_stopped_(std::move(other.is_stopped_)),
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
  const std::string bytes = std::exchange(buffer_, "");
  return partial_path_.empty() ? WriteToReader(bytes) : WriteAllBytes(descriptor_, bytes, path_);
}

// Never waits for the reader where is_stopped would not be asked.
absl::Status OutputFile::WriteToReader(absl::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min<size_t>(bytes.size(), PIPE_BUF))) {
    absl::Status status = AwaitReader(descriptor_, is_stopped_);
    if (status.ok()) status = WriteAllBytes(descriptor_, bytes.substr(0, PIPE_BUF), path_);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
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
  const int descriptor = Create(path, kFileMode);
  if (descriptor < 0) return CannotWrite(path);
  absl::Status status = WriteAllBytes(descriptor, content, path);
  if (close(descriptor) != 0) status.Update(CannotWrite(path));
  return status;
}

absl::Status OutputFolder::Complete() {
  if (!SyncFolder(partial_path_)) return CannotWrite(path_);
  // Takes the place of an empty folder.
  if (std::rename(partial_path_.c_str(), path_.c_str()) != 0) return CannotWrite(path_);
  partial_path_.clear();
  return absl::OkStatus();
}

}  // namespace content::transfer
