#include "transfer/html/plain_text.h"

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/text.h"
#include "transfer/block_markdown.h"
#include "transfer/html/blocks.h"
#include "transfer/html/cleaner.h"
#include "transfer/html/to_markdown.h"
#include "transfer/html/tree.h"
#include "transfer/inline_markdown.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// "https://harbour.example/" -> "harbour.example"
absl::string_view WithoutScheme(absl::string_view address) {
  if (const size_t end = address.find("://"); end != absl::string_view::npos) {
    address.remove_prefix(end + 3);
  }
  absl::ConsumeSuffix(&address, "/");
  return address;
}

// Returns whether readers see the address in a text, if perhaps not all of how it is encoded.
bool Shows(absl::string_view text, absl::string_view address) {
  return WithoutScheme(LinkAddress(text)) == WithoutScheme(address);
}

std::string WithAddress(absl::string_view text, const std::string& address) {
  if (!IsWebAddress(address) || Shows(text, address)) return std::string(text);
  return text.empty() ? address : absl::StrCat(text, " (", address, ")");
}

// A text that has no words is an emoji or a smiley.
std::string TextOfImage(const Run& image) {
  const bool is_sign = !image.text.empty() && CountWords(image.text) == 0;
  return is_sign ? image.text : WithAddress(image.text, image.image);
}

std::string TextOfRun(const Run& run) {
  switch (run.kind) {
    case Run::Kind::kImage:
      return TextOfImage(run);
    case Run::Kind::kBreak:
      return "\n";
    case Run::Kind::kStrike:
      return "~~";
    default:
      return run.text;
  }
}

std::string TextOfRuns(const Runs& runs) {
  std::string text;
  for (size_t i = 0; i < runs.size();) {
    const std::string& link = runs[i].link;
    std::string linked;
    for (; i < runs.size() && runs[i].link == link; ++i) linked.append(TextOfRun(runs[i]));
    text.append(WithAddress(linked, link));
  }
  return text;
}

std::string TextOfBlocks(const std::vector<Block>& blocks, absl::string_view separator);

std::string TextOfList(const Block& list) {
  std::string text;
  int number = list.first_number;
  for (const Block& item : list.children) {
    if (!text.empty()) text.append(list.is_loose ? "\n\n" : "\n");
    const std::string mark = list.is_ordered ? absl::StrCat(number++, ". ") : "- ";
    absl::StrAppend(&text, Indented(TextOfBlocks(item.children, list.is_loose ? "\n\n" : "\n"),
                                    mark, std::string(mark.size(), ' ')));
  }
  return text;
}

// The tree is never so deep that this recursion would need much stack.
std::string TextOfBlock(const Block& block) {
  switch (block.kind) {
    case Block::Kind::kParagraph:
    case Block::Kind::kHeading:
      return TextOfRuns(block.runs);
    case Block::Kind::kCode:
      return block.code;
    case Block::Kind::kBreak:
      return "* * *";
    case Block::Kind::kQuote:
      return Indented(TextOfBlocks(block.children, "\n\n"), "> ", "> ");
    case Block::Kind::kList:
      return TextOfList(block);
    case Block::Kind::kItem:
      return TextOfBlocks(block.children, "\n\n");
  }
  return "";
}

std::string TextOfBlocks(const std::vector<Block>& blocks, absl::string_view separator) {
  std::string text;
  for (const Block& block : blocks) {
    absl::StrAppend(&text, text.empty() ? "" : separator, TextOfBlock(block));
  }
  return text;
}

}  // namespace

std::string HtmlToPlainText(absl::string_view html) {
  std::optional<std::vector<Block>> blocks = BlocksOfPlainHtml(html);
  if (!blocks) blocks = BlocksOf(HtmlTree(CleanUp(html).html).body());
  RemoveIdleBreaks(*blocks);
  return TextOfBlocks(*blocks, "\n\n");
}

}  // namespace content::transfer
