#include "transfer/html/cleaner.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxElements = 200'000;
constexpr size_t kMaxDepth = 100;
constexpr size_t kMaxFormatting = 8;
constexpr size_t kMaxAttributeBytes = 4'096;
constexpr size_t kMaxRepeatedBytes = 8'000'000;

enum class Nesting {
  kRoot,        // <html> and what the parser opens and closes without regard to nesting
  kVoid,        // has no end tag
  kInline,      // ends where its end tag stands in the same block
  kFormatting,  // the parser opens it again in the next block
  kBlock,
  kListItem,
  kForm,
  kTable,
  kTablePart,  // contains cells
  kCell,
  kContentGone,  // goes with what it contains
};

std::optional<Nesting> NestingOf(absl::string_view name) {
  static const auto& nestings = *new std::map<absl::string_view, Nesting>([] {
    std::map<absl::string_view, Nesting> entries;
    const auto add = [&entries](Nesting nesting, std::initializer_list<const char*> names) {
      for (const char* element : names) entries.emplace(element, nesting);
    };
    add(Nesting::kRoot, {"html", "head", "body"});
    add(Nesting::kVoid, {"base", "br", "hr", "img", "input", "link", "meta", "wbr"});
    add(Nesting::kInline, {"abbr", "bdi", "bdo", "cite", "del", "dfn", "ins", "kbd", "mark", "q",
                           "rp", "rt", "ruby", "samp", "span", "sub", "sup", "time", "var"});
    add(Nesting::kFormatting,
        {"a", "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"});
    add(Nesting::kBlock,
        {"address", "article",  "aside",      "blockquote", "center",  "details", "dir",  "div",
         "dl",      "fieldset", "figcaption", "figure",     "footer",  "h1",      "h2",   "h3",
         "h4",      "h5",       "h6",         "header",     "hgroup",  "main",    "menu", "nav",
         "ol",      "p",        "pre",        "section",    "summary", "ul"});
    add(Nesting::kListItem, {"dd", "dt", "li"});
    add(Nesting::kForm, {"form"});
    add(Nesting::kTable, {"table"});
    add(Nesting::kTablePart, {"tbody", "tfoot", "thead", "tr"});
    add(Nesting::kCell, {"caption", "td", "th"});
    add(Nesting::kContentGone, {"annotation", "applet", "audio", "button", "canvas", "datalist",
                                "iframe", "noembed", "noframes", "noscript", "object", "script",
                                "select", "style", "svg", "template", "textarea", "video"});
    return entries;
  }());
  const auto found = nestings.find(name);
  if (found == nestings.end()) return std::nullopt;
  return found->second;
}

// Returns text without control characters, of which the parser would make replacement characters.
std::string WithoutRawControls(absl::string_view text) {
  std::string kept;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool is_c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) {
      ++i;
    } else if (!absl::ascii_iscntrl(c) || absl::ascii_isspace(c)) {
      kept.push_back(text[i]);
    }
  }
  return kept;
}

// Returns whether tags in an element are text.
bool IsRawText(absl::string_view name) {
  return name == "script" || name == "style" || name == "textarea" || name == "iframe" ||
         name == "noembed" || name == "noframes";
}

// Returns the TeX that stands beside a formula in MathML, as HTML; empty if there is none.
absl::string_view TexIn(absl::string_view formula) {
  constexpr absl::string_view kBegin = "<annotation ";
  for (size_t at = formula.find(kBegin); at != absl::string_view::npos;
       at = formula.find(kBegin, at)) {
    const size_t text = std::min(formula.find('>', at), formula.size() - 1) + 1;
    const std::string tag = absl::AsciiStrToLower(formula.substr(at, text - at));
    at = text;
    if (absl::StrContains(tag, "x-tex") || absl::StrContains(tag, "latex"))
      return formula.substr(text, formula.find("</", text) - text);
  }
  return "";
}

