#include "transfer/exports/beginning.h"

#include <cmark.h>

#include <cstddef>
#include <memory>

#include "absl/strings/str_cat.h"
#include "content/text.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxCharacters = 60;
// More than enough, whatever the markup.
constexpr size_t kEnoughBytes = 16'384;

}  // namespace

std::string BeginningOf(absl::string_view body) {
  body = body.substr(0, kEnoughBytes);
  const std::unique_ptr<cmark_node, decltype(&cmark_node_free)> document(
      cmark_parse_document(body.data(), body.size(), CMARK_OPT_DEFAULT), &cmark_node_free);
  const std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> iterator(
      cmark_iter_new(document.get()), &cmark_iter_free);
  std::string text;
  while (text.size() < kEnoughBytes && cmark_iter_next(iterator.get()) != CMARK_EVENT_DONE) {
    cmark_node* const node = cmark_iter_get_node(iterator.get());
    const cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) {
      text += cmark_node_get_literal(node);
    } else if (type != CMARK_NODE_EMPH && type != CMARK_NODE_STRONG) {
      text += ' ';
    }
  }
  std::string line = OneLine(text);
  const absl::string_view words = FirstCharacters(line, kMaxCharacters);
  if (words.size() == line.size()) return line;
  return absl::StrCat(words.substr(0, words.find_last_of(' ')), "…");
}

}  // namespace content::transfer
