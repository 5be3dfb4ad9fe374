#pragma once

#include <malloc.h>

#include <cstddef>
#include <string>

#include "content/article.h"

// Heap memory that objects use, as reported by malloc.
namespace content::cache {

/// Returns the size of the heap block `block` in bytes, including malloc's header; 0 for nullptr.
/// `block` must be the start of an allocation.
inline size_t HeapBytes(const void* block) {
  constexpr size_t kHeader = sizeof(size_t);
  return block == nullptr ? 0 : malloc_usable_size(const_cast<void*>(block)) + kHeader;
}

/// Returns the bytes that a string uses outside the string object.
inline size_t HeapBytes(const std::string& text) {
  const bool is_inline = text.capacity() <= std::string().capacity();
  return is_inline ? 0 : HeapBytes(text.data());
}

/// Returns the bytes that shared bytes use; 0 for nullptr.
inline size_t HeapBytes(const SharedBytes& bytes) {
  // std::make_shared puts the counts and the string into one block of 48 bytes, whose start is not
  // accessible. glibc uses 64 bytes for it.
  constexpr size_t kCountsAndString = 64;
  return bytes == nullptr ? 0 : kCountsAndString + HeapBytes(*bytes);
}

}  // namespace content::cache
