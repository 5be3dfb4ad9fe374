#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "content/article.h"

// How much memory things take, as glibc's malloc and libstdc++ have it.
namespace content::cache {

/// What malloc takes to give so many bytes.
constexpr size_t HeapBytes(size_t bytes) {
  constexpr size_t kHead = 8;
  constexpr size_t kAlignment = 16;
  constexpr size_t kSmallest = 32;
  return std::max(kSmallest, (bytes + kHead + kAlignment - 1) / kAlignment * kAlignment);
}

/// What a string has outside of itself.
inline size_t HeapBytes(const std::string& text) {
  constexpr size_t kInside = 15;
  return text.capacity() <= kInside ? 0 : HeapBytes(text.capacity() + 1);
}

/// What shared bytes take, with what counts their owners; nothing if there are none.
inline size_t HeapBytes(const SharedBytes& bytes) {
  constexpr size_t kControlBlock = 16;
  return bytes == nullptr ? 0 : HeapBytes(kControlBlock + sizeof(std::string)) + HeapBytes(*bytes);
}

}  // namespace content::cache
