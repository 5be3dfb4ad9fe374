#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

// Takes text apart into code points, which are ICU's UChar32.
namespace content {

/// Stands for a byte that is not part of UTF-8.
inline constexpr int32_t kMalformed = -1;

/// Returns the first code point of `text`, which must not be empty, and removes it.
int32_t TakeCharacter(absl::string_view& text);

/// The same with the last one.
int32_t TakeLastCharacter(absl::string_view& text);

/// Returns whether the general category of `character` is one of `mask`, such as U_GC_L_MASK.
bool IsOneOf(int32_t character, uint32_t mask);

}  // namespace content
