#pragma once

#include <malloc.h>

#include <cstddef>
#include <string>

#include "content/article.h"

// How much heap memory things take, as malloc itself says.
namespace content::cache {

/// Bytes of the heap that `block` takes, malloc's header included; 0 for nullptr. `block` must be
/// where an allocation begins.
inline size_t HeapBytes(const void* block) {
  constexpr size_t kHeader = sizeof(size_t);
  return block == nullptr ? 0 : malloc_usable_size(const_cast<void*>(block)) + kHeader;
}

/// Bytes that a string takes outside of itself.
inline size_t HeapBytes(const std::string& text) {
  const bool is_inline = text.capacity() <= std::string().capacity();
  return is_inline ? 0 : HeapBytes(text.data());
}

/// Bytes that shared bytes take; 0 for nullptr.
inline size_t HeapBytes(const SharedBytes& bytes) {
  // std::make_shared puts the counts and the string into one block of 48 bytes, whose beginning
  // cannot be asked for. glibc takes 64 for it.
  constexpr size_t kCountsAndString = 64;
  return bytes == nullptr ? 0 : kCountsAndString + HeapBytes(*bytes);
}

}  // namespace content::cache
