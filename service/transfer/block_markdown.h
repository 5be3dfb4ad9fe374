#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "transfer/inline_markdown.h"

// A text as a tree of blocks, and as CommonMark.
namespace content::transfer {

struct Block {
  enum class Kind { kParagraph, kHeading, kCode, kBreak, kQuote, kList, kItem };

  Kind kind = Kind::kParagraph;
  /// Of a paragraph or a heading: one of Paragraphs().
  Runs runs = {};
  /// Of a heading, its level from 1 to 6.
  int level = 1;
  /// Of code: its lines, and the language it is written in.
  std::string code = {};
  std::string language = {};
  /// Of a list: whether it is numbered, from which number, and whether its items have paragraphs
  /// rather than lines.
  bool is_ordered = false;
  int first_number = 1;
  bool is_loose = false;
  /// Of a quote, a list or an item.
  std::vector<Block> children = {};
};

/// Returns blocks as CommonMark, of which a parser makes the same blocks. Never contains HTML. The
/// tree must not be deep: this is recursive.
std::string BlocksInMarkdown(const std::vector<Block>& blocks);

/// Returns `text` with `first` before its first line and `others` before the rest, without blanks
/// at the end of lines that are empty.
std::string Indented(absl::string_view text, absl::string_view first, absl::string_view others);

}  // namespace content::transfer
