#pragma once

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace content::transfer {

/// Returns whether a text is one of `texts`.
inline bool IsAmong(absl::Span<const absl::string_view> texts, absl::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// Returns whether a text is one of `texts`, in any case.
template <class Texts>
bool IsAmongIgnoringCase(const Texts& texts, absl::string_view text) {
  return std::any_of(std::begin(texts), std::end(texts), [text](absl::string_view other) {
    return absl::EqualsIgnoreCase(other, text);
  });
}

}  // namespace content::transfer
