#include "transfer/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace content::transfer {
namespace {

namespace fs = std::filesystem;

using VisitFile = absl::FunctionRef<bool(const FoundFile&)>;

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

bool VisitFolder(const fs::path& folder, VisitFile visit);

// Visits an entry of a folder.
bool VisitEntry(const fs::path& path, VisitFile visit) {
  FoundFile file{.path = path.string(), .is_given = false};
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (absl::StartsWith(path.filename().string(), ".")) {
    file.left_out = "hidden";
  } else if (fs::is_directory(status)) {
    if (!fs::is_symlink(path, error)) return VisitFolder(path, visit);
    file.left_out = "a link to a folder";
  } else if (!fs::is_regular_file(status)) {
    file.left_out = fs::exists(status) ? "no regular file" : "a link to nothing";
  }
  return visit(file);
}

bool VisitFolder(const fs::path& folder, VisitFile visit) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    entries.push_back(entry->path());
  }
  // It counts as a file that cannot be read: its articles must not be missed without a word.
  if (error) return visit({.path = folder.string()});
  std::sort(entries.begin(), entries.end());
  return std::all_of(entries.begin(), entries.end(),
                     [visit](const fs::path& path) { return VisitEntry(path, visit); });
}

}  // namespace

void VisitFiles(const std::vector<std::string>& paths, VisitFile visit) {
  for (const std::string& path : paths) {
    std::error_code error;
    const bool is_folder = path != kStandardInput && fs::is_directory(path, error);
    if (!(is_folder ? VisitFolder(path, visit) : visit({.path = path}))) return;
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const std::unique_ptr<std::FILE, CloseFile> file(
      path == kStandardInput ? stdin : std::fopen(path.c_str(), "rb"));
  if (file != nullptr) {
    std::string content;
    std::array<char, 1 << 14> piece;
    size_t count = 0;
    do {
      count = std::fread(piece.data(), 1, std::min(piece.size(), max_bytes - content.size()),
                         file.get());
      content.append(piece.data(), count);
    } while (count > 0);
    if (std::ferror(file.get()) == 0) return content;
  }
  const std::string reason = std::generic_category().message(errno);
  return absl::NotFoundError(absl::StrCat("cannot be read: ", reason));
}

}  // namespace content::transfer
