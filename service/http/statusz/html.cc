#include "http/statusz/html.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "content/utf8.h"

namespace content::statusz {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

// Not controls, nor the marks that change the direction of the text after them.
bool IsShown(int32_t character) {
  static_assert(kMalformed < 0x20);
  const bool is_control = character < 0x20 || (character >= 0x7F && character <= 0x9F);
  const bool is_mark = character == 0x61C || character == 0x200E || character == 0x200F ||
                       (character >= 0x2028 && character <= 0x202E) ||
                       (character >= 0x2066 && character <= 0x2069);
  const bool is_in_xml = character != 0xFFFE && character != 0xFFFF;
  return !is_control && !is_mark && is_in_xml;
}

void AppendEscaped(std::string& markup, absl::string_view text) {
  while (!text.empty()) {
    const absl::string_view before = text;
    const int32_t character = TakeCharacter(text);
    if (character == '&') {
      markup += "&amp;";
    } else if (character == '<') {
      markup += "&lt;";
    } else if (character == '>') {
      markup += "&gt;";
    } else if (character == '"') {
      markup += "&quot;";
    } else {
      absl::StrAppend(&markup, IsShown(character) ? before.substr(0, before.size() - text.size())
                                                  : kReplacement);
    }
  }
}

// Returns the tag up to its end, which is > or />.
std::string OpenTag(absl::string_view name, const Attributes& attributes) {
  std::string tag = absl::StrCat("<", name);
  for (const auto& [key, value] : attributes) {
    absl::StrAppend(&tag, " ", key, "=\"");
    AppendEscaped(tag, value);
    tag += '"';
  }
  return tag;
}

}  // namespace

Html::Html(absl::string_view text) { AppendEscaped(markup_, text); }

Html Html::Verbatim(absl::string_view markup) {
  Html html;
  html.markup_ = std::string(markup);
  return html;
}

Html Element(absl::string_view name, const Attributes& attributes, const Html& content) {
  return Html::Verbatim(
      absl::StrCat(OpenTag(name, attributes), ">", content.markup(), "</", name, ">"));
}

Html EmptyElement(absl::string_view name, const Attributes& attributes) {
  return Html::Verbatim(absl::StrCat(OpenTag(name, attributes), "/>"));
}

}  // namespace content::statusz
