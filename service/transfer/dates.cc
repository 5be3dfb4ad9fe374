#include "transfer/dates.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "transfer/written_date.h"

namespace content::transfer {
namespace {

constexpr int kMinYear = 1000;
constexpr char kDigits[] = "0123456789";

// What ParseWrittenDate does not read. In a format, a space matches any number of spaces.
constexpr const char* kFormats[] = {"%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p",
                                    "%d %b %Y %H:%M %Ez", "%d %b %Y %H:%M:%S %Ez"};

// Removes a day of the week such as "Thu, ".
absl::string_view WithoutWeekday(absl::string_view text) {
  const size_t comma = text.find(',');
  const size_t letters =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  if (comma == absl::string_view::npos || comma == 0 || letters != comma) return text;
  return absl::StripLeadingAsciiWhitespace(text.substr(comma + 1));
}

// Writes `2025/6/12` with hyphens, `08:30.000` without the fraction of a minute, and an offset of
// one digit such as ` -5` with two.
std::string Regular(absl::string_view text) {
  std::string regular(text);
  const size_t year_end = std::min(regular.find_first_not_of(kDigits), regular.size());
  if (year_end == 4 && regular.size() > 5 && regular[4] == '/') {
    regular[4] = '-';
    if (const size_t slash = regular.find('/', 5); slash != std::string::npos) regular[slash] = '-';
  }
  const size_t fraction = std::min(regular.find(':'), regular.size()) + 3;
  if (fraction < regular.size() && regular[fraction] == '.') {
    regular.erase(fraction, regular.find_first_not_of('0', fraction + 1) - fraction);
  }
  const size_t sign = regular.find_last_of("+-");
  if (sign != std::string::npos && sign + 2 == regular.size() && absl::StrContains(regular, ':')) {
    regular.insert(sign + 1, "0");
  }
  return regular;
}

bool ParseNumber(absl::string_view text, int& number) {
  return !text.empty() && text.find_first_not_of(kDigits) == absl::string_view::npos &&
         absl::SimpleAtoi(text, &number);
}

// Reads year, month and day from three texts of digits.
std::optional<absl::Time> DateOf(absl::string_view year_text, absl::string_view month_text,
                                 absl::string_view day_text) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (year_text.size() != 4 || month_text.size() > 2 || day_text.size() > 2 ||
      !ParseNumber(year_text, year) || !ParseNumber(month_text, month) ||
      !ParseNumber(day_text, day) || year < kMinYear) {
    return std::nullopt;
  }
  const absl::CivilDay date(year, month, day);
  if (date.month() != month || date.day() != day) return std::nullopt;  // such as February 30
  return absl::FromCivil(date, absl::UTCTimeZone());
}

}  // namespace

std::optional<absl::Time> ParseDate(absl::string_view text) {
  if (text.find_first_of(kDigits) == absl::string_view::npos) return std::nullopt;
  const std::string regular = Regular(absl::StripAsciiWhitespace(text));
  if (const auto date = ParseWrittenDate(regular)) return date->time;
  const absl::string_view without_weekday = WithoutWeekday(regular);
  for (const char* format : kFormats) {
    absl::Time time;
    std::string problem;
    if (!absl::ParseTime(format, without_weekday, &time, &problem)) continue;
    if (absl::ToCivilYear(time, absl::UTCTimeZone()).year() < kMinYear) return std::nullopt;
    return time;
  }
  return std::nullopt;
}

bool IsZeroDate(absl::string_view text) { return absl::StartsWith(text, "0001-01-01"); }

std::optional<absl::Time> FindDateInPath(absl::string_view path) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  for (size_t i = 0; i + 3 < parts.size(); ++i) {
    if (const auto date = DateOf(parts[i], parts[i + 1], parts[i + 2])) return date;
  }
  return std::nullopt;
}

std::optional<absl::Time> ConsumeDate(absl::string_view& name) {
  const size_t first = name.find('-');
  if (first == absl::string_view::npos) return std::nullopt;
  const size_t second = name.find('-', first + 1);
  if (second == absl::string_view::npos) return std::nullopt;
  const size_t end = std::min(name.find_first_not_of(kDigits, second + 1), name.size());
  const auto date = DateOf(name.substr(0, first), name.substr(first + 1, second - first - 1),
                           name.substr(second + 1, end - second - 1));
  if (!date) return std::nullopt;
  if (end == name.size()) {
    name = "";
  } else if (absl::StrContains("-_ ", name.substr(end, 1))) {
    name.remove_prefix(end + 1);
  } else {
    return std::nullopt;
  }
  return date;
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

}  // namespace content::transfer
