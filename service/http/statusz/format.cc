#include "http/statusz/format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace content::statusz {
namespace {

// A value that is less than 1,000, with three digits that count, and without a fraction of zeros.
std::string ThreeDigits(double value) {
  const double size = std::fabs(value);
  const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  std::string text = absl::StrFormat("%.*f", decimals, value);
  if (decimals == 0) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

struct Unit {
  absl::string_view name;
  int64_t seconds;
};

}  // namespace

std::string Count(double value) {
  std::string digits = absl::StrFormat("%.0f", std::max(value, 0.0));
  for (size_t end = digits.size(); end > 3;) {
    end -= 3;
    digits.insert(end, 1, ',');
  }
  return digits;
}

std::string Rate(double value) { return value >= 999.5 ? Count(value) : ThreeDigits(value); }

std::string Bytes(double value) {
  constexpr std::array<absl::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return absl::StrCat(ThreeDigits(value), " ", kUnits[unit]);
}

std::string Seconds(double value) {
  if (value == 0) return "0 s";
  if (std::fabs(value) < 0.0009995) return absl::StrCat(ThreeDigits(value * 1e6), " µs");
  if (std::fabs(value) < 0.9995) return absl::StrCat(ThreeDigits(value * 1e3), " ms");
  return absl::StrCat(Rate(value), " s");
}

std::string Percent(double ratio) {
  const double percent = ratio * 100;
  if (percent > 0 && percent < 0.01) return "under 0.01 %";
  if (percent < 100 && percent > 99.99) return "over 99.99 %";
  // As many decimals as tell it from 0 % and 100 %.
  const double distance = std::min(percent, 100 - percent);
  const int decimals = distance == 0 ? 0 : distance < 1 ? 2 : 1;
  return absl::StrFormat("%.*f %%", decimals, percent);
}

std::string Age(absl::Duration duration) {
  constexpr std::array<Unit, 4> kUnits = {Unit{"d", 86'400}, Unit{"h", 3'600}, Unit{"min", 60},
                                          Unit{"s", 1}};
  const int64_t seconds = std::max<int64_t>(absl::ToInt64Seconds(duration), 0);
  size_t unit = 0;
  while (unit + 1 < kUnits.size() && seconds < kUnits[unit].seconds) ++unit;
  std::string text = absl::StrCat(seconds / kUnits[unit].seconds, " ", kUnits[unit].name);
  if (unit + 1 == kUnits.size()) return text;
  const int64_t rest = seconds % kUnits[unit].seconds / kUnits[unit + 1].seconds;
  if (rest > 0) absl::StrAppend(&text, " ", rest, " ", kUnits[unit + 1].name);
  return text;
}

std::string Clock(absl::Time time, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const bool is_today = absl::ToCivilDay(time, utc) == absl::ToCivilDay(now, utc);
  return absl::FormatTime(is_today ? "%H:%M:%S" : "%Y-%m-%d %H:%M", time, utc);
}

}  // namespace content::statusz
