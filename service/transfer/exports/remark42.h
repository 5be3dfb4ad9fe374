#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

bool BeginsLikeRemark42(absl::string_view head);

/// Reads a backup of Remark42, JSON values that follow one another, of which the first is no
/// comment; also comments as its API answers them, in a list or a tree. The comments of people who
/// are blocked at the moment are deleted, as readers see them.
absl::Status ReadRemark42(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
