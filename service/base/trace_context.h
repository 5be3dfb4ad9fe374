#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace content {

/// Where a call belongs in a trace, which may lead through many services
/// (https://www.w3.org/TR/trace-context/).
struct TraceContext {
  /// 32 lower-case hexadecimal digits, not all 0.
  std::string trace_id;
  /// The caller's span: 16 lower-case hexadecimal digits, not all 0. Empty if the trace begins
  /// here.
  std::string parent_id;
  /// Whether the trace is recorded, as whoever began it has decided.
  bool is_sampled = false;
};

/// Returns what a header `traceparent` says; nullopt unless it is valid. Of versions after 00, it
/// reads what these have in common with 00.
std::optional<TraceContext> ParseTraceparent(absl::string_view header);

}  // namespace content
