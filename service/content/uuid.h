#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Functions that need random bytes terminate the process if the system cannot provide any. They are
// thread-safe.
namespace content {

/// The UUID of no object (RFC 9562, section 5.9).
inline constexpr absl::string_view kNilUuid = "00000000-0000-0000-0000-000000000000";

/// Returns whether `text` is a UUID in canonical form: lower-case hexadecimal, 8-4-4-4-12.
bool IsUuid(absl::string_view text);

/// Returns whether `text` is a UUID of version 7 (RFC 9562, section 5.7) in canonical form.
bool IsUuidV7(absl::string_view text);

/// Returns random bits that cannot be guessed.
uint64_t RandomBits();

/// Returns a new random UUID (version 4; RFC 9562, section 5.4).
std::string NewUuid();

/// Makes UUIDs of version 7 (RFC 9562, section 5.7) that increase and carry one time, to a quarter
/// of a microsecond. Those of other sequences sort before or after them by their times. Not
/// thread-safe.
class TimedUuids {
 public:
  explicit TimedUuids(absl::Time time) : time_(time) {}

  std::string Next();

 private:
  absl::Time time_;
  std::string last_;  // empty before the first
};

/// Returns the time that a UUID of version 7 carries, in whole microseconds.
absl::Time TimeOfUuid(absl::string_view uuid);

/// Returns the UUID that sorts before those of version 7 that carry `time` or a later one, and
/// after those of earlier times. Takes times from 1970 to 9999; others count as the nearest of
/// these.
std::string FirstUuidAt(absl::Time time);

/// Returns a new UUID that is the next after `uuid`, of version 7, for all practical purposes, but
/// cannot be guessed.
std::string UuidAfter(absl::string_view uuid);

/// Returns a UUID of version 7 that carries `time`, which must be in the years 1970 to 9999, and
/// has `bits` instead of random ones. UUIDs with the same bits are alike in their last
/// kUuidBitsLength characters. Thread-safe.
std::string UuidOf(absl::Time time, uint64_t bits);
inline constexpr size_t kUuidBitsLength = 17;

/// The same, but with the time that follows that of `uuid`, of version 7: a quarter of a
/// microsecond later.
std::string UuidOfNextTick(absl::string_view uuid, uint64_t bits);

}  // namespace content
