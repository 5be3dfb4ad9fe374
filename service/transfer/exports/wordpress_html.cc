#include "transfer/exports/wordpress_html.h"

#include <algorithm>
#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "content/text.h"
#include "transfer/exports/json_items.h"
#include "transfer/html/escape.h"
#include "transfer/html/plain_text.h"

namespace content::transfer {
namespace {

// Returns whether a tag of <pre>, in lower case, is one of WP-Syntax or GeSHi, which take all that
// is in it as it is, and its code is not what an editor has escaped nevertheless.
bool HoldsRawCode(absl::string_view tag, absl::string_view code) {
  const bool is_of_highlighter =
      (absl::StrContains(tag, " lang=") || absl::StrContains(tag, " line=")) &&
      !absl::StrContains(tag, " escaped=");
  const bool is_escaped = absl::StrContains(code, "&lt;") || absl::StrContains(code, "&gt;") ||
                          absl::StrContains(code, "&amp;");
  return is_of_highlighter && !is_escaped;
}

// The number of a footnote, by the id of the note.
using MarkedNotes = absl::flat_hash_map<std::string, std::string>;

// Reads `<sup data-fn="id" class="fn"><a href="#id">1</a></sup>`, which may be any <sup>.
std::string ReadMark(absl::string_view mark, MarkedNotes& marked) {
  constexpr absl::string_view kId = " data-fn=\"";
  const absl::string_view tag = mark.substr(0, mark.find('>'));
  const size_t id = tag.find(kId);
  if (id == absl::string_view::npos) return std::string(mark);
  const absl::string_view rest = tag.substr(id + kId.size());
  const std::string number = OneLine(HtmlToPlainText(mark));
  marked.try_emplace(std::string(rest.substr(0, rest.find('"'))), number);
  return absl::StrCat("<sup>", EscapedForHtml(number), "</sup>");
}

std::string WithPlainMarks(absl::string_view html, MarkedNotes& marked) {
  constexpr absl::string_view kEnd = "</sup>";
  std::string result;
  for (size_t at = html.find("<sup"); at != absl::string_view::npos; at = html.find("<sup")) {
    const size_t end = html.find(kEnd, at);
    if (end == absl::string_view::npos) break;
    const size_t next = end + kEnd.size();
    absl::StrAppend(&result, html.substr(0, at), ReadMark(html.substr(at, next - at), marked));
    html.remove_prefix(next);
  }
  return absl::StrCat(result, html);
}

// Returns the notes that have marks, as HTML.
std::string NotesOf(const JsonValue& notes, const MarkedNotes& marked) {
  std::string html;
  if (!notes.is_array()) return html;
  for (const JsonValue& note : notes) {
    const auto mark = marked.find(TextIn(note, "id"));
    if (mark == marked.end()) continue;
    absl::StrAppend(&html, "<p><sup>", EscapedForHtml(mark->second), "</sup> ",
                    TextIn(note, "content"), "</p>\n");
  }
  return html;
}

}  // namespace

std::string WithEscapedCode(absl::string_view html) {
  const std::string lower = absl::AsciiStrToLower(html);
  std::string result;
  size_t done = 0;
  for (size_t at = lower.find("<pre"); at != std::string::npos; at = lower.find("<pre", at + 1)) {
    const absl::string_view next = absl::string_view(lower).substr(at + 4, 1);
    if (next.empty() || !absl::StrContains("> \t\r\n", next)) continue;  // another name
    const size_t begin = lower.find('>', at);
    if (begin == std::string::npos) break;
    const absl::string_view tag = absl::string_view(lower).substr(at, begin - at);
    const size_t end = std::min(lower.find("</pre", begin), html.size());
    const absl::string_view code = html.substr(begin, end - begin);
    absl::StrAppend(&result, html.substr(done, begin - done));
    absl::StrAppend(&result, HoldsRawCode(tag, code)
                                 ? absl::StrCat(">", EscapedForHtml(code.substr(1)))
                                 : absl::StrReplaceAll(code, {{"<?", "&lt;?"}}));
    done = end;
    at = end - 1;
  }
  return absl::StrCat(result, html.substr(done));
}

std::string WithFootnotes(absl::string_view html, absl::string_view notes) {
  if (notes.empty()) return std::string(html);
  MarkedNotes marked;
  std::string result = WithPlainMarks(html, marked);
  const size_t block = result.find("<!-- wp:footnotes");
  if (block != std::string::npos) {
    result.insert(block, NotesOf(ParseJsonDocument(notes), marked));
  }
  return result;
}

}  // namespace content::transfer
