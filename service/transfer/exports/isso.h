#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeIsso(absl::string_view head);

/// Reads a database of Isso's, or comments in its format for imports, JSON. The database must not
/// be in use.
absl::Status ReadIsso(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
