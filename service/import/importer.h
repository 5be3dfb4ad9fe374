#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// Files -> articles. A format is one function in a file of its own and one entry in the table of
// importer.cc.
namespace content::importer {

enum class Format { kText, kMarkdown };

/// The format a file's name stands for: `.md` and `.markdown` are Markdown, all else is text.
Format FormatOf(absl::string_view path);

/// What the command line says about a file, which wins over what the file says. Empty: nothing.
struct Overrides {
  std::string title;
  std::string id;
};

struct ParsedArticle {
  /// Complete and valid by the content room's rules, as CompleteArticle leaves it: without an id of
  /// its own its name is made of the title.
  v1::Article article;
  /// Whether the overrides or the file said which article this is.
  bool id_given;
};

/// Reads an article out of a file's content, which may be any bytes.
///
/// Errors: INVALID_ARGUMENT, saying in a sentence for people what is wrong and, where it can, in
/// which line.
absl::StatusOr<ParsedArticle> Parse(absl::string_view content, Format format,
                                    const Overrides& overrides);

}  // namespace content::importer
