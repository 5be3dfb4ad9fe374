#pragma once

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"
#include "content/v1/content_service.pb.h"

namespace content::store {

/// A found word: the bytes [begin, end) of a text.
struct Mark {
  size_t begin;
  size_t end;
};

/// Returns a passage of at most 300 bytes from a text (UTF-8): the first one with the most distinct
/// marked words, or the beginning of the text if no word is marked. It begins and ends between
/// words where possible. `marks` are in order; they may overlap.
std::vector<v1::SnippetPart> MakeSnippet(absl::string_view text, const std::vector<Mark>& marks);

}  // namespace content::store
