#include "transfer/html/blocks.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "content/text.h"
#include "content/utf8.h"
#include "transfer/html/table.h"
#include "transfer/html/tree.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

using Kind = Block::Kind;

constexpr size_t kMaxContainers = 20;
// Larger ones go through the cleaner, which limits the number of elements, and so the memory.
constexpr size_t kMaxPlainHtmlBytes = size_t{64} << 10;
constexpr int kMaxFirstNumber = 99'999'999;

constexpr std::array kSuperscripts = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
constexpr std::array kSubscripts = {"₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"};

// Returns the value of a property in the attribute style, in lower case.
std::string StyleOf(const GumboNode& node, absl::string_view property) {
  for (const absl::string_view part : absl::StrSplit(Attribute(node, "style"), ';')) {
    const std::pair<absl::string_view, absl::string_view> entry =
        absl::StrSplit(part, absl::MaxSplits(':', 1));
    if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(entry.first), property)) {
      return absl::AsciiStrToLower(absl::StripAsciiWhitespace(entry.second));
    }
  }
  return "";
}

// Classes of what surrounds the text of articles, by those who write them: WordPress, Substack,
// Jekyll, Sphinx, and the usual names for what only a screen reader says.
bool HasClassOfNoText(const GumboNode& node) {
  return HasWord(
      node, "class",
      {"addtoany_share_save_container", "button-wrapper", "gutter", "headerlink", "jp-relatedposts",
       "linenos", "lineno", "line-numbers-rows", "mw-editsection", "noprint", "post-ratings",
       "screen-reader-text", "sharedaddy", "sr-only", "subscription-widget",
       "subscription-widget-wrap", "visually-hidden", "wp-block-buttons"});
}

// Returns whether a node shows the formula that stands beside it as TeX: before it, as KaTeX has
// it, or after it, as MathJax has it.
bool IsFormulaShown(const GumboNode& node) {
  if (HasWord(node, "class", {"katex-html"})) return node.index_within_parent > 0;
  if (node.parent == nullptr ||
      !HasWord(node, "class",
               {"MathJax", "MathJax_CHTML", "MathJax_Display", "MathJax_Preview", "MathJax_SVG"})) {
    return false;
  }
  const Children siblings(*node.parent);
  size_t next = node.index_within_parent + 1;
  while (next < siblings.size() && !IsElement(siblings[next])) ++next;
  return next < siblings.size() && HasWord(siblings[next], "class", {"math"});
}

// Returns whether a link leads to the same file as the link before it.
bool IsButtonOfFile(const GumboNode& link) {
  const size_t index = link.index_within_parent;
  return HasWord(link, "class", {"wp-block-file__button"}) && link.parent != nullptr && index > 0 &&
         IsElement(Children(*link.parent)[index - 1], {GUMBO_TAG_A});
}

// Returns whether a node within code is a line number: Hugo, Crayon, highlight.js. Others mark the
// line itself with "ln".
bool IsNumberOfLine(const GumboNode& node) {
  if (!HasWord(node, "class", {"crayon-num", "hljs-ln-n", "hljs-ln-numbers", "ln", "lnt"})) {
    return false;
  }
  const std::string text = TextOf(node);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == ' ';
  });
}

bool IsHidden(const GumboNode& node) {
  return HasAttribute(node, "hidden") || StyleOf(node, "display") == "none" ||
         StyleOf(node, "visibility") == "hidden";
}

bool IsNoText(const GumboNode& node) {
  return IsElement(node, {GUMBO_TAG_FORM, GUMBO_TAG_HEAD, GUMBO_TAG_NAV, GUMBO_TAG_TITLE,
                          GUMBO_TAG_RP}) ||
         HasClassOfNoText(node) || IsFormulaShown(node) || IsButtonOfFile(node) || IsHidden(node);
}

// Returns whether a link only leads to the heading that it stands in.
bool IsAnchorOfHeading(const GumboNode& link) {
  if (HasWord(link, "class", {"anchor", "headerlink", "anchor-link", "header-anchor"})) return true;
  const std::string text = TextOf(link);
  return absl::StartsWith(Attribute(link, "href"), "#") &&
         (text == "#" || text == "¶" || text == "§" || text == "🔗");
}

