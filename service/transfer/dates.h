#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

// Dates as site generators write them.
namespace content::transfer {

/// Reads a date as ParseWrittenDate does, and in these forms of site generators:
///
///   2025/6/12 08:30, 2025-06-12 08:30 -5, 2025-06-12 00:10.000 +09:00, 2025-06-12 8:30 PM,
///   Thu, 12 Jun 2025 08:30:00 +0200
///
/// nullopt if the text is none of these. Years have four digits: `06-12-25` is no date.
std::optional<absl::Time> ParseDate(absl::string_view text);

/// Returns whether the text is the date that Go programs write if they have none:
/// 0001-01-01T00:00:00Z.
bool IsZeroDate(absl::string_view text);

/// Reads a date in the path of a page, `2025/06/12/` with anything around it. nullopt if there is
/// none.
std::optional<absl::Time> FindDateInPath(absl::string_view path);

/// Removes the date at the start of a file's name, `2025-06-12-name` or `2025-6-12_name`, and
/// returns it. Changes nothing and returns nullopt if there is none.
std::optional<absl::Time> ConsumeDate(absl::string_view& name);

google::protobuf::Timestamp ToTimestamp(absl::Time time);

}  // namespace content::transfer
