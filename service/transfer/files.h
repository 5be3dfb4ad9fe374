#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The files of an import.
namespace content::transfer {

/// The path that stands for standard input.
inline constexpr absl::string_view kStandardInput = "-";

/// Tells a file from all others, whatever its names are.
struct FileId {
  dev_t device;
  ino_t number;

  bool operator==(const FileId&) const = default;

  template <class Hash>
  friend Hash AbslHashValue(Hash hash, const FileId& id) {
    return Hash::combine(std::move(hash), id.device, id.number);
  }
};

/// A file that was given, or that is in a folder that was given.
struct FoundFile {
  std::string path;
  /// The end of the path that may say something about an article in the file (file_name.h): from
  /// the folder that was given on or, if the file itself was given, from its own folder on. The
  /// folders above say nothing, unless all are parts of a date.
  std::string telling_path;
  /// Whether the user named this file, and not just its folder.
  bool is_given = true;
  /// nullopt if it could not be examined. Reading it will tell why.
  std::optional<FileId> id = std::nullopt;
  /// Why it is left out, such as "hidden"; empty if it is not. Folders are left out as a whole.
  std::string left_out = {};
};

/// Calls `visit` for every file of `paths`, and for those of folders among them, which may contain
/// folders. The order is always the same: that of the arguments, then that of the names' bytes;
/// links to files come last. Hidden files, leftovers of editors, folders in which sites have no
/// texts of their own (packages, templates, what was built), what Hugo only shows as a part of a
/// page, links to folders, what is no regular file, and what has been visited under another name
/// are left out. A folder that cannot be read is visited itself. Stops once `visit` returns false.
/// Keeps the names of one folder at a time, and of those above it, the links, and some 20 bytes for
/// each file.
void VisitFiles(const std::vector<std::string>& paths,
                absl::FunctionRef<bool(const FoundFile&)> visit);

/// Returns the id of a file, to which a link may lead, or of standard input. nullopt if there is
/// none.
std::optional<FileId> IdOfFile(const std::string& path);

/// Returns at most the first `max_bytes` bytes of a file or of standard input. NOT_FOUND if it
/// cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

}  // namespace content::transfer
