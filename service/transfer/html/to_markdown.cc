#include "transfer/html/to_markdown.h"

#include <algorithm>

#include "transfer/html/blocks.h"
#include "transfer/html/cleaner.h"
#include "transfer/html/tree.h"

namespace content::transfer {

std::string HtmlToMarkdown(absl::string_view html, std::vector<std::string>& notes) {
  const CleanHtml clean = CleanUp(html);
  notes.insert(notes.end(), clean.notes.begin(), clean.notes.end());
  const HtmlTree tree(clean.html);
  std::vector<Block> blocks = BlocksOf(tree.body());
  RemoveIdleBreaks(blocks);
  return BlocksInMarkdown(blocks);
}

void RemoveIdleBreaks(std::vector<Block>& blocks) {
  const auto is_break = [](const Block& block) { return block.kind == Block::Kind::kBreak; };
  const auto are_breaks = [&](const Block& a, const Block& b) {
    return is_break(a) && is_break(b);
  };
  blocks.erase(std::unique(blocks.begin(), blocks.end(), are_breaks), blocks.end());
  if (!blocks.empty() && is_break(blocks.back())) blocks.pop_back();
  if (!blocks.empty() && is_break(blocks.front())) blocks.erase(blocks.begin());
}

}  // namespace content::transfer
