#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeMovableType(absl::string_view head);

/// Reads Movable Type's format, which many blogs export. Times have no zone: they are UTC.
/// Trackbacks are left out.
absl::Status ReadMovableType(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
