#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeDisqus(absl::string_view head);

/// Reads an export of Disqus. Spam is left out, and so is what stands in deleted threads.
absl::Status ReadDisqus(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