// Returns where the last formula in a text begins; npos if there is none.
size_t FindLastFormula(absl::string_view text) {
  size_t begin = text.rfind('<');
  while (begin != absl::string_view::npos &&
         !absl::StartsWithIgnoreCase(text.substr(begin), "<math")) {
    begin = begin == 0 ? absl::string_view::npos : text.rfind('<', begin - 1);
  }
  return begin;
}

// Returns whether an element shows something from elsewhere.
bool IsEmbedded(absl::string_view name) {
  return name == "applet" || name == "audio" || name == "canvas" || name == "iframe" ||
         name == "object" || name == "video";
}

bool IsAttributeRead(absl::string_view name) {
  static const auto& names = *new std::set<absl::string_view>{
      "alt",        "aria-hidden", "checked",       "class",         "colspan",  "content",
      "data-field", "data-lang",   "data-lazy-src", "data-original", "data-src", "datetime",
      "encoding",   "height",      "hidden",        "href",          "id",       "itemprop",
      "itemtype",   "lang",        "name",          "property",      "pubdate",  "rel",
      "role",       "rowspan",     "src",           "srcset",        "start",    "style",
      "title",      "type",        "width"};
  return names.contains(name);
}

struct Tag {
  std::string name;  // in lower case
  bool is_end = false;
  bool is_self_closing = false;
  std::map<std::string, absl::string_view> attributes = {};  // of those that are read

  size_t AttributeBytes() const {
    size_t bytes = 0;
    for (const auto& [key, value] : attributes) bytes += key.size() + value.size();
    return bytes;
  }
};

// Takes the tags of a page apart, as the HTML standard has it.
class TagReader {
 public:
  explicit TagReader(absl::string_view html) : html_(html) {}

  size_t at() const { return at_; }
  bool is_at_end() const { return at_ == html_.size(); }
  // Whether the text ended within a comment.
  bool is_in_comment() const { return is_in_comment_; }
  void MoveToEnd() { at_ = html_.size(); }
  void MoveTo(size_t at) { at_ = std::min(at, html_.size()); }

  // Passes the text before the next `<`, and returns it.
  absl::string_view TakeText() {
    const size_t begin = at_;
    MoveTo(html_.find('<', begin));
    return html_.substr(begin, at_ - begin);
  }

  // Returns whether the `<` here begins a tag.
  bool IsAtTag() const {
    const absl::string_view rest = html_.substr(at_ + 1);
    if (rest.empty()) return false;
    if (rest[0] == '/') return rest.size() > 1 && absl::ascii_isalpha(rest[1]);
    return absl::ascii_isalpha(rest[0]);
  }

  // Passes the comment, or what counts as one, that the `<` here begins. Returns false if none
  // does.
  bool PassComment() {
    const absl::string_view rest = html_.substr(at_);
    if (absl::StartsWith(rest, "<!--")) {
      MoveTo(EndOfComment());
      return true;
    }
    if (rest.size() < 2 || absl::string_view("!?/").find(rest[1]) == absl::string_view::npos) {
      return false;
    }
    MoveTo(html_.find('>', at_));
    is_in_comment_ = is_at_end();
    MoveTo(at_ + 1);
    return true;
  }

  // Passes the tag here. nullopt if the text ends within it.
  std::optional<Tag> TakeTag() {
    Tag tag;
    tag.is_end = html_[++at_] == '/';
    if (tag.is_end) ++at_;
    tag.name = absl::AsciiStrToLower(TakeUntil(" \t\n\f\r/>"));
    while (true) {
      MoveTo(html_.find_first_not_of(" \t\n\f\r/", at_));
      if (is_at_end()) return std::nullopt;
      if (html_[at_] == '>') {
        tag.is_self_closing = html_[at_ - 1] == '/';
        ++at_;
        return tag;
      }
      if (!TakeAttribute(tag)) return std::nullopt;
    }
  }

