#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeWordPress(absl::string_view head);
absl::Status ReadWordPress(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
