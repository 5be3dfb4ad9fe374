#pragma once

#include <iterator>
#include <random>
#include <string>

namespace content::testing {

/// Appends a character in UTF-8.
inline void AppendCharacter(char32_t character, std::string& text) {
  const auto byte = [&text](char32_t value) { text.push_back(static_cast<char>(value)); };
  if (character < 0x80) {
    byte(character);
  } else if (character < 0x800) {
    byte(0xC0 | (character >> 6));
    byte(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    byte(0xE0 | (character >> 12));
    byte(0x80 | ((character >> 6) & 0x3F));
    byte(0x80 | (character & 0x3F));
  } else {
    byte(0xF0 | (character >> 18));
    byte(0x80 | ((character >> 12) & 0x3F));
    byte(0x80 | ((character >> 6) & 0x3F));
    byte(0x80 | (character & 0x3F));
  }
}

/// Returns about `characters` random characters as UTF-8, many of them from scripts and symbols
/// that text processing treats specially, and digits with letters as in numbers and hashes. Without
/// control characters and quotes.
inline std::string RandomText(std::mt19937& random, int characters) {
  constexpr char32_t kStarts[] = {0x20,   0xA0,   0x300,  0x370,  0x5D0,   0x600,  0x900,
                                  0xE00,  0x1100, 0x1780, 0x2000, 0x2100,  0x3040, 0x4E00,
                                  0xAC00, 0xFB00, 0xFE00, 0xFF00, 0x1F300, 0xE0000};
  constexpr char kHashes[] = "0123456789abcdefx";
  std::string text;
  for (int i = 0; i < characters; ++i) {
    if (random() % 10 == 0) {
      for (size_t j = random() % 10; j > 0; --j) text += kHashes[random() % 17];
      continue;
    }
    auto c = kStarts[random() % std::size(kStarts)] + static_cast<char32_t>(random() % 0x100);
    if (random() % 8 == 0) c = static_cast<char32_t>(random() % 0x110000);
    const bool is_surrogate = c >= 0xD800 && c < 0xE000;
    const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
    if (is_surrogate || is_control || c == '"') continue;
    AppendCharacter(c, text);
  }
  return text;
}

}  // namespace content::testing
