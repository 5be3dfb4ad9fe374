#pragma once

#include "transfer/exports/export.h"

namespace content::transfer {

/// Hands a comment to the sink; refuses it if it lacks what every comment has: an id, a time, and a
/// text unless it is deleted. Returns what the sink does.
bool HandOver(ExportedComment comment, ExportSink& sink);

}  // namespace content::transfer
