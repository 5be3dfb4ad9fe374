#include "base/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace content {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;

absl::Status BadFile(absl::string_view path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, " ", what));
}

absl::Status CannotRead(absl::string_view path, int error) {
  return BadFile(path, absl::StrCat("cannot be read: ", std::strerror(error)));
}

// Reads up to one byte more than is allowed: the file may grow meanwhile.
absl::StatusOr<std::string> ReadAll(const std::string& path, int fd) {
  std::string text;
  std::array<char, 16 << 10> buffer{};
  while (text.size() <= kMaxBytes) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0) return CannotRead(path, errno);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
  return BadFile(path, "is larger than 1 MiB");
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  // O_NONBLOCK, because opening a FIFO waits for its writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return CannotRead(path, errno);
  const absl::Cleanup close_it = [fd] { close(fd); };
  struct stat status {};
  if (fstat(fd, &status) != 0) return CannotRead(path, errno);
  if (!S_ISREG(status.st_mode)) return BadFile(path, "is not a regular file");
  return ReadAll(path, fd);
}

}  // namespace content
