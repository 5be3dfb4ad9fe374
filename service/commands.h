#pragma once

#include "config.h"

// The subcommands. Each returns the process's exit status.
namespace content {

/// Serves until SIGTERM or SIGINT. Must be called before any other thread starts.
int Serve(const Config& config);

/// Brings the database's schema up to date, and prints the migrations applied.
int Migrate(const Config& config);

/// Publishes files as articles, or only checks them (--dry-run).
int Import(const Config& config);

/// Writes what the store has to a file, a folder or standard output.
int Export(const Config& config);

}  // namespace content
