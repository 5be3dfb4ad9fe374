#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "content/export.h"
#include "transfer/files.h"
#include "transfer/out/ndjson.h"

namespace content::transfer {

enum class OutputFormat { kNdjson, kMarkdown };

struct OutputOptions {
  ExportQuery query = {};
  OutputFormat format = OutputFormat::kNdjson;
  /// A file (OutputFile) or, for Markdown, a folder (OutputFolder).
  std::string output = std::string(kStandardInput);
  /// For a line that shows the progress, on a terminal; nullptr: nobody looks.
  std::ostream* progress = nullptr;
  /// Returns true once the export shall end. Thread-safe.
  std::function<bool()> is_stopped = [] { return false; };
};

/// Writes what the store has (content/export.h), and blocks until that is done. Files of Markdown
/// have no comments. Leaves nothing behind after an error. CANCELLED if it was stopped;
/// FAILED_PRECONDITION if something else is where the output belongs; INTERNAL if it cannot be
/// written.
absl::StatusOr<ExportCounts> ExportAll(const OutputOptions& options, Exporting& store);

}  // namespace content::transfer
