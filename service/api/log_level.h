#pragma once

#include <chrono>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/v1/admin_service.pb.h"
#include "telemetry/log.h"

// What this process logs; see admin_service.proto.
namespace content::api {

/// A level, and for how long it holds.
struct LevelOverride {
  log::Level level;
  std::chrono::nanoseconds ttl;
};

absl::StatusOr<LevelOverride> CheckOverrideLogLevel(const v1::OverrideLogLevelRequest& request);

/// Logs who does so.
void OverrideLogLevel(CallContext call, v1::OverrideLogLevelRequest request,
                      Callback<v1::OverrideLogLevelResponse> done);

/// Returns what the log holds at present.
v1::LogInfo CurrentLogInfo();

}  // namespace content::api
