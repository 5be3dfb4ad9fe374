#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace content::transfer {

/// Returns Markdown as HTML, with its own HTML in it and a break at each end of a line: as comment
/// systems and blogs show it. For eyes of our own readers of HTML only: nothing is cleaned up.
std::string MarkdownToHtml(absl::string_view markdown);

/// Returns the text of a comment in Markdown as plain text.
std::string MarkdownToPlainText(absl::string_view markdown);

}  // namespace content::transfer
