#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace content::transfer {

/// An export, open for reading. Standard input, and anything else that is no regular file, is
/// copied into a temporary file without a name first. Not thread-safe.
class ExportFile {
 public:
  /// How much of a file is looked at to recognize its format.
  static constexpr size_t kHeadBytes = size_t{16} << 10;

  /// Opens a file, or standard input (kStandardInput) of which `head` has been read. NOT_FOUND if
  /// it cannot be read.
  static absl::StatusOr<std::unique_ptr<ExportFile>> Open(const std::string& path,
                                                          absl::string_view head);

  ~ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  /// Reads at most `size` bytes, from where the last call ended. 0 at the end of the file.
  /// DATA_LOSS if it cannot be read.
  absl::StatusOr<size_t> Read(char* buffer, size_t size);

  /// Returns all that has not been read. OUT_OF_RANGE if that is more than `max_bytes`.
  absl::StatusOr<std::string> ReadRest(size_t max_bytes);

  /// Goes back to the beginning.
  void Rewind();

  /// A path under which other code can open the file while this object exists.
  const std::string& path() const { return path_; }

 private:
  ExportFile(int descriptor, std::string path);

  const int descriptor_;
  const std::string path_;
};

/// Creates a file for this process alone, which goes away with its descriptor. -1, with errno, if
/// that is not possible.
int OpenTemporaryFile();

}  // namespace content::transfer
