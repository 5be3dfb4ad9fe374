#include "content/body.h"

#include <cmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "content/html.h"
#include "content/text.h"

namespace content {
namespace {

using Document = std::unique_ptr<cmark_node, decltype(&cmark_node_free)>;

Document ParseBody(absl::string_view body) {
  return Document(cmark_parse_document(body.data(), body.size(), CMARK_OPT_DEFAULT),
                  &cmark_node_free);
}

// Hides links and their definitions from cmark 0.30, which may take quadratic time for links after
// the beginnings of images. Blocks and HTML are the same without them.
Document ParseWithoutLinks(absl::string_view body) {
  return ParseBody(absl::StrReplaceAll(body, {{"](", "]x"}, {"]:", "]x"}}));
}

std::string PlainText(cmark_node* block);

// Returns the text of a block of HTML as a reader sees it.
std::string PlainText(absl::string_view html) {
  // cmark decodes character references in a paragraph. The full stop makes any text one.
  return PlainText(ParseBody(absl::StrCat("\\. ", HtmlText(html))).get());
}

// Follows the tags of a paragraph: whether the text between them is hidden.
class HiddenText {
 public:
  bool is_open() const { return !element_.empty(); }

  // Returns whether `tag` begins or ends the hidden text.
  bool IsBoundary(const HtmlTag& tag) const {
    return is_open() ? tag.is_closing && tag.name == element_ : tag.HidesText();
  }

  void Pass(const HtmlTag& tag) {
    if (IsBoundary(tag)) element_ = is_open() ? "" : tag.name;
  }

 private:
  std::string element_;  // name of the open element that hides its text
};

// Gathers the text of a block as a reader sees it.
class TextGatherer {
 public:
  void AddText(absl::string_view text) {
    if (!hidden_.is_open()) absl::StrAppend(&text_, text);
  }

  // Passes a tag between texts.
  void PassTag(absl::string_view html) {
    const std::optional<HtmlTag> tag = HtmlTags(html).At(0);
    if (!tag) return;
    if (tag->SeparatesWords()) text_.push_back(' ');
    hidden_.Pass(*tag);
  }

  // Passes the beginning or the end of a block. No tag hides text beyond it.
  void PassBlockBoundary() {
    hidden_ = {};
    text_.push_back(' ');
  }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  HiddenText hidden_;
};

// Returns the text of `block` as a reader sees it, without markup.
std::string PlainText(cmark_node* block) {
  const std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> walk(cmark_iter_new(block),
                                                                     &cmark_iter_free);
  TextGatherer text;
  while (cmark_iter_next(walk.get()) != CMARK_EVENT_DONE) {
    cmark_node* node = cmark_iter_get_node(walk.get());
    switch (cmark_node_get_type(node)) {
      case CMARK_NODE_TEXT:
      case CMARK_NODE_CODE:
      case CMARK_NODE_CODE_BLOCK:
        text.AddText(cmark_node_get_literal(node));
        break;
      case CMARK_NODE_HTML_INLINE:
        text.PassTag(cmark_node_get_literal(node));
        break;
      case CMARK_NODE_HTML_BLOCK:
        text.PassBlockBoundary();
        text.AddText(PlainText(absl::string_view(cmark_node_get_literal(node))));
        text.PassBlockBoundary();
        break;
      case CMARK_NODE_SOFTBREAK:
      case CMARK_NODE_LINEBREAK:
        text.AddText(" ");
        break;
      case CMARK_NODE_EMPH:
      case CMARK_NODE_STRONG:
      case CMARK_NODE_LINK:
      case CMARK_NODE_IMAGE:
        break;  // May stand within a word.
      default:
        text.PassBlockBoundary();
    }
  }
  return text.Take();
}

// Returns the offsets at which the lines of `body` begin, followed by its size. Lines end where
// cmark ends them.
std::vector<size_t> LineStarts(absl::string_view body) {
  std::vector<size_t> starts = {0};
  for (size_t i = 0; i < body.size(); ++i) {
    const bool is_crlf = body.substr(i, 2) == "\r\n";
    if (body[i] == '\n' || (body[i] == '\r' && !is_crlf)) starts.push_back(i + 1);
  }
  starts.push_back(body.size());
  return starts;
}

// The bytes [begin, end) of the body.
struct Range {
  size_t begin;
  size_t end;
};

// Returns `range` without the blank lines around it. Keeps indentation, because it may mark a code
// block. `range` must contain a non-blank character.
Range WithoutBlankLines(absl::string_view body, Range range) {
  constexpr absl::string_view kBlanks = " \t\r\n";
  const absl::string_view text = body.substr(range.begin, range.end - range.begin);
  const size_t first = text.find_first_not_of(kBlanks);
  const size_t line_end = text.substr(0, first).find_last_of("\r\n");
  const size_t first_line = line_end == absl::string_view::npos ? 0 : line_end + 1;
  return {range.begin + first_line, range.begin + text.find_last_not_of(kBlanks) + 1};
}

// Makes anchors unique by adding -2, -3 and so on to repeated ones.
class Anchors {
 public:
  std::string MakeUnique(const std::string& wanted) {
    std::string anchor = wanted;
    // Remembering the last number keeps a text with many equal headings linear.
    int& last_number = last_numbers_.try_emplace(wanted, 1).first->second;
    while (!taken_.insert(anchor).second) anchor = absl::StrCat(wanted, "-", ++last_number);
    return anchor;
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> last_numbers_;
};

// A section whose blocks are still being read.
struct OpenSection {
  size_t begin = 0;
  std::string heading;
  int words = 0;
  bool is_empty = true;
};

// Cuts the body into sections, block by block.
//
// Sections consist of whole lines, because top-level blocks never share one. Cutting at columns
// would need care with tabs, and link definitions, which are not blocks, would belong to no
// section.
class SectionCutter {
 public:
  explicit SectionCutter(v1::Article& article)
      : article_(article), body_(article.body()), line_starts_(LineStarts(body_)) {}

