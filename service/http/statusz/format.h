#pragma once

#include <string>

#include "absl/time/time.h"

// How values are written for people.
namespace content::statusz {

/// A whole number, with groups of three digits: 1,234,567.
std::string Count(double value);

/// A number of events per second, such as 0.25 or 1,200; with three digits that count, at most.
std::string Rate(double value);

/// 512 B, 1.5 MiB.
std::string Bytes(double value);

/// A short time in seconds: 850 µs, 1.2 ms, 3.4 s.
std::string Seconds(double value);

/// Part of a whole, 0 to 1: 98.3 %. Only 0 and 1 are rounded to 0 % and 100 %.
std::string Percent(double ratio);

/// A long time in its two largest units: 3 d 4 h, 59 min 1 s.
std::string Age(absl::Duration duration);

/// A time in UTC: 14:02:11 if `now` is on the same day, otherwise 2026-11-28 14:02.
std::string Clock(absl::Time time, absl::Time now);

}  // namespace content::statusz
