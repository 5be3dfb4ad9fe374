#include "transfer/text/text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "content/text.h"
#include "transfer/block_markdown.h"
#include "transfer/text/footer.h"
#include "transfer/text/head.h"
#include "transfer/text/wrapped_text.h"

namespace content::transfer {
namespace {

std::vector<std::string> LinesOf(absl::string_view content) {
  return absl::StrSplit(absl::StrReplaceAll(content, {{"\u2028", "\n"}, {"\u2029", "\n\n"}}), '\n');
}

// `first_line` is the number of the first of `lines` in the file.
void AddFooter(const TextFooter& footer, const std::vector<std::string>& lines, size_t first_line,
               ParsedFile& file) {
  v1::Article& article = file.article;
  if (article.authors().empty() && !footer.author.empty()) {
    article.add_authors()->set_display_name(footer.author);
  }
  for (const std::string& tag : footer.tags) article.add_tags(tag);
  if (footer.begin == lines.size()) return;
  file.notes.push_back(absl::StrCat("left out what stands below the text, from line ",
                                    first_line + footer.begin, " on: \"",
                                    OneLine(lines[footer.begin]), "\""));
}

}  // namespace

ParsedFile ParseText(absl::string_view content) {
  std::vector<std::string> lines = LinesOf(content);
  ParsedFile file;
  const size_t begin = ReadHead(lines, file);
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(begin));
  const TextFooter footer = FindFooter(lines);
  AddFooter(footer, lines, begin + 1, file);
  lines.resize(footer.begin);
  file.article.set_body(BlocksInMarkdown(BlocksOfText(lines)));
  return file;
}

}  // namespace content::transfer
