#pragma once

#include "config.h"
#include "content/publishing.h"

namespace content {

/// Publishes config.files one by one, and prints a line for each: to stdout what became of it, to
/// stderr why it failed. A file that fails does not keep the others from being imported. Returns
/// the process's exit status.
///
/// `publishing` is nullptr for a dry run, which only checks the files.
int ImportFiles(const Config& config, Publishing* publishing);

}  // namespace content
