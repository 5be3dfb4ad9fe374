#pragma once

#include "config.h"
#include "content/publishing.h"

namespace content {

/// Publishes config.files one by one, and prints a line for each: its outcome to stdout, or its
/// error to stderr. A file that fails does not stop the others. Returns the process's exit status.
///
/// `publishing` is nullptr for a dry run, which only checks the files.
int ImportFiles(const Config& config, Publishing* publishing);

}  // namespace content
