#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeDevto(absl::string_view head);

/// Reads an article of dev.to, or a list of them: answers of its API, and articles.json of its
/// export.
absl::Status ReadDevto(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
