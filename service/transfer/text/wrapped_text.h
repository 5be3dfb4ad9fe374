#pragma once

#include <string>
#include <vector>

#include "transfer/block_markdown.h"

// Plain text in lines that were broken at some width.
namespace content::transfer {

/// Returns the paragraphs that `lines` consist of.
///
/// Lines of prose are joined, whatever stands between them. Where paragraphs end is told by blank
/// lines, by indented first lines, and by lines that stop although the next word would have fitted.
/// Where lines were not broken at a width and no blank line is, each is a paragraph. Verse,
/// addresses and other lines that stop early stay lines; columns and code, indented or between
/// fences, become blocks of code, and lines after `>` a quote. An item of a list is a paragraph. A
/// line that is underlined with `---`, `===` or `~~~` becomes a heading, and each of the usual
/// signs between sections, such as `* * *`, a break.
///
/// No space comes between characters that are written without, as in Chinese, or after a hyphen or
/// a dash at the end of a line.
std::vector<Block> BlocksOfText(const std::vector<std::string>& lines);

}  // namespace content::transfer
