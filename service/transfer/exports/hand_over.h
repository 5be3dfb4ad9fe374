#pragma once

#include "absl/status/status.h"
#include "transfer/exports/export.h"

namespace content::transfer {

/// Hands a comment to the sink; refuses it if it lacks what every comment has: an id, a time, and a
/// body unless it is deleted. Returns what the sink does.
bool HandOver(ExportedComment comment, ExportSink& sink);

/// Makes the body of a comment plain text (ExportedComment::to_text), unless the comment is
/// deleted. A refusal (refusal.h) if there is no text in it.
absl::Status MakePlainText(ExportedComment& comment);

}  // namespace content::transfer
