#pragma once

#include <iterator>
#include <random>
#include <string>

namespace content::testing {

/// Returns about `characters` random characters as UTF-8, many of them from scripts and symbols
/// that text processing treats specially. Without control characters and quotes.
inline std::string RandomText(std::mt19937& random, int characters) {
  constexpr char32_t kStarts[] = {0x20,   0xA0,   0x300,  0x370,  0x5D0,   0x600,  0x900,
                                  0xE00,  0x1100, 0x1780, 0x2000, 0x2100,  0x3040, 0x4E00,
                                  0xAC00, 0xFB00, 0xFE00, 0xFF00, 0x1F300, 0xE0000};
  std::string text;
  for (int i = 0; i < characters; ++i) {
    auto c = kStarts[random() % std::size(kStarts)] + static_cast<char32_t>(random() % 0x100);
    if (random() % 8 == 0) c = static_cast<char32_t>(random() % 0x110000);
    const bool is_surrogate = c >= 0xD800 && c < 0xE000;
    const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
    if (is_surrogate || is_control || c == '"') continue;
    const auto byte = [&text](char32_t value) { text.push_back(static_cast<char>(value)); };
    if (c < 0x80) {
      byte(c);
    } else if (c < 0x800) {
      byte(0xC0 | (c >> 6));
      byte(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      byte(0xE0 | (c >> 12));
      byte(0x80 | ((c >> 6) & 0x3F));
      byte(0x80 | (c & 0x3F));
    } else {
      byte(0xF0 | (c >> 18));
      byte(0x80 | ((c >> 12) & 0x3F));
      byte(0x80 | ((c >> 6) & 0x3F));
      byte(0x80 | (c & 0x3F));
    }
  }
  return text;
}

}  // namespace content::testing
