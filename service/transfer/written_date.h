#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

// Dates as people and programs write them.
namespace content::transfer {

struct WrittenDate {
  /// UTC, unless the text says otherwise.
  absl::Time time;
  /// The day of the week that the text gives, which may be the wrong one.
  std::optional<absl::Weekday> weekday;
};

/// Reads `2025-06-12`, RFC 3339, and dates in words in English, Portuguese, Spanish, German,
/// French, Dutch, Italian, Polish, Russian, Chinese, Japanese and Korean, such as `Thursday, June
/// 12, 2025`, `12 de junho de 2025`, `Mittwoch, den 3. März 2021 um 18:05 Uhr` and
/// `2025年6月12日木曜日`. The year has four digits. A time of day is optional. nullopt if `text` is
/// anything else, has more words, or can be read in two ways, as 12/06/2025 can.
std::optional<WrittenDate> ParseWrittenDate(absl::string_view text);

}  // namespace content::transfer
