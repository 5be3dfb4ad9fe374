#include "transfer/exports/paragraphs.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "transfer/html/plain_text.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxOpen = 100;

using ElementNames = std::initializer_list<absl::string_view>;

// Elements whose text is in paragraphs of its own.
constexpr ElementNames kContainers = {"article", "aside",  "blockquote", "center", "details", "div",
                                      "figure",  "footer", "header",     "main",   "section"};
// Other elements that end a paragraph.
constexpr ElementNames kOtherBlocks = {
    "address",    "caption", "col", "colgroup", "dd",  "dl",    "dt", "fieldset",
    "figcaption", "form",    "h1",  "h2",       "h3",  "h4",    "h5", "h6",
    "hr",         "legend",  "li",  "menu",     "nav", "ol",    "p",  "summary",
    "table",      "tbody",   "td",  "tfoot",    "th",  "thead", "tr", "ul"};
// Elements that keep their text as it is.
constexpr ElementNames kVerbatimTags = {"pre", "script", "style", "svg", "textarea"};

bool HasName(absl::string_view name, ElementNames names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Returns the size of the tag that `html` begins with; 0 if it does not end.
size_t SizeOfTag(absl::string_view html) {
  char quote = '\0';
  for (size_t i = 1; i < html.size(); ++i) {
    const char c = html[i];
    if (quote == '\0' && c == '>') return i + 1;
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    }
  }
  return 0;
}

// Takes a tag or a comment off the front, or a sign that begins none. What does not end takes all
// the rest with it, so that nothing is looked at twice.
absl::string_view TakeMarkup(absl::string_view& html) {
  size_t size = 1;
  if (absl::StartsWith(html, "<!--")) {
    const size_t end = html.find("-->");
    size = end == absl::string_view::npos ? html.size() : end + 3;
  } else if (html.size() > 1 &&
             (absl::ascii_isalpha(static_cast<unsigned char>(html[1])) || html[1] == '/')) {
    size = SizeOfTag(html);
    if (size == 0) size = html.size();
  }
  const absl::string_view token = html.substr(0, size);
  html.remove_prefix(size);
  return token;
}

// "</Div>" -> "div"
std::string NameInTag(absl::string_view tag) {
  absl::ConsumePrefix(&tag, "<");
  absl::ConsumePrefix(&tag, "/");
  const auto* const end = std::find_if_not(tag.begin(), tag.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c));
  });
  return absl::AsciiStrToLower(tag.substr(0, static_cast<size_t>(end - tag.begin())));
}

class ParagraphWriter {
 public:
  void AddText(absl::string_view text) { flow_.append(text.data(), text.size()); }

  void AddBlockTag(absl::string_view tag, const std::string& name) {
    EndFlow();
    absl::StrAppend(&html_, tag);
    if (absl::EndsWith(tag, "/>") || name == "hr" || name == "col") return;
    if (!absl::StartsWith(tag, "</")) {
      if (open_.size() < kMaxOpen) open_.push_back(name);
      return;
    }
    const auto opened = std::find(open_.rbegin(), open_.rend(), name);
    if (opened != open_.rend()) open_.erase(std::next(opened).base(), open_.end());
  }

  void AddVerbatim(absl::string_view html) {
    EndFlow();
    absl::StrAppend(&html_, html);
  }

  std::string Finish() {
    EndFlow();
    return std::move(html_);
  }

 private:
  // Writes the text since the last tag of a block.
  void EndFlow() {
    const bool has_paragraphs = open_.empty() || HasName(open_.back(), kContainers);
    std::string paragraph;
    for (absl::string_view line : absl::StrSplit(flow_, '\n')) {
      line = absl::StripAsciiWhitespace(line);
      if (!line.empty()) {
        absl::StrAppend(&paragraph, paragraph.empty() ? "" : "<br>\n", line);
      } else if (!paragraph.empty()) {
        EndParagraph(paragraph, has_paragraphs ? "" : "<br>\n<br>\n", has_paragraphs);
      }
    }
    if (!paragraph.empty()) EndParagraph(paragraph, "", has_paragraphs);
    flow_.clear();
  }

  void EndParagraph(std::string& text, absl::string_view end, bool has_paragraphs) {
    absl::StrAppend(&html_, has_paragraphs ? "<p>" : "", text, has_paragraphs ? "</p>\n" : end);
    text.clear();
  }

  std::string html_;
  std::string flow_;
  std::vector<std::string> open_;  // the blocks that are open, from the outside in
};

}  // namespace

std::string WithParagraphs(absl::string_view html) {
  const std::string text = absl::StrReplaceAll(html, {{"\r\n", "\n"}, {"\r", "\n"}});
  const std::string lower = absl::AsciiStrToLower(text);
  absl::string_view rest = text;
  ParagraphWriter writer;
  while (!rest.empty()) {
    const size_t tag = std::min(rest.find('<'), rest.size());
    writer.AddText(rest.substr(0, tag));
    rest.remove_prefix(tag);
    if (rest.empty()) break;
    const absl::string_view from_here = rest;
    const absl::string_view token = TakeMarkup(rest);
    const std::string name = NameInTag(token);
    if (HasName(name, kVerbatimTags) && !absl::StartsWith(token, "</")) {
      const size_t begin = text.size() - rest.size();
      const size_t end = lower.find(absl::StrCat("</", name), begin);
      rest.remove_prefix(std::min(end, text.size()) - begin);
      if (!rest.empty()) TakeMarkup(rest);
      writer.AddVerbatim(from_here.substr(0, from_here.size() - rest.size()));
    } else if (HasName(name, kContainers) || HasName(name, kOtherBlocks)) {
      writer.AddBlockTag(token, name);
    } else if (!absl::StartsWith(token, "<!--")) {
      writer.AddText(token);
    }
  }
  return writer.Finish();
}

std::string PlainTextOfLines(absl::string_view html) {
  // Most comments are like this, and the parser is what takes the time.
  if (html.find_first_of("<&") == absl::string_view::npos) return std::string(html);
  return HtmlToPlainText(WithParagraphs(html));
}

}  // namespace content::transfer