  // Passes everything before the end tag of an element and returns it; nullopt, and passes nothing,
  // if there is no such tag.
  std::optional<absl::string_view> TakeContent(const std::string& name) {
    if (endless_.contains(name)) return std::nullopt;
    for (size_t end = html_.find("</", at_); end != absl::string_view::npos;
         end = html_.find("</", end + 2)) {
      absl::string_view rest = html_.substr(end + 2);
      if (!absl::StartsWithIgnoreCase(rest, name)) continue;
      rest.remove_prefix(name.size());
      if (!rest.empty() && absl::ascii_isalnum(rest[0])) continue;
      const absl::string_view content = html_.substr(at_, end - at_);
      at_ = end;
      return content;
    }
    endless_.insert(name);  // Looking again would take quadratic time.
    return std::nullopt;
  }

 private:
  // The end of the comment here: `<!-->` is one, too.
  size_t EndOfComment() {
    if (html_.substr(at_ + 4, 1) == ">") return at_ + 5;
    for (size_t dashes = html_.find("--", at_ + 3); dashes != absl::string_view::npos;
         dashes = html_.find("--", dashes + 1)) {
      absl::string_view rest = html_.substr(dashes + 2);
      if (absl::ConsumePrefix(&rest, ">") || absl::ConsumePrefix(&rest, "!>")) {
        return html_.size() - rest.size();
      }
    }
    is_in_comment_ = true;
    return html_.size();
  }

  absl::string_view TakeUntil(absl::string_view ends) {
    const size_t begin = at_;
    MoveTo(html_.find_first_of(ends, begin));
    return html_.substr(begin, at_ - begin);
  }

  void PassSpaces() { MoveTo(html_.find_first_not_of(" \t\n\f\r", at_)); }

  // Returns false if the text ends within a quoted value.
  bool TakeAttribute(Tag& tag) {
    const size_t begin = at_++;  // An equals sign here is part of the name.
    MoveTo(html_.find_first_of(" \t\n\f\r/>=", at_));
    const std::string name = absl::AsciiStrToLower(html_.substr(begin, at_ - begin));
    PassSpaces();
    absl::string_view value;
    if (!is_at_end() && html_[at_] == '=') {
      ++at_;
      PassSpaces();
      if (is_at_end()) return false;
      const char quote = html_[at_];
      if (quote == '"' || quote == '\'') {
        ++at_;
        value = TakeUntil(absl::string_view(&quote, 1));
        if (is_at_end()) return false;
        ++at_;
      } else {
        value = TakeUntil(" \t\n\f\r>");
      }
    }
    if (value.size() <= kMaxAttributeBytes && IsAttributeRead(name)) {
      tag.attributes.emplace(name, value);
    }
    return true;
  }

  const absl::string_view html_;
  size_t at_ = 0;
  bool is_in_comment_ = false;
  std::set<std::string> endless_;
};

// The elements that the parser has open or will open again. It may have fewer, but never more than
// a few for each of these.
class OpenElements {
 public:
  // Notes a start tag. Returns false if the element must be left out, because it would be nested
  // too deep or because the parser would ignore it.
  bool Open(const Tag& tag, Nesting nesting) {
    const std::string& name = tag.name;
    if (nesting == Nesting::kTablePart || nesting == Nesting::kCell) {
      if (!IsInTable()) return false;
      CloseCell();
      if (nesting == Nesting::kTablePart) return true;
    }
    if (nesting == Nesting::kTable && IsBetweenCells()) Close(name, nesting);
    if (name == "a") CloseFormatting(name);
    if (ClosesParagraph(nesting)) Close("p", Nesting::kBlock);
    if (nesting == Nesting::kListItem) CloseListItem(name);
    if (open_.size() >= kMaxDepth) return false;
    if (nesting == Nesting::kFormatting && formatting_ >= kMaxFormatting) return false;
    if (nesting == Nesting::kFormatting) {
      ++formatting_;
      formatting_bytes_ += tag.AttributeBytes();
    }
    open_.push_back({name, nesting, tag.AttributeBytes()});
    return true;
  }

