#include "transfer/exports/export_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "transfer/files.h"

namespace content::transfer {
namespace {

constexpr size_t kPieceBytes = size_t{64} << 10;

std::string Reason() { return std::generic_category().message(errno); }

ssize_t ReadSome(int descriptor, char* buffer, size_t size) {
  ssize_t count = 0;
  do {
    count = read(descriptor, buffer, size);
  } while (count < 0 && errno == EINTR);
  return count;
}

bool WriteAll(int descriptor, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Copies what is left of a file. Returns whether that was possible.
bool Copy(int from, int to) {
  std::array<char, kPieceBytes> piece;
  ssize_t count = 0;
  while ((count = ReadSome(from, piece.data(), piece.size())) > 0) {
    if (!WriteAll(to, {piece.data(), static_cast<size_t>(count)})) return false;
  }
  return count == 0;
}

bool IsRegular(int descriptor) {
  struct stat status = {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

int OpenTemporaryFile() {
  const char* const folder = std::getenv("TMPDIR");
  std::string path = absl::StrCat(folder != nullptr ? folder : "/tmp", "/contentd-import-XXXXXX");
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor >= 0) unlink(path.c_str());
  return descriptor;
}

absl::StatusOr<std::unique_ptr<ExportFile>> ExportFile::Open(const std::string& path,
                                                             absl::string_view head) {
  const bool is_standard_input = path == kStandardInput;
  int descriptor = is_standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                     : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::NotFoundError(absl::StrCat("cannot be read: ", Reason()));
  if (!is_standard_input && IsRegular(descriptor)) {
    return std::unique_ptr<ExportFile>(new ExportFile(descriptor, path));
  }
  const int copy = OpenTemporaryFile();
  const bool is_copied = copy >= 0 && WriteAll(copy, head) && Copy(descriptor, copy);
  absl::Status status;
  if (!is_copied) status = absl::NotFoundError(absl::StrCat("cannot be read: ", Reason()));
  close(descriptor);
  if (!status.ok()) {
    if (copy >= 0) close(copy);
    return status;
  }
  std::unique_ptr<ExportFile> file(new ExportFile(copy, absl::StrCat("/proc/self/fd/", copy)));
  file->Rewind();
  return file;
}

ExportFile::ExportFile(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)) {}

ExportFile::~ExportFile() { close(descriptor_); }

// Not const, like Rewind: it moves on in the file.
// NOLINTNEXTLINE(readability-make-member-function-const)
absl::StatusOr<size_t> ExportFile::Read(char* buffer, size_t size) {
  const ssize_t count = ReadSome(descriptor_, buffer, size);
  if (count < 0) return absl::DataLossError(absl::StrCat("cannot be read: ", Reason()));
  return static_cast<size_t>(count);
}

absl::StatusOr<std::string> ExportFile::ReadRest(size_t max_bytes) {
  std::string content;
  while (true) {
    const size_t size = content.size();
    content.resize(size + kPieceBytes);
    const absl::StatusOr<size_t> count = Read(content.data() + size, kPieceBytes);
    if (!count.ok()) return count.status();
    content.resize(size + *count);
    if (*count == 0) return content;
    if (content.size() > max_bytes) {
      return absl::OutOfRangeError(absl::StrCat("has more than ", max_bytes, " bytes"));
    }
  }
}

// NOLINTNEXTLINE(readability-make-member-function-const)
void ExportFile::Rewind() { lseek(descriptor_, 0, SEEK_SET); }

}  // namespace content::transfer
