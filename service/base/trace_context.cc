#include "base/trace_context.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_split.h"

namespace content {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr size_t kVersionDigits = 2;
constexpr size_t kTraceIdDigits = 32;
constexpr size_t kParentIdDigits = 16;
constexpr size_t kFlagsDigits = 2;
constexpr size_t kHeaderBytes =
    kVersionDigits + 1 + kTraceIdDigits + 1 + kParentIdDigits + 1 + kFlagsDigits;

bool IsHex(absl::string_view text, size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsId(absl::string_view text, size_t digits) {
  return IsHex(text, digits) && text.find_first_not_of('0') != absl::string_view::npos;
}

// The lowest bit of the flags, which end with this digit.
bool IsSampled(char digit) {
  const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
  return value % 2 == 1;
}

// A later version may go on after the flags, but only with another `-`.
bool HasRightLength(absl::string_view header) {
  if (header.size() == kHeaderBytes) return true;
  const bool is_version_00 = header.substr(0, kVersionDigits) == "00";
  return header.size() > kHeaderBytes && !is_version_00 && header[kHeaderBytes] == '-';
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(absl::string_view header) {
  if (!HasRightLength(header)) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(header.substr(0, kHeaderBytes), '-');
  const bool is_valid = parts.size() == 4 && IsHex(parts[0], kVersionDigits) && parts[0] != "ff" &&
                        IsId(parts[1], kTraceIdDigits) && IsId(parts[2], kParentIdDigits) &&
                        IsHex(parts[3], kFlagsDigits);
  if (!is_valid) return std::nullopt;
  return TraceContext{.trace_id = std::string(parts[1]),
                      .parent_id = std::string(parts[2]),
                      .is_sampled = IsSampled(parts[3].back())};
}

}  // namespace content
