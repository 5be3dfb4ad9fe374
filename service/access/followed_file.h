#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"

namespace content::access {

/// A file whose contents are in use, and that may change at any time. Not thread-safe.
class FollowedFile {
 public:
  /// Uses the contents, or says what is wrong with them.
  using Take = std::function<absl::Status(const std::string& text)>;

  FollowedFile(std::string path, Take take) : path_(std::move(path)), take_(std::move(take)) {}

  /// Reads the file, and uses what it contains if it has changed. INVALID_ARGUMENT: the file cannot
  /// be read, or `take` refuses what it contains, now or when it was seen first.
  absl::Status Read();

  /// Like Read, but logs what has become of the file: once, and then every hour while it is
  /// refused. Returns whether it is not.
  bool Follow(SteadyTime now);

 private:
  const std::string path_;
  const Take take_;
  absl::StatusOr<std::string> seen_;  // what was read last
  absl::Status result_;               // of taking it
  std::string reported_;              // the cause of the last refusal that was logged
  SteadyTime next_report_ = SteadyTime::InfinitePast();
};

}  // namespace content::access
