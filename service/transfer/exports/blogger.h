#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

/// Exports of Blogger: the Atom file of until 2025, where a category says what kind an entry is,
/// and Takeout's feed.atom, where `blogger:type` does. Ids of comments are the same in both.
bool BeginsLikeBlogger(absl::string_view head);
absl::Status ReadBlogger(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
