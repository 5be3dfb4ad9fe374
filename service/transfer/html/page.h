#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transfer/parsed_file.h"

// Pages and fragments of HTML.
namespace content::transfer {

/// Reads a saved page, or a file of an archive such as Medium's or Substack's. The article is what
/// the page marks as such (h-entry, articleBody, the classes that blogs use, <article>, <main>);
/// otherwise the part with most text in paragraphs. Title, authors, date, language, summary, tags
/// and source_uri are what the page says about itself (html/metadata.h), if it does. The body is as
/// in HtmlToMarkdown, without the title and what else surrounds the text. `content` is UTF-8 with
/// LF line ends.
///
/// The page may start with front matter, as in Jekyll and Hugo, which counts more than what it says
/// itself (markdown/markdown.h). INVALID_ARGUMENT if that cannot be read.
///
/// A page about a person, a list of Medium's, or a template of other pages is a fault. A draft of
/// Medium's or Pelican's is marked as one.
absl::StatusOr<ParsedFile> ParseHtml(absl::string_view content);

}  // namespace content::transfer
