#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

/// Whether a file begins as an export of this service does, of any version (out/ndjson.h).
bool BeginsLikeNdjson(absl::string_view head);

/// Articles and comments keep what they had: ids, states and times. A line that cannot be read is
/// refused alone. It is an error if lines are missing, such as the last of an export that was cut
/// off.
absl::Status ReadNdjson(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
