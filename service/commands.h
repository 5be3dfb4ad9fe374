#pragma once

#include "config.h"

// The subcommands. Each returns the process's exit status.
namespace content {

/// Serves until SIGTERM or SIGINT, which the caller must have blocked in every thread.
int Serve(const Config& config);

/// Brings the database's schema up to date.
int Migrate(const Config& config);

/// Publishes files as articles.
int Import(const Config& config);

}  // namespace content
