#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tls/certificates.h"
#include "tls/files.h"

namespace content::tls {

/// A private directory from which gRPC reads certificates. gRPC watches files, but takes whatever
/// it finds: an empty certificate aborts the process, and one without its key fails every
/// handshake. So it is only shown certificates that have been validated, and only whole sets.
class Staging {
 public:
  /// Creates the directory: in memory (/dev/shm) if possible, because it holds the private key,
  /// otherwise where temporary files belong. Only this user can read it. Removes those of this user
  /// whose process has ended without doing so.
  static absl::StatusOr<std::unique_ptr<Staging>> Create();

  /// Removes the directory.
  ~Staging();

  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Replaces the set that the paths lead to, at once. After an error they lead to the old one.
  absl::Status Replace(const Certificates& certificates);

  /// Writes the set again if somebody has removed files of it or the directory's lock, or changed
  /// their size. Returns whether that was so. Call it after Replace.
  absl::StatusOr<bool> Repair();

  /// The paths of a staged set like that of `operators`: they stay the same when it is replaced.
  Paths PathsLike(const Paths& operators) const;

 private:
  Staging(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}

  absl::Status LockAgain();

  const std::string directory_;
  int lock_;             // An open file in the directory. Others leave that while it is locked.
  int generation_ = 0;   // of the last set that was written
  std::string current_;  // the directory of the set that is in use
  Certificates in_use_;  // that set
  int in_use_generation_ = 0;
};

}  // namespace content::tls
