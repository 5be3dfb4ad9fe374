#include "transfer/block_markdown.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace content::transfer {
namespace {

using Kind = Block::Kind;

std::string Markdown(const std::vector<Block>& blocks, bool is_tight, bool is_in_list);

// A heading is one line, and number signs at its end are no part of it.
std::string Heading(const Block& block) {
  Runs runs = block.runs;
  for (Run& run : runs) {
    if (run.kind == Run::Kind::kBreak) run = Run{.text = " "};
  }
  std::string text = InlineMarkdown(Paragraphs(runs).front());
  const size_t end = text.find_last_not_of('#');
  if (end != std::string::npos && end + 1 < text.size() && text[end] == ' ') {
    text.insert(end + 1, "\\");
  }
  return absl::StrCat(std::string(static_cast<size_t>(block.level), '#'), " ", text);
}

std::string Code(const Block& block) {
  const std::string fence(std::max(size_t{3}, LongestRowOfBackticks(block.code) + 1), '`');
  return absl::StrCat(fence, block.language, "\n", block.code, "\n", fence);
}

// Returns whether the parser needs a blank line to see where `block` ends and `next` begins.
bool NeedsBlankLine(const Block& block, const Block& next) {
  const bool ends_in_text =
      block.kind == Kind::kParagraph || block.kind == Kind::kQuote || block.kind == Kind::kList;
  if (!ends_in_text) return false;
  // Only lists that begin with 1 can follow a line of text.
  const bool is_odd_list = next.kind == Kind::kList && next.is_ordered && next.first_number != 1;
  return next.kind == Kind::kParagraph || is_odd_list ||
         (next.kind == block.kind && next.kind != Kind::kParagraph);
}

bool IsTight(const Block& list) {
  if (list.is_loose) return false;
  return std::all_of(list.children.begin(), list.children.end(), [](const Block& item) {
    const auto needs_line = [](const Block& a, const Block& b) { return NeedsBlankLine(a, b); };
    return std::adjacent_find(item.children.begin(), item.children.end(), needs_line) ==
           item.children.end();
  });
}

// `is_second`: whether the list follows another of its kind, from which its marks must differ.
std::string List(const Block& list, bool is_second) {
  const bool is_tight = IsTight(list);
  std::string text;
  int number = list.first_number;
  for (const Block& item : list.children) {
    if (!text.empty()) text.append(is_tight ? "\n" : "\n\n");
    const std::string mark = list.is_ordered ? absl::StrCat(number++, is_second ? ") " : ". ")
                             : is_second     ? "* "
                                             : "- ";
    absl::StrAppend(&text, Indented(Markdown(item.children, is_tight, /*is_in_list=*/true), mark,
                                    std::string(mark.size(), ' ')));
  }
  return text;
}

std::string Markdown(const Block& block, bool is_second_list, bool is_in_list) {
  switch (block.kind) {
    case Kind::kParagraph:
      return InlineMarkdown(block.runs);
    case Kind::kHeading:
      return Heading(block);
    case Kind::kCode:
      return Code(block);
    case Kind::kBreak:
      return is_in_list ? "___"
                        : "***";  // Asterisks after the mark of a list would be a part of it.
    case Kind::kQuote:
      return Indented(Markdown(block.children, /*is_tight=*/false, is_in_list), "> ", "> ");
    case Kind::kList:
      return List(block, is_second_list);
    case Kind::kItem:
      return Markdown(block.children, /*is_tight=*/false, is_in_list);
  }
  return "";
}

std::string Markdown(const std::vector<Block>& blocks, bool is_tight, bool is_in_list) {
  std::string text;
  bool is_second_list = false;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i > 0) {
      text.append(is_tight ? "\n" : "\n\n");
      const bool is_same_kind = blocks[i].kind == Kind::kList &&
                                blocks[i - 1].kind == Kind::kList &&
                                blocks[i].is_ordered == blocks[i - 1].is_ordered;
      is_second_list = is_same_kind && !is_second_list;
    }
    text.append(Markdown(blocks[i], is_second_list, is_in_list));
  }
  return text;
}

}  // namespace

std::string Indented(absl::string_view text, absl::string_view first, absl::string_view others) {
  std::string result;
  absl::string_view prefix = first;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!result.empty()) result.push_back('\n');
    absl::StrAppend(&result, line.empty() ? absl::StripTrailingAsciiWhitespace(prefix) : prefix,
                    line);
    prefix = others;
  }
  return result;
}

std::string BlocksInMarkdown(const std::vector<Block>& blocks) {
  return Markdown(blocks, /*is_tight=*/false, /*is_in_list=*/false);
}

}  // namespace content::transfer