  // The number of open elements that the parser opens again in the next block, and the size of
  // their attributes.
  size_t formatting() const { return formatting_; }
  size_t formatting_bytes() const { return formatting_bytes_; }

  // Notes an end tag.
  void Close(const std::string& name, Nesting nesting) {
    switch (nesting) {
      case Nesting::kInline:
        return CloseInline(name);
      case Nesting::kFormatting:
        return CloseFormatting(name);
      case Nesting::kForm:
        return CloseForm();
      case Nesting::kTable:
        return CloseTable();
      case Nesting::kTablePart:
        if (name == "tr") CloseCell();
        return;
      default:
        return CloseBlock(name, nesting);
    }
  }

 private:
  struct Element {
    std::string name;
    Nesting nesting;
    size_t attribute_bytes;
  };
  using Iterator = std::vector<Element>::iterator;

  static bool IsSpecial(const Element& element) {
    return element.nesting != Nesting::kInline && element.nesting != Nesting::kFormatting;
  }

  static bool IsBarrier(const Element& element) {
    return element.nesting == Nesting::kTable || element.nesting == Nesting::kCell;
  }

  static bool IsHeading(const std::string& name) {
    return name.size() == 2 && name[0] == 'h' && absl::ascii_isdigit(name[1]);
  }

  static bool ClosesParagraph(Nesting nesting) {
    return nesting == Nesting::kBlock || nesting == Nesting::kListItem ||
           nesting == Nesting::kTable;
  }

  bool IsInTable() const {
    return std::any_of(open_.begin(), open_.end(),
                       [](const Element& e) { return e.nesting == Nesting::kTable; });
  }

  bool IsBetweenCells() {
    const auto barrier = Innermost(IsBarrier, [](const Element&) { return false; });
    return barrier != open_.end() && barrier->nesting == Nesting::kTable;
  }

  // Returns the innermost element for which `matches`, or end() if an element for which `stops`
  // is in its way.
  template <typename Matches, typename Stops>
  Iterator Innermost(Matches matches, Stops stops) {
    for (auto element = open_.end(); element != open_.begin();) {
      --element;
      if (matches(*element)) return element;
      if (stops(*element)) break;
    }
    return open_.end();
  }

  // Notes that an element is no longer open.
  void Discount(const Element& element) {
    if (element.nesting != Nesting::kFormatting) return;
    --formatting_;
    formatting_bytes_ -= element.attribute_bytes;
  }

  void Erase(Iterator element) {
    Discount(*element);
    open_.erase(element);
  }

  // Closes an element and those within it, except those that the parser opens again.
  void EraseFrom(Iterator element) {
    open_.erase(std::remove_if(element, open_.end(),
                               [](const Element& e) { return e.nesting != Nesting::kFormatting; }),
                open_.end());
  }

  void CloseBlock(const std::string& name, Nesting nesting) {
    const auto matches = [&name](const Element& e) {
      return e.name == name || (IsHeading(name) && IsHeading(e.name));
    };
    const auto stops = [nesting](const Element& e) {
      return IsBarrier(e) || (nesting == Nesting::kListItem && (e.name == "ul" || e.name == "ol"));
    };
    const auto found = Innermost(matches, stops);
    if (found == open_.end()) return;
    if (nesting == Nesting::kCell) return Truncate(found);
    EraseFrom(found);
  }

  void CloseTable() {
    CloseCell();
    const auto found = Innermost([](const Element& e) { return e.nesting == Nesting::kTable; },
                                 [](const Element&) { return false; });
    if (found != open_.end()) EraseFrom(found);
  }

  void CloseInline(const std::string& name) {
    const auto found = Innermost([&name](const Element& e) { return e.name == name; }, IsSpecial);
    if (found != open_.end()) EraseFrom(found);
  }

  // The parser moves the end of such an element into at most eight blocks.
  void CloseFormatting(const std::string& name) {
    int blocks = 0;
    const auto found = Innermost(
        [&name](const Element& e) { return e.name == name; },
        [&blocks](const Element& e) { return IsBarrier(e) || (IsSpecial(e) && ++blocks == 8); });
    if (found != open_.end()) Erase(found);
  }

