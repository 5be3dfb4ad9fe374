#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "content/v1/content_service.pb.h"

namespace content::store {

/// What opens and closes a word that was searched for in a marked text. No text of ours holds them.
inline constexpr char kMarkStart = '\x01';
inline constexpr char kMarkEnd = '\x02';

/// A passage of a marked text (UTF-8) of at most 300 bytes: the one with the most different marked
/// words, the first of those; without any, the beginning. It begins and ends between words if it
/// can.
std::vector<v1::SnippetPart> MakeSnippet(absl::string_view marked_text);

}  // namespace content::store
