#include "transfer/exports/markdown_html.h"

#include <cmark.h>

#include <cstdlib>
#include <memory>

#include "transfer/html/plain_text.h"

namespace content::transfer {

std::string MarkdownToHtml(absl::string_view markdown) {
  const std::unique_ptr<char, decltype(&std::free)> html(
      cmark_markdown_to_html(markdown.data(), markdown.size(),
                             CMARK_OPT_UNSAFE | CMARK_OPT_HARDBREAKS),
      std::free);
  return html.get();
}

std::string MarkdownToPlainText(absl::string_view markdown) {
  return HtmlToPlainText(MarkdownToHtml(markdown));
}

}  // namespace content::transfer
