#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "content/rules.h"
#include "content/v1/article.pb.h"

// Turns files into articles. A format is one function in a file of its own and one entry in the
// table of importer.cc.
namespace content::importer {

/// The size of the largest file that is read: more than any valid article needs, and small enough
/// for every parser to be fast.
inline constexpr size_t kMaxFileBytes = size_t{2} * kMaxBodyBytes;

enum class Format { kText, kMarkdown };

/// Returns the format of a file by its name: `.md` and `.markdown` are Markdown, everything else is
/// text.
Format FormatOf(absl::string_view path);

/// Fields given on the command line, which override those of the file. Empty fields override
/// nothing.
struct Overrides {
  std::string title;
  std::string id;
};

struct ParsedArticle {
  /// Valid and complete (CompleteArticle). If no id was given, the name is derived from the title.
  v1::Article article;
  /// Whether the overrides or the file gave an id.
  bool id_given;
  /// Keys of the front matter that were not read.
  std::vector<std::string> ignored_keys;
};

/// Reads an article from the content of a file, which may be any bytes.
///
/// INVALID_ARGUMENT if that is not possible. The message is for people, has a line for each fault,
/// and names the line of the file, or the flag, where it can.
absl::StatusOr<ParsedArticle> Parse(absl::string_view content, Format format,
                                    const Overrides& overrides);

}  // namespace content::importer
