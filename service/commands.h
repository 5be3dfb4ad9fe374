#pragma once

#include "config.h"

// The subcommands. Each returns the process's exit status.
namespace content {

/// Serves until SIGTERM or SIGINT, which the caller has blocked in every thread.
int Serve(const Config& config);

int Migrate(const Config& config);

int Import(const Config& config);

}  // namespace content
