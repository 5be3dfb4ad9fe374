#include "tls/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace content::tls {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

absl::Status CannotRead(const std::string& path, int error) {
  return BadFile(path, absl::StrCat("cannot be read: ", std::strerror(error)));
}

// Reads up to one byte more than is allowed: the file may grow meanwhile.
absl::StatusOr<std::string> ReadAll(const std::string& path, int fd) {
  std::string text;
  std::array<char, 16 << 10> buffer{};
  while (text.size() <= kMaxFileBytes) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0) return CannotRead(path, errno);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
  return BadFile(path, "is larger than 1 MiB");
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  // O_NONBLOCK, because opening a FIFO waits for its writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return CannotRead(path, errno);
  const absl::Cleanup close_it = [fd] { close(fd); };
  struct stat status {};
  if (fstat(fd, &status) != 0) return CannotRead(path, errno);
  if (!S_ISREG(status.st_mode)) return BadFile(path, "is not a regular file");
  return ReadAll(path, fd);
}

absl::StatusOr<std::map<std::string, std::string>> ReadDirectory(const std::string& path) {
  std::error_code error;
  std::map<std::string, std::string> files;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (absl::StartsWith(entry->path().filename().string(), ".")) continue;
    absl::StatusOr<std::string> text = ReadFile(entry->path().string());
    if (!text.ok()) return text.status();
    files.emplace(entry->path().string(), *std::move(text));
  }
  if (error) return CannotRead(path, error.value());
  if (files.empty()) return BadFile(path, "contains no files, and so does not say who is revoked");
  return files;
}

}  // namespace

absl::Status BadFile(absl::string_view path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, " ", what));
}

absl::StatusOr<Files> ReadFiles(const Paths& paths) {
  Files files;
  for (const auto& [path, text] :
       {std::pair(&paths.cert_file, &files.chain), std::pair(&paths.key_file, &files.key),
        std::pair(&paths.client_ca_file, &files.client_cas)}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> read = ReadFile(*path);
    if (!read.ok()) return read.status();
    *text = *std::move(read);
  }
  if (paths.crl_dir.empty()) return files;
  auto crls = ReadDirectory(paths.crl_dir);
  if (!crls.ok()) return crls.status();
  files.crls = *std::move(crls);
  return files;
}

}  // namespace content::tls
