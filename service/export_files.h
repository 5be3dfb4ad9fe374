#pragma once

#include "config.h"
#include "content/export.h"
#include "stop_signals.h"

namespace content {

/// Writes what the store has, as config.exporting says (transfer/out/exporter.h), and says on
/// standard error how much that was. SIGINT and SIGTERM end the export; a second one ends the
/// process. Returns the process's exit status.
int ExportFiles(const Config& config, Exporting& store, StopSignals& signals);

}  // namespace content
