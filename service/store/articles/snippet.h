#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "content/v1/content_service.pb.h"

namespace content::store {

/// These characters enclose each found word in a marked text. No stored text contains them.
inline constexpr char kMarkStart = '\x01';
inline constexpr char kMarkEnd = '\x02';

/// Returns a passage of at most 300 bytes from a marked text (UTF-8): the first one with the most
/// distinct marked words, or the beginning of the text if no word is marked. It begins and ends
/// between words where possible.
std::vector<v1::SnippetPart> MakeSnippet(absl::string_view marked_text);

}  // namespace content::store
