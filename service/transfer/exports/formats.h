#pragma once

#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"
#include "transfer/parse.h"

// The formats of exports: one reader each.
namespace content::transfer {

struct ExportFormat {
  /// As --format takes it. The ids of comments are made of it.
  absl::string_view name;
  /// Returns whether a file begins like an export of this format. `head` may be cut anywhere.
  bool (*begins)(absl::string_view head);
  ExportReader read;
};

/// What a file is: one article, or an export.
using FileFormat = std::variant<Format, const ExportFormat*>;

const std::vector<ExportFormat>& ExportFormats();

/// Returns the format of a file by its beginning (ExportFile::kHeadBytes); nullptr if it is no
/// export.
const ExportFormat* RecognizeExport(absl::string_view head);

}  // namespace content::transfer
