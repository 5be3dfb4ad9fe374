#include "content/uuid.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace content {
namespace {

constexpr absl::string_view kUuidShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

bool IsLowerHex(char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); }

// The 74 bits of a version 7 UUID that are not time or version: a counter that starts at random in
// every millisecond and is incremented by a random step, so that ids increase but cannot be guessed
// (RFC 9562, section 6.2, method 2).
class UuidSequence {
 public:
  std::array<uint8_t, 16> Next(int64_t now_ms) {
    std::array<uint8_t, 8> random{};
    // Ids that repeat or can be guessed are worse than an outage.
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) std::abort();
    uint64_t entropy = 0;
    for (uint8_t byte : random) entropy = (entropy << 8) | byte;

    const std::lock_guard lock(mutex_);
    if (now_ms > last_ms_) {
      last_ms_ = now_ms;
      high_ = (entropy >> 53) & 0x7ff;  // the counter's top bit stays free for increments
      low_ = entropy & kLowMask;
    } else {
      Advance((entropy & 0xffff'ffff) + 1);
    }
    return Encode();
  }

 private:
  static constexpr uint64_t kLowMask = (uint64_t{1} << 62) - 1;

  void Advance(uint64_t step) {
    low_ += step;
    if (low_ <= kLowMask) return;
    low_ &= kLowMask;
    if (++high_ <= 0xfff) return;
    high_ = 0;
    ++last_ms_;  // the counter is used up: borrow from the next millisecond
  }

  std::array<uint8_t, 16> Encode() const {
    const uint64_t upper = (static_cast<uint64_t>(last_ms_) << 16) | 0x7000 | high_;
    const uint64_t lower = (uint64_t{0b10} << 62) | low_;
    std::array<uint8_t, 16> bytes{};
    for (size_t i = 0; i < 8; ++i) {
      bytes[i] = static_cast<uint8_t>(upper >> (56 - 8 * i));
      bytes[8 + i] = static_cast<uint8_t>(lower >> (56 - 8 * i));
    }
    return bytes;
  }

  std::mutex mutex_;
  int64_t last_ms_ = 0;
  uint64_t high_ = 0;  // 12 bits
  uint64_t low_ = 0;   // 62 bits
};

}  // namespace

bool IsUuid(absl::string_view text) {
  return std::equal(text.begin(), text.end(), kUuidShape.begin(), kUuidShape.end(),
                    [](char c, char shape) { return shape == '-' ? c == '-' : IsLowerHex(c); });
}

std::string NewUuid(absl::Time now) {
  static UuidSequence sequence;
  const std::array<uint8_t, 16> bytes = sequence.Next(absl::ToUnixMillis(now));
  const std::string hex = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const absl::string_view h = hex;
  return absl::StrCat(h.substr(0, 8), "-", h.substr(8, 4), "-", h.substr(12, 4), "-",
                      h.substr(16, 4), "-", h.substr(20));
}

}  // namespace content
