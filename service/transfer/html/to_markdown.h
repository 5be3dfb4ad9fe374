#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "transfer/block_markdown.h"

// Fragments of HTML, as blogs keep the texts of articles.
namespace content::transfer {

/// Returns the text of `html`, any UTF-8, as CommonMark. Links, emphasis, lists, quotes, code,
/// tables (html/blocks.h), images and headings stay, and text that looks like markup is escaped.
/// The result contains no HTML, only addresses that a reader may follow (web_address.h), and no
/// control characters. Empty if there is nothing to read. Adds notes on what readers saw and is
/// gone (html/cleaner.h). Takes linear time.
std::string HtmlToMarkdown(absl::string_view html, std::vector<std::string>& notes);

/// Removes breaks that separate nothing: those at both ends, and all but one of several in a row.
void RemoveIdleBreaks(std::vector<Block>& blocks);

}  // namespace content::transfer