  void Add(cmark_node* block) {
    const auto line = static_cast<size_t>(cmark_node_get_start_line(block));
    switch (cmark_node_get_type(block)) {
      case CMARK_NODE_THEMATIC_BREAK:
        CloseAt(line_starts_[line - 1]);
        open_.begin = line_starts_[line];
        break;
      case CMARK_NODE_HEADING:
        CloseAt(line_starts_[line - 1]);
        AddHeading(OneLine(PlainText(block)));
        break;
      default:
        open_.words += CountWords(PlainText(block));
        open_.is_empty = false;
    }
  }

  void Finish() { CloseAt(body_.size()); }

 private:
  void AddHeading(std::string heading) {
    open_.words = CountWords(heading);
    open_.is_empty = heading.empty();
    open_.heading = std::move(heading);
  }

  void CloseAt(size_t end) {
    const OpenSection closed = std::exchange(open_, {});
    open_.begin = end;
    if (closed.is_empty) return;
    const Range range = WithoutBlankLines(body_, {closed.begin, end});
    v1::Section& section = *article_.add_sections();
    const std::string slug = Slug(closed.heading);
    section.set_anchor(anchors_.MakeUnique(
        slug.empty() ? absl::StrCat("section-", article_.sections_size()) : slug));
    section.set_heading(closed.heading);
    section.set_byte_offset(static_cast<int32_t>(range.begin));
    section.set_byte_length(static_cast<int32_t>(range.end - range.begin));
    section.set_word_count(closed.words);
    article_.set_word_count(article_.word_count() + closed.words);
  }

  v1::Article& article_;
  const absl::string_view body_;
  const std::vector<size_t> line_starts_;
  Anchors anchors_;
  OpenSection open_;
};

// Finds the code spans of a paragraph.
class CodeSpans {
 public:
  explicit CodeSpans(absl::string_view paragraph) : text_(paragraph) {
    for (size_t at = text_.find('`'); at < text_.size(); at = text_.find('`', at)) {
      const size_t end = EndOfBackticks(at);
      last_[end - at] = at;
      at = end;
    }
  }

  // Returns the end of the code span that begins at `at`, where there must be a backtick; the end
  // of the backticks there if none does.
  size_t EndOf(size_t at) const {
    const size_t end = EndOfBackticks(at);
    const auto last = last_.find(end - at);
    // Looking in vain would take quadratic time.
    if (last == last_.end() || last->second <= at) return end;
    size_t closing = end;
    while (true) {
      const size_t begin = text_.find('`', closing);
      closing = EndOfBackticks(begin);
      if (closing - begin == end - at) return closing;
    }
  }

 private:
  size_t EndOfBackticks(size_t at) const {
    return std::min(text_.find_first_not_of('`', at), text_.size());
  }

  const absl::string_view text_;
  std::unordered_map<size_t, size_t> last_;  // begin of the last backticks of each number
};

// Returns the text that a character reference stands for, or the same text if there is none of that
// name.
std::string DecodeReference(absl::string_view reference) {
  const Document document = ParseBody(reference);
  std::string text;
  for (cmark_node* node = cmark_node_first_child(cmark_node_first_child(document.get()));
       node != nullptr; node = cmark_node_next(node)) {
    absl::StrAppend(&text, absl::NullSafeStringView(cmark_node_get_literal(node)));
  }
  return text;
}

// Returns whether `html`, which stands in a paragraph, is HTML in the eyes of cmark. It takes fewer
// tags than HtmlTags.
bool IsInlineHtml(absl::string_view html) {
  const Document document = ParseWithoutLinks(absl::StrCat("x", html));  // in a paragraph, too
  cmark_node* const node =
      cmark_node_next(cmark_node_first_child(cmark_node_first_child(document.get())));
  return node != nullptr && cmark_node_get_type(node) == CMARK_NODE_HTML_INLINE &&
         cmark_node_next(node) == nullptr;
}

// A block that contains no other.
struct LeafBlock {
  Range range;
  cmark_node_type type;
};

bool IsLeafBlock(cmark_node_type type) {
  return type == CMARK_NODE_PARAGRAPH || type == CMARK_NODE_HEADING ||
         type == CMARK_NODE_CODE_BLOCK || type == CMARK_NODE_HTML_BLOCK ||
         type == CMARK_NODE_THEMATIC_BREAK;
}

// Gathers the markup of a body, block by block.
class MarkupFinder {
 public:
  explicit MarkupFinder(absl::string_view body) : body_(body) {}