  // Elements within a form stay open.
  void CloseForm() {
    const auto found =
        Innermost([](const Element& e) { return e.nesting == Nesting::kForm; }, IsBarrier);
    if (found != open_.end()) Erase(found);
  }

  void CloseListItem(const std::string& name) {
    const auto matches = [&name](const Element& e) {
      return e.nesting == Nesting::kListItem && (e.name == "li") == (name == "li");
    };
    const auto stops = [](const Element& e) {
      return IsSpecial(e) && e.name != "p" && e.name != "div" && e.name != "address";
    };
    const auto found = Innermost(matches, stops);
    if (found != open_.end()) EraseFrom(found);
  }

  // The end of a cell ends all that is in it.
  void CloseCell() {
    const auto found = Innermost([](const Element& e) { return e.nesting == Nesting::kCell; },
                                 [](const Element& e) { return e.nesting == Nesting::kTable; });
    if (found != open_.end()) Truncate(found);
  }

  void Truncate(Iterator from) {
    std::for_each(from, open_.end(), [this](const Element& element) { Discount(element); });
    open_.erase(from, open_.end());
  }

  std::vector<Element> open_;
  size_t formatting_ = 0;
  size_t formatting_bytes_ = 0;
};

class Cleaner {
 public:
  explicit Cleaner(absl::string_view html) : reader_(html) {}

  CleanHtml Run() {
    while (!reader_.is_at_end()) {
      AddText(reader_.TakeText());
      if (reader_.is_at_end()) break;
      const size_t begin = reader_.at();
      if (reader_.IsAtTag()) {
        PassTag();
      } else if (!reader_.PassComment()) {
        reader_.MoveTo(begin + 1);
        AddText("<");
      } else if (reader_.is_in_comment()) {
        NoteRest(begin);
      }
    }
    AddNotes();
    return std::move(clean_);
  }

 private:
  void AddNotes() {
    for (const auto& [name, count] : embedded_) {
      clean_.notes.push_back(
          absl::StrCat("left out ", count, " <", name, ">", count == 1 ? "" : " elements"));
    }
    if (formulas_of_text_ > 0) {
      clean_.notes.push_back(absl::StrCat("kept only the text of ", formulas_of_text_,
                                          formulas_of_text_ == 1 ? " formula" : " formulas"));
    }
    if (rest_ > 0) {
      clean_.notes.push_back(absl::StrCat("left out the last ", rest_,
                                          " bytes: the page ends in "
                                          "a comment, a tag or a script that is not closed"));
    }
  }

  void AddText(absl::string_view text) {
    absl::StrAppend(&clean_.html, absl::StrReplaceAll(WithoutRawControls(text), {{"<", "&lt;"}}));
  }

  void PassTag() {
    const size_t begin = reader_.at();
    const std::optional<Tag> tag = reader_.TakeTag();
    if (!tag) return NoteRest(begin);
    if (tag->name == "title") return PassTitle(*tag);
    if (tag->name == "math" && !tag->is_end) return PassFormula(*tag);
    const std::optional<Nesting> nesting = NestingOf(tag->name);
    if (!nesting) return;
    if (nesting == Nesting::kContentGone) return PassContent(*tag);
    if (!HasRoom()) return;
    if (nesting == Nesting::kVoid || nesting == Nesting::kRoot) {
      if (!tag->is_end) AddTag(*tag);
    } else if (tag->is_end) {
      open_.Close(tag->name, *nesting);
      AddTag(*tag);
    } else if (open_.Open(*tag, *nesting)) {
      AddTag(*tag);
    }
  }

  // Counts what the parser may make of a tag: an element, and others that it opens again.
  bool HasRoom() {
    elements_ += 1 + open_.formatting();
    repeated_bytes_ += open_.formatting_bytes();
    return elements_ <= kMaxElements && repeated_bytes_ <= kMaxRepeatedBytes;
  }

