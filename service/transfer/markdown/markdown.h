#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transfer/parsed_file.h"

// Markdown files as static-site generators use them: Jekyll, Hugo, Hexo, Zola, Eleventy, Pelican.
namespace content::transfer {

/// Reads a CommonMark text that may start with front matter (markdown/front_matter.h). `content` is
/// UTF-8 with LF line ends.
///
/// Keys of the front matter, all optional, in any case, and with or without `-` and `_`:
///   title                 otherwise the first heading of the text
///   author, authors       a name, a map of name, id and url, or a list of these
///   date, publishDate, pubDate, pubDatetime, published, created         (see dates.h)
///   lastmod, updated, modDatetime       the update time; also the date, if there is no other
///   tags, tag, categories, category     lists, or text; all become tags
///   summary, description, excerpt
///   language, lang, locale
///   slug, permalink, url, path, id      the last part of it becomes the id
///   comments, comment, allow_comments, disable_comments     if they say so, comments are closed
///   aliases, alias, redirect_from       the last parts of these become former names
///   canonical_url         also an absolute permalink or url: where the article comes from
/// Zola's [taxonomies] are read too. The first of two names for a field wins. Other keys are
/// ignored, and listed. A missing field stays empty, and so is what is empty or double in a list.
/// The body is kept as it is, without the blank lines around it.
///
/// INVALID_ARGUMENT if the front matter cannot be read at all, with a message that names the line.
absl::StatusOr<ParsedFile> ParseMarkdown(absl::string_view content);

/// Reads the keys of the front matter that `content` may start with into `file`, and returns the
/// text that follows. Fails as ParseMarkdown does.
absl::StatusOr<absl::string_view> TakeFrontMatter(absl::string_view content, ParsedFile& file);

}  // namespace content::transfer
