#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// Markdown files of static-site generators.
namespace content::importer {

/// Reads a CommonMark text, with or without YAML front matter between two lines of `---` before it.
/// `content` is UTF-8 with lines ended by LF. Front matter in TOML or JSON is refused.
///
/// Front matter: `title`; `author` or `authors` (a name, a map of name, id and url, or a list of
/// those); `date` (`2025-06-12`, RFC 3339, or `2025-06-12 08:30:00 +0200`, seconds and offset left
/// out or not; UTC where no offset is given); `tags` (a list, or one string with commas or else
/// spaces between); `summary` or `description`; `language` or `lang`; `slug` or `id`. Of two names
/// for one thing the first wins; all other keys are ignored. What is not given stays empty in the
/// article, the title too. The body is kept as it is but for the blank lines around it. A file that
/// says `draft: true` or `published: false` is refused.
///
/// Errors: INVALID_ARGUMENT, naming the line.
absl::StatusOr<v1::Article> ParseMarkdown(absl::string_view content);

}  // namespace content::importer
