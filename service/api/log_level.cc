#include "api/log_level.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "access/identity.h"
#include "base/errors.h"
#include "google/protobuf/util/time_util.h"

namespace content::api {
namespace {

using google::protobuf::util::TimeUtil;

constexpr std::chrono::seconds kDefaultTtl = std::chrono::minutes(15);
constexpr std::chrono::seconds kMinTtl{1};
constexpr std::chrono::seconds kMaxTtl = std::chrono::hours(24);

log::Level CheckLevel(v1::LogLevel level, Violations& violations) {
  switch (level) {
    case v1::LOG_LEVEL_DEBUG:
      return log::Level::kDebug;
    case v1::LOG_LEVEL_INFO:
      return log::Level::kInfo;
    case v1::LOG_LEVEL_WARNING:
      return log::Level::kWarning;
    case v1::LOG_LEVEL_ERROR:
      return log::Level::kError;
    default:
      violations.Add("level", "must be one of LOG_LEVEL_DEBUG to LOG_LEVEL_ERROR");
      return log::Level::kInfo;
  }
}

v1::LogLevel ToProto(log::Level level) {
  switch (level) {
    case log::Level::kDebug:
      return v1::LOG_LEVEL_DEBUG;
    case log::Level::kInfo:
      return v1::LOG_LEVEL_INFO;
    case log::Level::kWarning:
      return v1::LOG_LEVEL_WARNING;
    case log::Level::kError:
      break;
  }
  return v1::LOG_LEVEL_ERROR;
}

std::chrono::nanoseconds CheckTtl(const v1::OverrideLogLevelRequest& request,
                                  Violations& violations) {
  if (!request.has_ttl()) return kDefaultTtl;
  const google::protobuf::Duration& ttl = request.ttl();
  // In seconds first, which cannot overflow.
  if (ttl.seconds() >= kMinTtl.count() && ttl.seconds() <= kMaxTtl.count() && ttl.nanos() >= 0) {
    const std::chrono::nanoseconds exact(TimeUtil::DurationToNanoseconds(ttl));
    if (exact <= kMaxTtl) return exact;
  }
  violations.Add("ttl", "must be 1s to 24h");
  return kDefaultTtl;
}

// debug, info, warning, error: as --log-level names them.
std::string NameOf(v1::LogLevel level) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::LogLevel_Name(level), "LOG_LEVEL_"));
}

}  // namespace

absl::StatusOr<LevelOverride> CheckOverrideLogLevel(const v1::OverrideLogLevelRequest& request) {
  Violations violations;
  const LevelOverride wanted{.level = CheckLevel(request.level(), violations),
                             .ttl = CheckTtl(request, violations)};
  if (!violations.empty()) return violations.ToStatus();
  return wanted;
}

void OverrideLogLevel(CallContext call, v1::OverrideLogLevelRequest request,
                      Callback<v1::OverrideLogLevelResponse> done) {
  const absl::StatusOr<LevelOverride> wanted = CheckOverrideLogLevel(request);
  if (!wanted.ok()) return std::move(done)(wanted.status());
  log::OverrideLevel(wanted->level, wanted->ttl);
  const std::string caller = call.caller ? access::LoggedName(call.caller->identity) : "";
  log::RecordAct("log level changed", {{"to", NameOf(request.level())},
                                       {"ttl", absl::FormatDuration(absl::FromChrono(wanted->ttl))},
                                       {"caller", caller}});
  v1::OverrideLogLevelResponse response;
  *response.mutable_log() = CurrentLogInfo();
  std::move(done)(std::move(response));
}

v1::LogInfo CurrentLogInfo() {
  const log::CurrentLevel current = log::GetLevel();
  v1::LogInfo info;
  info.set_level(ToProto(current.level));
  if (current.left) {
    *info.mutable_expire_time() = TimeUtil::MicrosecondsToTimestamp(
        absl::ToUnixMicros(absl::Now() + absl::FromChrono(*current.left)));
  }
  return info;
}

}  // namespace content::api
