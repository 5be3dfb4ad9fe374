#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeGhost(absl::string_view head);

/// Reads an export of Ghost 0.x to 6. Pages are articles too. What is no longer or not yet public,
/// what was only sent by e-mail, and what only members see, are drafts. The picture of a post
/// becomes the beginning of its text. Ghost exports no comments.
absl::Status ReadGhost(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
