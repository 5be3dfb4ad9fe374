#include "content/utf8.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstddef>

namespace content {

int32_t TakeCharacter(absl::string_view& text) {
  const char* const bytes = text.data();
  const size_t size = text.size();
  size_t taken = 0;
  UChar32 character = kMalformed;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
  U8_NEXT(bytes, taken, size, character);
#pragma GCC diagnostic pop
  text.remove_prefix(taken);
  return character < 0 ? kMalformed : character;
}

int32_t TakeLastCharacter(absl::string_view& text) {
  constexpr size_t kMaxBytes = 4;
  size_t begin = text.size() - 1;
  while (begin > 0 && text.size() - begin < kMaxBytes && U8_IS_TRAIL(text[begin])) --begin;
  absl::string_view last = text.substr(begin);
  const int32_t character = TakeCharacter(last);
  if (!last.empty()) {
    text.remove_suffix(1);
    return kMalformed;
  }
  text.remove_suffix(text.size() - begin);
  return character;
}

bool IsOneOf(int32_t character, uint32_t mask) { return (U_GET_GC_MASK(character) & mask) != 0; }

}  // namespace content
