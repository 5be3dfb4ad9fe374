#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "import/parsed_file.h"

// Markdown files as static-site generators use them.
namespace content::importer {

/// Reads a CommonMark text that may start with YAML front matter between two lines of `---`.
/// `content` is UTF-8 with LF line ends. Front matter in TOML or JSON is refused.
///
/// Keys of the front matter, all optional:
///   title
///   author, authors       a name, a map of name, id and url, or a list of these
///   date                  `2025-06-12`, RFC 3339, or `2025-06-12 08:30:00 +0200`; seconds and
///                         offset may be missing; UTC is the default
///   tags                  a list, or a string separated by commas or, without commas, by spaces
///   summary, description
///   language, lang
///   slug, id
/// The first of two names for a field wins. Other keys are ignored, and listed. A missing field
/// stays empty, even the title. The body is kept as it is, without the blank lines around it.
/// `draft: true` and `published: false` are faults.
///
/// INVALID_ARGUMENT if the front matter cannot be read at all, with a message that names the line.
absl::StatusOr<ParsedFile> ParseMarkdown(absl::string_view content);

}  // namespace content::importer
