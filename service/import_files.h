#pragma once

#include "config.h"
#include "content/store.h"
#include "stop_signals.h"

namespace content {

/// Publishes the articles of config.paths (transfer/importer.h), and prints what became of them.
/// SIGINT and SIGTERM end the import once all that went to the store is answered; a second one ends
/// the process. Returns the process's exit status.
///
/// `store` is nullptr for a dry run, which only checks the files.
int ImportFiles(const Config& config, Store* store, StopSignals& signals);

}  // namespace content
