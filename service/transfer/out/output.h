#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Where an export is written. A file or folder has its name only once it is complete, so nobody
// takes a half for a whole; until then, it is next to its place and ends with `.partial`. Errors
// are INTERNAL if something cannot be written, and say why.
namespace content::transfer {

/// Standard output or a file. Not thread-safe.
class OutputFile {
 public:
  /// Opens standard output (`-`) or a file. One that exists is replaced at the end if it begins
  /// with `head`, and the new one has its mode; otherwise FAILED_PRECONDITION: it is something
  /// else. A new file is only for its owner. A pipe or a device is written to as it is: if its
  /// reader does not read, writes wait until `is_stopped` says true, and are CANCELLED then.
  static absl::StatusOr<OutputFile> Open(
      const std::string& path, absl::string_view head,
      std::function<bool()> is_stopped = [] { return false; });

  /// Removes what was written, unless it is complete or is not in a file.
  ~OutputFile();

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;

  absl::Status Write(absl::string_view bytes);

  /// Call it at the end, once.
  absl::Status Complete();

 private:
  OutputFile(int descriptor, std::string path, std::string partial_path,
             std::function<bool()> is_stopped);

  absl::Status Flush();
  absl::Status WriteToReader(absl::string_view bytes);

  int descriptor_;
  std::string path_;
  std::string partial_path_;  // empty if the bytes go to their place at once
  std::function<bool()> is_stopped_;
  std::string buffer_;
};

/// A folder of files. Not thread-safe.
class OutputFolder {
 public:
  /// FAILED_PRECONDITION if there is something in the folder already.
  static absl::StatusOr<OutputFolder> Open(const std::string& path);

  /// Removes what was written, unless it is complete.
  ~OutputFolder();

  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;

  absl::Status Write(const std::string& name, absl::string_view content);

  /// Call it at the end, once.
  absl::Status Complete();

 private:
  OutputFolder(std::string path, std::string partial_path);

  std::string path_;
  std::string partial_path_;
};

}  // namespace content::transfer