// "1", "1px", "0".
bool IsAtMostOnePixel(absl::string_view length) {
  absl::ConsumeSuffix(&length, "px");
  int pixels = 0;
  return absl::SimpleAtoi(length, &pixels) && pixels <= 1;
}

// Returns whether an image is there to count readers.
bool IsTracker(const GumboNode& image, absl::string_view address) {
  for (const char* side : {"width", "height"}) {
    if (IsAtMostOnePixel(Attribute(image, side)) || IsAtMostOnePixel(StyleOf(image, side))) {
      return true;
    }
  }
  static constexpr absl::string_view kCounters[] = {
      "://pixel.wp.com/",   "://stats.wordpress.com/",  "medium.com/_/stat",
      "feedburner.com/~r/", "facebook.com/tr?",         "google-analytics.com/",
      ".doubleclick.net/",  "://pixel.quantserve.com/", "scorecardresearch.com/"};
  return std::any_of(std::begin(kCounters), std::end(kCounters), [&](absl::string_view counter) {
    return absl::StrContains(address, counter);
  });
}

// The first address of "a.jpg 1x, b.jpg 2x".
absl::string_view FirstOfSet(absl::string_view set) {
  set = absl::StripLeadingAsciiWhitespace(set);
  return absl::StripSuffix(set.substr(0, set.find_first_of(" \t\n")), ",");
}

// Pages that load images late have the address elsewhere.
std::string AddressOfImage(const GumboNode& image) {
  for (const char* attribute : {"data-src", "data-lazy-src", "data-original", "src"}) {
    std::string address = ImageAddress(Attribute(image, attribute));
    if (!address.empty()) return address;
  }
  return ImageAddress(FirstOfSet(Attribute(image, "srcset")));
}

// Returns the language that highlighters name in a class.
std::string LanguageOf(const GumboNode& node) {
  static constexpr absl::string_view kPrefixes[] = {"language-", "lang-", "highlight-source-",
                                                    "brush:"};
  std::string language(Attribute(node, "data-lang"));
  for (const absl::string_view word :
       absl::StrSplit(Attribute(node, "class"), absl::ByAnyChar(" \t\n\f\r;"))) {
    for (const absl::string_view prefix : kPrefixes) {
      if (language.empty() && absl::StartsWith(word, prefix)) {
        language = std::string(word.substr(prefix.size()));
      }
    }
  }
  const bool is_name = std::all_of(language.begin(), language.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("+#-._", c);
  });
  return is_name ? language : "";
}

// The language of code may stand at the element around it or in it.
std::string LanguageOfCode(const GumboNode& pre) {
  std::string language = LanguageOf(pre);
  const Children children(pre);
  for (size_t i = 0; i < children.size() && language.empty(); ++i) {
    language = LanguageOf(children[i]);
  }
  const GumboNode* around = pre.parent;
  for (int i = 0; i < 2 && around != nullptr && language.empty(); ++i, around = around->parent) {
    language = LanguageOf(*around);
  }
  return language;
}

// Returns text without the characters that no body may have, and with LF line ends: a CR, which
// `&#13;` stands for, also ends a line of CommonMark, and with it a quote or a list.
std::string WithoutControls(absl::string_view raw) {
  const std::string text =
      absl::StrReplaceAll(raw, {{"\r\n", "\n"}, {"\r", "\n"}, {"\f", "\n"}, {"\v", "\n"}});
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_c1 =
        text[i] == '\xC2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) {
      ++i;
    } else if (!absl::ascii_iscntrl(text[i]) || absl::ascii_isspace(text[i])) {
      result.push_back(text[i]);
    }
  }
  BlankLongMarkRuns(result);
  return result;
}

void EndLine(std::string& code) {
  if (!code.empty() && code.back() != '\n') code.push_back('\n');
}

