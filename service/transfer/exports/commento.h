#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeCommento(absl::string_view head);

/// Reads an export of Commento or Commento++, version 1. Comments that were flagged, as well as
/// those that were not approved, are pending.
absl::Status ReadCommento(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
