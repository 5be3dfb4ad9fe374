#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The files of an import.
namespace content::transfer {

/// The path that stands for standard input.
inline constexpr absl::string_view kStandardInput = "-";

/// A file that was given, or that is in a folder that was given.
struct FoundFile {
  std::string path;
  /// Whether the user named this file, and not just its folder.
  bool is_given = true;
  /// Why it is left out, such as "hidden"; empty if it is not. Folders are left out as a whole.
  std::string left_out = {};
};

/// Calls `visit` for every file of `paths`, and for those of folders among them, which may contain
/// folders. The order is always the same: that of the arguments, then that of the names' bytes.
/// Hidden files, links to folders and what is no regular file are left out. A folder that cannot be
/// read is visited itself. Stops once `visit` returns false. Keeps the names of one folder at a
/// time, and of those above it.
void VisitFiles(const std::vector<std::string>& paths,
                absl::FunctionRef<bool(const FoundFile&)> visit);

/// Returns at most the first `max_bytes` bytes of a file or of standard input. NOT_FOUND if it
/// cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

}  // namespace content::transfer