// Adds what stands in <pre>, where lines may also be elements.
void AddCode(const GumboNode& node, std::string& code) {
  if (IsText(node)) {
    code.append(WithoutControls(node.v.text.text));
    return;
  }
  if (HasClassOfNoText(node) || IsNumberOfLine(node)) return;
  if (IsElement(node, {GUMBO_TAG_BR})) code.push_back('\n');
  const bool is_line = IsElement(node, {GUMBO_TAG_DIV, GUMBO_TAG_P, GUMBO_TAG_LI, GUMBO_TAG_TR});
  if (is_line) EndLine(code);
  const Children children(node);
  for (size_t i = 0; i < children.size(); ++i) AddCode(children[i], code);
  if (is_line) EndLine(code);
}

std::string WithoutBlankEnds(absl::string_view code) {
  code = absl::StripTrailingAsciiWhitespace(code);
  const size_t text = std::min(code.find_first_not_of(" \t\n\f\r\v"), code.size());
  const size_t line = code.substr(0, text).rfind('\n');
  if (line != absl::string_view::npos) code.remove_prefix(line + 1);
  return std::string(code);
}

// Puts together blocks from what a page says one after the other.
class BlockBuilder {
 public:
  void AddRun(Run run) { Append(std::move(run), runs_); }

  // Replaces the text since the last block, and returns what it was.
  Runs ExchangeRuns(Runs runs) { return std::exchange(runs_, std::move(runs)); }

  // Makes a paragraph, or a heading of this level, of the text since the last block.
  void EndParagraph(int heading_level = 0) {
    for (Runs& paragraph : Paragraphs(std::exchange(runs_, {}))) {
      Block block{.runs = std::move(paragraph)};
      if (heading_level > 0) {
        block.kind = Kind::kHeading;
        block.level = heading_level;
        if (PlainText(block.runs).empty()) block.kind = Kind::kParagraph;  // Only an image.
      }
      AddBlock(std::move(block));
    }
  }

  void AddBlock(Block block) {
    Block& parent = open_.back();
    const bool needs_item = parent.kind == Kind::kList && block.kind != Kind::kItem;
    if (!needs_item) {
      parent.children.push_back(std::move(block));
      return;
    }
    // What stands in a list but in no item, as lists in lists often do, belongs to the item before.
    if (parent.children.empty()) parent.children.push_back({.kind = Kind::kItem});
    parent.children.back().children.push_back(std::move(block));
  }

  // What follows is in a quote, list or item, until Close. Returns false if there is no place for
  // one: an item must be in a list, and nothing is nested without end.
  bool Open(Block container) {
    const bool is_in_list = open_.back().kind == Kind::kList;
    if ((container.kind == Kind::kItem) && !is_in_list) return false;
    if (open_.size() > kMaxContainers) return false;
    open_.push_back(std::move(container));
    return true;
  }

  void Close() {
    Block container = std::move(open_.back());
    open_.pop_back();
    if (container.children.empty()) return;
    if (container.kind == Kind::kItem && container.is_loose) open_.back().is_loose = true;
    AddBlock(std::move(container));
  }

  Block& innermost() { return open_.back(); }

  std::vector<Block> Take() { return std::move(open_.front().children); }

 private:
  std::vector<Block> open_ = {Block{.kind = Kind::kQuote}};  // from the whole text inwards
  Runs runs_;
};

class Converter {
 public:
  explicit Converter(const absl::flat_hash_set<const GumboNode*>& without) : without_(without) {}

  std::vector<Block> Convert(const GumboNode& node) {
    AddChildren(node);
    builder_.EndParagraph();
    return builder_.Take();
  }

 private:
  // The tree is never so deep that this recursion would need much stack.
  void AddChildren(const GumboNode& node) {
    const Children children(node);
    for (size_t i = 0; i < children.size(); ++i) AddNode(children[i]);
  }

  void AddNode(const GumboNode& node) {
    if (IsText(node)) return AddText(node.v.text.text);
    if (!IsElement(node) || IsNoText(node) || without_.contains(&node)) return;
    const Run style = style_;
    AddElement(node);
    style_ = style;
  }

  void AddText(absl::string_view text) {
    Run run = style_;
    run.text = WithoutControls(text);
    if (run.kind == Run::Kind::kCode && absl::StripAsciiWhitespace(run.text).empty()) {
      run.kind = Run::Kind::kText;
    }
    builder_.AddRun(std::move(run));
  }

