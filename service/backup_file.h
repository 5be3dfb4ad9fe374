#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace content {

/// A file that appears under its name only when it is complete, and that only this user may read.
/// Until then it has another name in the same directory. It is removed if it is not kept, also if
/// SIGINT, SIGTERM or SIGHUP ends the process. At most one at a time.
class BackupFile {
 public:
  /// FAILED_PRECONDITION if there is a file of this name, unless `may_overwrite` and it is a
  /// regular file, or if none can be made in its directory.
  static absl::StatusOr<std::unique_ptr<BackupFile>> Create(const std::string& path,
                                                            bool may_overwrite);
  ~BackupFile();

  BackupFile(const BackupFile&) = delete;
  BackupFile& operator=(const BackupFile&) = delete;

  /// To be written to.
  int fd() const { return fd_; }

  /// Gives the file its name, once it is on disk, and returns its size in bytes. Call it once.
  /// FAILED_PRECONDITION if the disk does not take it, or as Create. DATA_LOSS if it has its name,
  /// but the disk may not have that.
  absl::StatusOr<int64_t> Keep();

 private:
  absl::Status Name() const;

  BackupFile(const std::string& path, bool may_overwrite, const std::string& partial, int fd);

  const std::string path_;
  const bool may_overwrite_;
  const std::string partial_;
  const int fd_;
};

}  // namespace content
