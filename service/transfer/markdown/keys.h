#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Keys and values that the front matter of all generators shares.
namespace content::transfer {

/// Returns a key as it is compared: `publishDate`, `publish_date` and `PublishDate` are one.
std::string Folded(absl::string_view key);

bool IsYes(absl::string_view value);
bool IsNo(absl::string_view value);

/// Returns whether a generator that finds this in front matter would leave the page out, or show it
/// to few: `draft: true`, `published: false`, `status: private`.
bool MarksDraft(absl::string_view key, absl::string_view value);

}  // namespace content::transfer