  void AddElement(const GumboNode& node) {
    switch (node.v.element.tag) {
      case GUMBO_TAG_H1:
      case GUMBO_TAG_H2:
      case GUMBO_TAG_H3:
      case GUMBO_TAG_H4:
      case GUMBO_TAG_H5:
      case GUMBO_TAG_H6:
        return AddHeading(node);
      case GUMBO_TAG_UL:
      case GUMBO_TAG_OL:
      case GUMBO_TAG_MENU:
      case GUMBO_TAG_DIR:
        return AddList(node);
      case GUMBO_TAG_LI:
        return AddContainer(node, {.kind = Kind::kItem});
      case GUMBO_TAG_BLOCKQUOTE:
        return AddContainer(node, {.kind = Kind::kQuote});
      case GUMBO_TAG_PRE:
        return AddCodeBlock(node);
      case GUMBO_TAG_TABLE:
        return AddTable(node);
      case GUMBO_TAG_HR:
        EndParagraph();
        return builder_.AddBlock({.kind = Kind::kBreak});
      case GUMBO_TAG_BR:
        return AddBreak();
      case GUMBO_TAG_IMG:
        return AddImage(node);
      case GUMBO_TAG_INPUT:
        return AddCheckBox(node);
      case GUMBO_TAG_P:
        return AddParagraph(node);
      case GUMBO_TAG_DT:
        style_.is_strong = true;
        return AddBlockOf(node);
      default:
        return IsBlock(node) ? AddBlockOf(node) : AddInline(node);
    }
  }

  static bool IsBlock(const GumboNode& node) {
    return !IsElement(
        node, {GUMBO_TAG_A,    GUMBO_TAG_ABBR,  GUMBO_TAG_B,    GUMBO_TAG_BDI,    GUMBO_TAG_BDO,
               GUMBO_TAG_BIG,  GUMBO_TAG_CITE,  GUMBO_TAG_CODE, GUMBO_TAG_DEL,    GUMBO_TAG_DFN,
               GUMBO_TAG_EM,   GUMBO_TAG_FONT,  GUMBO_TAG_I,    GUMBO_TAG_INS,    GUMBO_TAG_KBD,
               GUMBO_TAG_MARK, GUMBO_TAG_Q,     GUMBO_TAG_RT,   GUMBO_TAG_RUBY,   GUMBO_TAG_S,
               GUMBO_TAG_SAMP, GUMBO_TAG_SMALL, GUMBO_TAG_SPAN, GUMBO_TAG_STRIKE, GUMBO_TAG_STRONG,
               GUMBO_TAG_SUB,  GUMBO_TAG_SUP,   GUMBO_TAG_TIME, GUMBO_TAG_TT,     GUMBO_TAG_U,
               GUMBO_TAG_VAR,  GUMBO_TAG_WBR});
  }

  static bool HasBlocks(const GumboNode& node) {
    bool has_blocks = false;
    Visit(node, [&has_blocks](const GumboNode& at) {
      has_blocks = has_blocks || (IsElement(at) && IsBlock(at) &&
                                  !IsElement(at, {GUMBO_TAG_BR, GUMBO_TAG_IMG, GUMBO_TAG_INPUT}));
      return !has_blocks;
    });
    return has_blocks;
  }

  void EndParagraph() { builder_.EndParagraph(heading_level_); }

  void AddBlockOf(const GumboNode& node) {
    EndParagraph();
    AddChildren(node);
    EndParagraph();
  }

  // Items with paragraphs are set apart from each other.
  void AddParagraph(const GumboNode& node) {
    EndParagraph();
    AddChildren(node);
    const size_t before = builder_.innermost().children.size();
    EndParagraph();
    Block& container = builder_.innermost();
    if (container.kind == Kind::kItem && container.children.size() > before) {
      container.is_loose = true;
    }
  }

  void AddHeading(const GumboNode& node) {
    EndParagraph();
    const int outer = std::exchange(
        heading_level_, static_cast<int>(node.v.element.tag) - static_cast<int>(GUMBO_TAG_H1) + 1);
    AddChildren(node);
    EndParagraph();
    heading_level_ = outer;
  }

