#pragma once

#include "absl/time/time.h"
#include "telemetry/traces.h"

namespace content {

/// The calls that the access log has, each kind with those before it.
enum class LoggedCalls {
  kNone,
  /// Those that failed, unless the caller cancelled them.
  kErrors,
  /// Those that took long. A stream has no such time.
  kSlow,
  kAll,
};

/// What is written about calls when they end.
struct CallLogOptions {
  LoggedCalls calls = LoggedCalls::kNone;
  /// A call that takes as long is slow.
  absl::Duration slow_call = absl::Seconds(1);
  /// Of the calls that only kAll has, one in so many is logged.
  int one_in = 1;
  /// Where the spans of sampled calls go. Outlives whoever has these options. nullptr: nowhere.
  traces::Exporter* exporter = nullptr;
  /// The share of calls that are sampled, of those whose callers say nothing about a trace. Only
  /// with an exporter.
  double trace_share = 0;
};

}  // namespace content
