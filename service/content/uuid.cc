#include "content/uuid.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"

namespace content {
namespace {

constexpr absl::string_view kUuidShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

bool IsLowerHex(char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); }

// Returns a UUID with these bits, of which the version and the variant are replaced.
std::string Encode(uint64_t upper, uint64_t lower, uint64_t version) {
  upper = (upper & ~uint64_t{0xf000}) | version << 12;
  lower = (lower & ~(uint64_t{0b11} << 62)) | uint64_t{0b10} << 62;
  const auto hex = [](uint64_t bits) { return absl::StrCat(absl::Hex(bits, absl::kZeroPad16)); };
  const std::string h = hex(upper) + hex(lower);
  return absl::StrCat(h.substr(0, 8), "-", h.substr(8, 4), "-", h.substr(12, 4), "-",
                      h.substr(16, 4), "-", h.substr(20));
}

// The bits of a UUID of version 7 without version and variant. The first 12 of its 74 random bits
// hold a fraction of the millisecond, and the others a counter that starts at random and is
// incremented by a random step (RFC 9562, section 6.2, methods 3 and 2).
class Version7 {
 public:
  Version7(absl::Time time, uint64_t random)
      : ticks_(ToTicks(time)),
        counter_(random & (kCounterMask >> 1)) {}  // the top bit stays free for increments

  explicit Version7(absl::string_view uuid) {
    const std::string hex = absl::StrReplaceAll(uuid, {{"-", ""}});
    uint64_t upper = 0;
    uint64_t lower = 0;
    if (!absl::SimpleHexAtoi(hex.substr(0, 16), &upper) ||
        !absl::SimpleHexAtoi(hex.substr(16), &lower)) {
      std::abort();  // not a UUID
    }
    ticks_ = upper >> 16 << 12 | (upper & 0xfff);
    counter_ = lower & kCounterMask;
  }

  // Rounds up, as ToTicks rounds down.
  absl::Time time() const {
    const uint64_t micros = (ticks_ >> 12) * 1000 + (((ticks_ & 0xfff) * 1000 + 0xfff) >> 12);
    return absl::FromUnixMicros(static_cast<int64_t>(micros));
  }

  void Advance(uint64_t random) {
    counter_ += (random & 0xffff'ffff) + 1;
    if (counter_ > kCounterMask) ++ticks_;  // the counter is used up: borrow from the time
    counter_ &= kCounterMask;
  }

  // The next of all times, with these bits.
  Version7 InNextTick(uint64_t bits) const {
    Version7 next = *this;
    ++next.ticks_;
    next.counter_ = bits & (kCounterMask >> 1);
    return next;
  }

  std::string Text() const { return Encode(ticks_ >> 12 << 16 | (ticks_ & 0xfff), counter_, 7); }

 private:
  static constexpr uint64_t kCounterMask = (uint64_t{1} << 62) - 1;

  static uint64_t ToTicks(absl::Time time) {
    const auto micros = static_cast<uint64_t>(absl::ToUnixMicros(time));
    return micros / 1000 << 12 | (micros % 1000 << 12) / 1000;
  }

  uint64_t ticks_ = 0;  // since 1970, 4096 in a millisecond
  uint64_t counter_ = 0;
};

}  // namespace

bool IsUuid(absl::string_view text) {
  return std::equal(text.begin(), text.end(), kUuidShape.begin(), kUuidShape.end(),
                    [](char c, char shape) { return shape == '-' ? c == '-' : IsLowerHex(c); });
}

bool IsUuidV7(absl::string_view text) {
  constexpr size_t kVersion = 14;
  constexpr size_t kVariant = 19;
  return IsUuid(text) && text[kVersion] == '7' &&
         absl::string_view("89ab").find(text[kVariant]) != absl::string_view::npos;
}

uint64_t RandomBits() {
  std::array<uint8_t, 8> random{};
  // Ids that repeat or can be guessed are worse than an outage.
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) std::abort();
  uint64_t bits = 0;
  for (uint8_t byte : random) bits = (bits << 8) | byte;
  return bits;
}

std::string NewUuid() { return Encode(RandomBits(), RandomBits(), 4); }

std::string TimedUuids::Next() {
  last_ = last_.empty() ? Version7(time_, RandomBits()).Text() : UuidAfter(last_);
  return last_;
}

absl::Time TimeOfUuid(absl::string_view uuid) { return Version7(uuid).time(); }

std::string FirstUuidAt(absl::Time time) {
  const absl::Time end = absl::FromCivil(absl::CivilYear(10'000), absl::UTCTimeZone());
  return Version7(std::clamp(time, absl::UnixEpoch(), end), /*random=*/0).Text();
}

std::string UuidAfter(absl::string_view uuid) {
  Version7 next(uuid);
  next.Advance(RandomBits());
  return next.Text();
}

std::string UuidOf(absl::Time time, uint64_t bits) { return Version7(time, bits).Text(); }

std::string UuidOfNextTick(absl::string_view uuid, uint64_t bits) {
  return Version7(uuid).InNextTick(bits).Text();
}

}  // namespace content