  void AddContainer(const GumboNode& node, Block container) {
    EndParagraph();
    const bool is_open = builder_.Open(std::move(container));
    const int outer = std::exchange(heading_level_, 0);
    AddChildren(node);
    EndParagraph();
    heading_level_ = outer;
    if (is_open) builder_.Close();
  }

  void AddList(const GumboNode& node) {
    Block list{.kind = Kind::kList};
    list.is_ordered = IsElement(node, {GUMBO_TAG_OL});
    if (int start = 1; absl::SimpleAtoi(Attribute(node, "start"), &start)) {
      list.first_number = std::clamp(start, 0, kMaxFirstNumber);
    }
    AddContainer(node, std::move(list));
  }

  void AddCodeBlock(const GumboNode& pre) {
    EndParagraph();
    std::string code;
    AddCode(pre, code);
    code = WithoutBlankEnds(code);
    if (code.empty()) return;
    builder_.AddBlock(
        {.kind = Kind::kCode, .code = std::move(code), .language = LanguageOfCode(pre)});
  }

  void AddTable(const GumboNode& table) {
    if (!IsDataTable(table)) return AddBlockOf(table);
    EndParagraph();
    const Children children(table);
    for (size_t i = 0; i < children.size(); ++i) {
      if (IsElement(children[i], {GUMBO_TAG_CAPTION})) AddNode(children[i]);
    }
    Block block = TableBlock(table, [this](const GumboNode& cell) { return ReadCell(cell); });
    if (!block.code.empty() || !block.children.empty()) builder_.AddBlock(std::move(block));
  }

  // A cell is one line, whatever its blocks.
  Runs ReadCell(const GumboNode& cell) const {
    Converter converter(without_);
    converter.style_ = style_;
    Runs text;
    for (const Block& block : converter.Convert(cell)) {
      if (!text.empty()) text.push_back({.kind = Run::Kind::kBreak});
      text.insert(text.end(), block.runs.begin(), block.runs.end());
    }
    return text;
  }

  void AddBreak() {
    Run line_break = style_;
    line_break.kind = Run::Kind::kBreak;
    builder_.AddRun(std::move(line_break));
  }

  void AddImage(const GumboNode& node) {
    Run image = style_;
    image.kind = Run::Kind::kImage;
    image.image = AddressOfImage(node);
    image.text = OneLine(Attribute(node, "alt"));
    if (!image.image.empty() && !IsTracker(node, image.image)) builder_.AddRun(std::move(image));
  }

  // An item of a task list.
  void AddCheckBox(const GumboNode& node) {
    if (absl::EqualsIgnoreCase(Attribute(node, "type"), "checkbox")) {
      AddText(HasAttribute(node, "checked") ? "☑ " : "☐ ");
    }
  }

  void AddInline(const GumboNode& node) {
    switch (node.v.element.tag) {
      case GUMBO_TAG_A:
        if (IsAnchorOfHeading(node)) return;
        style_.link = LinkAddress(Attribute(node, "href"));
        break;
      case GUMBO_TAG_B:
      case GUMBO_TAG_STRONG:
        style_.is_strong = true;
        break;
      case GUMBO_TAG_CITE:
      case GUMBO_TAG_DFN:
      case GUMBO_TAG_EM:
      case GUMBO_TAG_I:
      case GUMBO_TAG_VAR:
        style_.is_emphasized = true;
        break;
      case GUMBO_TAG_CODE:
      case GUMBO_TAG_KBD:
      case GUMBO_TAG_SAMP:
      case GUMBO_TAG_TT:
        style_.kind = Run::Kind::kCode;
        break;
      case GUMBO_TAG_DEL:
      case GUMBO_TAG_S:
      case GUMBO_TAG_STRIKE:
        return AddStruck(node);
      case GUMBO_TAG_Q:
        return AddEnclosed("“", node, "”");
      case GUMBO_TAG_RT:
        return AddEnclosed("(", node, ")");
      case GUMBO_TAG_SUP:
        return AddRaised(node, kSuperscripts);
      case GUMBO_TAG_SUB:
        return AddRaised(node, kSubscripts);
      default:
        break;
    }
    ReadFont(node);
    AddChildren(node);
  }

