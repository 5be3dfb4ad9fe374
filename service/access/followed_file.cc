#include "access/followed_file.h"

#include "absl/time/time.h"
#include "base/small_file.h"
#include "telemetry/log.h"

namespace content::access {
namespace {

constexpr absl::Duration kReportInterval = absl::Hours(1);

}  // namespace

absl::Status FollowedFile::Read() {
  absl::StatusOr<std::string> text = ReadSmallFile(path_);
  if (text == seen_) return result_;
  seen_ = std::move(text);
  result_ = seen_.ok() ? take_(*seen_) : seen_.status();
  if (!result_.ok()) return result_;
  reported_.clear();
  log::Info("access file loaded", {{"path", path_}});
  return result_;
}

bool FollowedFile::Follow(SteadyTime now) {
  const absl::Status status = Read();
  if (status.ok()) return true;
  const std::string cause(status.message());
  if (cause == reported_ && now < next_report_) return false;
  reported_ = cause;
  next_report_ = now + kReportInterval;
  log::Error("access file refused", {{"cause", cause}});
  return false;
}

}  // namespace content::access
