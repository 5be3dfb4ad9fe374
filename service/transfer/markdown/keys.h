#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Keys and values that the front matter of all generators shares.
namespace content::transfer {

/// Returns a key as it is compared: `publishDate`, `publish_date` and `Publish Date` are one.
std::string Folded(absl::string_view key);

bool IsYes(absl::string_view value);
bool IsNo(absl::string_view value);

/// Returns whether a key says who may see a page, if anybody: `draft`, `status`, `password`.
bool SpeaksOfDraft(absl::string_view key);

/// Returns whether a generator that finds this in front matter would leave the page out, or show it
/// to few: `draft: true`, `published: false`, `status: private`. The value may have quotes and a
/// comment, as it stands in the file.
bool MarksDraft(absl::string_view key, absl::string_view value);

/// Returns whether a line does so in any language of front matter: `draft: true`, `draft = true`,
/// `"draft": true,`, `.. status: draft`.
bool IsMarkOfDraft(absl::string_view line);

}  // namespace content::transfer