  // Editors mark text by styles, too, and unmark it.
  void ReadFont(const GumboNode& node) {
    const std::string weight = StyleOf(node, "font-weight");
    int number = 400;
    if (weight == "bold" || (absl::SimpleAtoi(weight, &number) && number >= 600)) {
      style_.is_strong = true;
    } else if (!weight.empty()) {
      style_.is_strong = false;
    }
    const std::string slant = StyleOf(node, "font-style");
    if (!slant.empty()) style_.is_emphasized = slant == "italic" || slant == "oblique";
  }

  void AddEnclosed(absl::string_view begin, const GumboNode& node, absl::string_view end) {
    AddText(begin);
    AddChildren(node);
    AddText(end);
  }

  // "<del>$10</del> $5" must not become "$10 $5".
  void AddStruck(const GumboNode& node) {
    if (is_struck_ || HasBlocks(node)) return AddChildren(node);
    is_struck_ = true;
    Runs before = builder_.ExchangeRuns({});
    AddChildren(node);
    is_struck_ = false;
    const Runs struck = builder_.ExchangeRuns(std::move(before));
    for (Run& run : Struck(struck, style_)) builder_.AddRun(std::move(run));
  }

  // "10⁶" must not become "106".
  void AddRaised(const GumboNode& node, const std::array<const char*, 10>& digits) {
    const Children children(node);
    if (children.size() != 1 || !IsText(children[0])) return AddChildren(node);
    const absl::string_view text = absl::StripAsciiWhitespace(children[0].v.text.text);
    const bool is_number =
        !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
    if (!is_number) return AddChildren(node);
    std::string raised;
    for (const char digit : text) raised.append(digits[static_cast<size_t>(digit - '0')]);
    AddText(raised);
  }

  const absl::flat_hash_set<const GumboNode*>& without_;
  BlockBuilder builder_;
  Run style_;
  bool is_struck_ = false;
  int heading_level_ = 0;
};

// Returns whether the parser would keep `text` as it is: it has no reference, and no character that
// is none in HTML.
bool IsLiteral(absl::string_view text) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte < 0x80) {
      if (byte == '&' || (absl::ascii_iscntrl(byte) && byte != '\n' && byte != '\t')) return false;
      text.remove_prefix(1);
      continue;
    }
    constexpr int32_t kFirstAfterControls = 0xA0;
    const int32_t character = TakeCharacter(text);
    const bool is_none =
        (character & 0xFFFE) == 0xFFFE || (character >= 0xFDD0 && character <= 0xFDEF);
    if (character < kFirstAfterControls || is_none) return false;
  }
  return true;
}

bool ConsumeAny(std::initializer_list<absl::string_view> prefixes, absl::string_view& text) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&text](absl::string_view prefix) {
    return absl::ConsumePrefix(&text, prefix);
  });
}

}  // namespace

std::vector<Block> BlocksOf(const GumboNode& node,
                            const absl::flat_hash_set<const GumboNode*>& without) {
  return Converter(without).Convert(node);
}

std::optional<std::vector<Block>> BlocksOfPlainHtml(absl::string_view html) {
  if (html.size() > kMaxPlainHtmlBytes) return std::nullopt;
  BlockBuilder builder;
  while (!html.empty()) {
    const absl::string_view text = html.substr(0, html.find('<'));
    if (!IsLiteral(text)) return std::nullopt;
    if (!text.empty()) builder.AddRun({.text = WithoutControls(text)});
    html.remove_prefix(text.size());
    if (ConsumeAny({"<p>", "</p>"}, html)) {
      builder.EndParagraph();
    } else if (ConsumeAny({"<br>", "<br/>", "<br />"}, html)) {
      builder.AddRun({.kind = Run::Kind::kBreak});
    } else if (!html.empty()) {
      return std::nullopt;
    }
  }
  builder.EndParagraph();
  return builder.Take();
}

}  // namespace content::transfer
