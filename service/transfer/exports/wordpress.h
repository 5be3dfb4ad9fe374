#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"

namespace content::transfer {

/// Exports of WordPress (WXR, all versions). Posts and pages come in; attachments, menus and other
/// types of their own do not. Names of authors are those that the blog shows, never logins.
bool BeginsLikeWordPress(absl::string_view head);
absl::Status ReadWordPress(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