  // Adds the markup of the next block. Code has none; in HTML, backticks and backslashes mean
  // nothing.
  void AddBlock(const LeafBlock& block) {
    if (block.type == CMARK_NODE_CODE_BLOCK) return;
    const bool is_html = block.type == CMARK_NODE_HTML_BLOCK;
    const size_t begin = block.range.begin;
    const absl::string_view text = body_.substr(0, block.range.end);
    const CodeSpans code(is_html ? "" : text.substr(begin));
    HtmlTags tags(text);
    HiddenText hidden;
    for (size_t at = text.find_first_of("\\`<&", begin); at < text.size();
         at = text.find_first_of("\\`<&", at)) {
      if (text[at] == '<' && is_html) {
        at = PassTagOfBlock(text, tags, at);
      } else if (text[at] == '<') {
        at = PassInlineTag(text, tags, at, hidden);
      } else if (text[at] == '&') {
        at = hidden.is_open() ? at + 1 : PassReference(text, at);
      } else if (is_html) {
        ++at;
      } else {
        at = text[at] == '\\' ? at + 2 : begin + code.EndOf(at - begin);
      }
    }
    if (hidden.is_open()) found_.back().end = text.size();
  }

  std::vector<Markup> Take() { return std::move(found_); }

 private:
  // Each passes what is at `at`, and returns its end.

  size_t PassTagOfBlock(absl::string_view text, HtmlTags& tags, size_t at) {
    const std::optional<HtmlTag> tag = tags.At(at);
    if (!tag) return at + 1;
    AddTag(at, *tag);
    if (tag->HidesText()) found_.back().end = EndOfHiddenText(text, *tag);
    return found_.back().end;
  }

  // Text that a tag hides becomes a part of its markup.
  size_t PassInlineTag(absl::string_view text, HtmlTags& tags, size_t at, HiddenText& hidden) {
    const std::optional<HtmlTag> tag = tags.At(at);
    if (!tag) return at + 1;
    if (!hidden.is_open()) AddTag(at, *tag);
    if (hidden.IsBoundary(*tag) && IsInlineHtml(text.substr(at, tag->end - at))) {
      hidden.Pass(*tag);
      found_.back().end = tag->end;
    }
    return tag->end;
  }

  void AddTag(size_t begin, const HtmlTag& tag) {
    found_.push_back({begin, tag.end, tag.SeparatesWords() ? " " : ""});
  }

  size_t PassReference(absl::string_view text, size_t at) {
    const size_t length = CharacterReferenceLength(text.substr(at));
    if (length == 0) return at + 1;
    std::string meaning = DecodeReference(text.substr(at, length));
    if (meaning == text.substr(at, length)) return at + 1;
    found_.push_back({at, at + length, std::move(meaning)});
    return at + length;
  }

  const absl::string_view body_;
  std::vector<Markup> found_;
};

}  // namespace

int CountParagraphs(absl::string_view body) {
  const Document document = ParseBody(body);
  int paragraphs = 0;
  for (cmark_node* block = cmark_node_first_child(document.get()); block != nullptr;
       block = cmark_node_next(block)) {
    if (cmark_node_get_type(block) == CMARK_NODE_PARAGRAPH) ++paragraphs;
  }
  return paragraphs;
}

void DescribeBody(v1::Article& article) {
  article.clear_sections();
  article.clear_word_count();
  const Document document = ParseBody(article.body());
  SectionCutter cutter(article);
  for (cmark_node* block = cmark_node_first_child(document.get()); block != nullptr;
       block = cmark_node_next(block)) {
    cutter.Add(block);
  }
  cutter.Finish();
}

std::vector<Markup> FindMarkup(absl::string_view body) {
  const Document document = ParseWithoutLinks(body);
  const std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> walk(cmark_iter_new(document.get()),
                                                                     &cmark_iter_free);
  const std::vector<size_t> line_starts = LineStarts(body);
  // Each reaches to the next one: cmark gives some the line after them, and others one too few.
  std::vector<LeafBlock> blocks;
  for (cmark_event_type event = cmark_iter_next(walk.get()); event != CMARK_EVENT_DONE;
       event = cmark_iter_next(walk.get())) {
    cmark_node* const node = cmark_iter_get_node(walk.get());
    const cmark_node_type type = cmark_node_get_type(node);
    if (event != CMARK_EVENT_ENTER || !IsLeafBlock(type)) continue;
    const size_t begin = line_starts[static_cast<size_t>(cmark_node_get_start_line(node)) - 1];
    if (!blocks.empty()) blocks.back().range.end = begin;
    blocks.push_back({{begin, body.size()}, type});
  }
  MarkupFinder markup(body);
  for (const LeafBlock& block : blocks) markup.AddBlock(block);
  return markup.Take();
}

}  // namespace content