  // The text ends within what began here.
  void NoteRest(size_t begin) {
    reader_.MoveToEnd();
    rest_ = reader_.at() - begin;
  }

  void PassTitle(const Tag& tag) {
    if (tag.is_end) return;
    const std::optional<absl::string_view> title = reader_.TakeContent(tag.name);
    if (!title || !HasRoom()) return;
    absl::StrAppend(&clean_.html, "<title>");
    AddText(*title);
    absl::StrAppend(&clean_.html, "</title>");
  }

  // Of a formula that is no TeX only the text stays, with which `x²` becomes `x2`. The next end tag
  // and the TeX before it belong to the last formula that begins before them: those before it may
  // have no end.
  void PassFormula(const Tag& tag) {
    if (tag.is_self_closing) return;
    const size_t begin = reader_.at();
    if (begin > last_formula_) {
      const std::optional<absl::string_view> formula = reader_.TakeContent(tag.name);
      const size_t last = formula ? FindLastFormula(*formula) : absl::string_view::npos;
      const bool is_last = last == absl::string_view::npos;
      const absl::string_view tex = formula && is_last ? TexIn(*formula) : "";
      if (!tex.empty()) return AddFormula(tex);
      if (!is_last) last_formula_ = begin + last;
      reader_.MoveTo(begin);
    }
    ++formulas_of_text_;
  }

  void AddFormula(absl::string_view html) {
    const bool has_room = HasRoom();
    if (has_room) absl::StrAppend(&clean_.html, "<code class=\"math\">");
    AddText(absl::StripAsciiWhitespace(html));
    if (has_room) absl::StrAppend(&clean_.html, "</code>");
  }

  void TakeScript(absl::string_view type, absl::string_view script, size_t begin) {
    if (absl::EqualsIgnoreCase(type, "application/ld+json")) {
      clean_.json_ld.emplace_back(script);
    } else if (absl::StartsWithIgnoreCase(type, "math/mml")) {
      script_end_ = reader_.at();
      reader_.MoveTo(begin);
    } else if (absl::StartsWithIgnoreCase(type, "math/")) {
      AddFormula(absl::StrReplaceAll(script, {{"&", "&amp;"}}));
    }
  }

  void PassContent(const Tag& tag) {
    if (tag.is_end || (tag.name == "svg" && tag.is_self_closing)) return;
    if (IsEmbedded(tag.name)) ++embedded_[tag.name];
    const size_t begin = reader_.at();
    if (tag.name == "script" && begin < script_end_) return;  // It has no end of its own.
    const std::optional<absl::string_view> content = reader_.TakeContent(tag.name);
    if (!content && IsRawText(tag.name)) NoteRest(begin);
    const auto type = tag.attributes.find("type");
    if (content && tag.name == "script" && type != tag.attributes.end()) {
      TakeScript(type->second, *content, begin);
    }
  }

  void AddTag(const Tag& tag) {
    absl::StrAppend(&clean_.html, tag.is_end ? "</" : "<", tag.name);
    if (!tag.is_end) {
      for (const auto& [name, value] : tag.attributes) {
        absl::StrAppend(&clean_.html, " ", name, "=\"",
                        absl::StrReplaceAll(WithoutRawControls(value), {{"\"", "&quot;"}}), "\"");
      }
    }
    clean_.html.push_back('>');
  }

  TagReader reader_;
  OpenElements open_;
  size_t elements_ = 0;
  size_t repeated_bytes_ = 0;
  std::map<std::string, int> embedded_;
  size_t last_formula_ = 0;  // of those with one end, before which none is TeX
  size_t script_end_ = 0;    // of the last script that has a formula
  int formulas_of_text_ = 0;
  size_t rest_ = 0;  // the bytes at the end that were left out
  CleanHtml clean_;
};

}  // namespace

CleanHtml CleanUp(absl::string_view html) { return Cleaner(html).Run(); }

}  // namespace content::transfer
