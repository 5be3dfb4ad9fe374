#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace content::transfer {

/// Returns HTML in which blogs keep paragraphs as blank lines and breaks as line ends, as HTML that
/// says so with tags, as WordPress shows it (wpautop). Takes linear time.
std::string WithParagraphs(absl::string_view html);

/// Returns such HTML as plain text (html/plain_text.h). Text without markup stays as it is.
std::string PlainTextOfLines(absl::string_view html);

}  // namespace content::transfer
