#include "transfer/inline_markdown.h"

#include <cmark.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "content/html.h"
#include "content/text.h"
#include "content/utf8.h"

namespace content::transfer {
namespace {

// What a piece of text is marked as.
enum class Mark { kLink, kStrong, kEmphasis };
constexpr Mark kMarks[] = {Mark::kLink, Mark::kStrong, Mark::kEmphasis};

constexpr absl::string_view kStrike = "~~";

bool Has(const Run& run, Mark mark) {
  switch (mark) {
    case Mark::kLink:
      return !run.link.empty();
    case Mark::kStrong:
      return run.is_strong;
    case Mark::kEmphasis:
      return run.is_emphasized;
  }
  return false;
}

// Returns whether the same mark goes on from one piece to the other.
bool Shares(const Run& one, const Run& other, Mark mark) {
  return Has(one, mark) && Has(other, mark) && (mark != Mark::kLink || one.link == other.link);
}

void Unmark(Run& run, Mark mark) {
  switch (mark) {
    case Mark::kLink:
      return run.link.clear();
    case Mark::kStrong:
      run.is_strong = false;
      return;
    case Mark::kEmphasis:
      run.is_emphasized = false;
  }
}

bool IsBlank(const Run& run) {
  return run.kind == Run::Kind::kBreak ||
         (run.kind == Run::Kind::kText && TrimWhiteSpace(run.text).empty());
}

Runs Merged(Runs runs) {
  Runs merged;
  for (Run& run : runs) Append(std::move(run), merged);
  return merged;
}

// Makes one space of several, and removes those at the ends of lines.
Runs WithSingleSpaces(const Runs& runs) {
  Runs result;
  bool is_after_space = true;
  const auto remove_space = [&result] {
    if (!result.empty() && result.back().kind == Run::Kind::kText &&
        absl::EndsWith(result.back().text, " ")) {
      result.back().text.pop_back();
      if (result.back().text.empty()) result.pop_back();
    }
  };
  for (const Run& run : runs) {
    Run piece = run;
    if (run.kind == Run::Kind::kBreak) {
      remove_space();
      is_after_space = true;
    } else if (run.kind == Run::Kind::kText) {
      piece.text.clear();
      for (const char c : run.text) {
        const bool is_space = absl::ascii_isspace(c);
        if (!is_space || !is_after_space) piece.text.push_back(is_space ? ' ' : c);
        is_after_space = is_space;
      }
      if (piece.text.empty()) continue;
    } else {
      std::replace_if(piece.text.begin(), piece.text.end(), absl::ascii_isspace, ' ');
      absl::RemoveExtraAsciiWhitespace(&piece.text);
      if (run.kind == Run::Kind::kCode && piece.text.empty()) continue;
      is_after_space = false;
    }
    Append(std::move(piece), result);
  }
  remove_space();
  return result;
}

// Splits text into what is blank at its ends and what is between.
Runs WithBlanksApart(const Runs& runs) {
  Runs result;
  for (const Run& run : runs) {
    if (run.kind != Run::Kind::kText) {
      result.push_back(run);
      continue;
    }
    const absl::string_view text = run.text;
    const absl::string_view core = TrimWhiteSpace(text);
    const auto add = [&](absl::string_view part) {
      if (part.empty()) return;
      result.push_back(run);
      result.back().text = std::string(part);
    };
    if (core.empty()) {
      add(text);
      continue;
    }
    const auto begin = static_cast<size_t>(core.data() - text.data());
    add(text.substr(0, begin));
    add(core);
    add(text.substr(begin + core.size()));
  }
  return result;
}

// A mark neither begins nor ends with a blank.
void UnmarkBlanksAtEdges(Runs& runs) {
  for (const Mark mark : kMarks) {
    for (size_t i = 0; i < runs.size(); ++i) {
      if (IsBlank(runs[i]) && (i == 0 || !Shares(runs[i - 1], runs[i], mark)))
        Unmark(runs[i], mark);
    }
    for (size_t i = runs.size(); i-- > 0;) {
      if (IsBlank(runs[i]) && (i + 1 == runs.size() || !Shares(runs[i], runs[i + 1], mark))) {
        Unmark(runs[i], mark);
      }
    }
  }
}

// Returns whether readers would see something.
bool IsVisible(const Runs& runs) {
  return std::any_of(runs.begin(), runs.end(), [](const Run& run) {
    return run.kind == Run::Kind::kImage ||
           (run.kind != Run::Kind::kBreak && HasVisibleCharacter(run.text));
  });
}

Runs WithoutBlanksAround(Runs runs) {
  while (!runs.empty() && IsBlank(runs.back())) runs.pop_back();
  runs.erase(runs.begin(), std::find_if_not(runs.begin(), runs.end(), IsBlank));
  return runs;
}

// The characters that CommonMark takes for punctuation, as far as they are common. What is missing
// here costs a mark.
bool IsPunctuation(int32_t c) {
  if (c < 0x80) return c >= 0 && absl::ascii_ispunct(static_cast<unsigned char>(c));
  return (c >= 0xA1 && c <= 0xBF) || (c >= 0x2010 && c <= 0x205E) || (c >= 0x3001 && c <= 0x3003) ||
         (c >= 0x3008 && c <= 0x301F) || c == 0x30FB || (c >= 0xFF01 && c <= 0xFF0F) ||
         (c >= 0xFF1A && c <= 0xFF20) || (c >= 0xFF3B && c <= 0xFF40) ||
         (c >= 0xFF5B && c <= 0xFF65);
}

size_t LengthOfPunctuation(absl::string_view text) {
  absl::string_view rest = text;
  while (!rest.empty()) {
    absl::string_view next = rest;
    if (!IsPunctuation(TakeCharacter(next))) break;
    rest = next;
  }
  return text.size() - rest.size();
}

size_t LengthOfPunctuationAtEnd(absl::string_view text) {
  absl::string_view rest = text;
  while (!rest.empty()) {
    absl::string_view next = rest;
    if (!IsPunctuation(TakeLastCharacter(next))) break;
    rest = next;
  }
  return text.size() - rest.size();
}

// Unmarks the punctuation at the beginning of a mark in runs[i], if it follows a word.
void ShortenAtBegin(Runs& runs, size_t i, Mark mark) {
  if (i == 0 || !Has(runs[i], mark) || Shares(runs[i - 1], runs[i], mark) || IsBlank(runs[i - 1])) {
    return;
  }
  const size_t length =
      runs[i].kind == Run::Kind::kText ? LengthOfPunctuation(runs[i].text) : runs[i].text.size();
  if (runs[i].kind != Run::Kind::kText || length == runs[i].text.size()) {
    return Unmark(runs[i], mark);
  }
  if (length == 0) return;
  Run punctuation = runs[i];
  punctuation.text.resize(length);
  Unmark(punctuation, mark);
  runs[i].text.erase(0, length);
  runs.insert(runs.begin() + static_cast<std::ptrdiff_t>(i), std::move(punctuation));
}

// The same at the end.
void ShortenAtEnd(Runs& runs, size_t i, Mark mark) {
  if (i + 1 == runs.size() || !Has(runs[i], mark) || Shares(runs[i], runs[i + 1], mark) ||
      IsBlank(runs[i + 1])) {
    return;
  }
  const size_t length = runs[i].kind == Run::Kind::kText ? LengthOfPunctuationAtEnd(runs[i].text)
                                                         : runs[i].text.size();
  if (runs[i].kind != Run::Kind::kText || length == runs[i].text.size()) {
    return Unmark(runs[i], mark);
  }
  if (length == 0) return;
  Run punctuation = runs[i];
  punctuation.text.erase(0, punctuation.text.size() - length);
  Unmark(punctuation, mark);
  runs[i].text.resize(runs[i].text.size() - length);
  runs.insert(runs.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(punctuation));
}

// In a paragraph of very many pieces, which nobody writes, inserting would take quadratic time.
constexpr size_t kMaxRunsToShorten = 2'000;

Runs WithShorterMarks(Runs runs) {
  if (runs.size() > kMaxRunsToShorten) return runs;
  runs = WithBlanksApart(runs);
  for (const Mark mark : {Mark::kStrong, Mark::kEmphasis}) {
    for (size_t i = 0; i < runs.size(); ++i) ShortenAtBegin(runs, i, mark);
    for (size_t i = runs.size(); i-- > 0;) ShortenAtEnd(runs, i, mark);
  }
  return Merged(std::move(runs));
}

Runs WithoutEmphasis(Runs runs) {
  for (Run& run : runs) {
    Unmark(run, Mark::kStrong);
    Unmark(run, Mark::kEmphasis);
  }
  return Merged(std::move(runs));
}

std::string CodeSpan(absl::string_view code) {
  const std::string ticks(LongestRowOfBackticks(code) + 1, '`');
  const bool needs_space = absl::StartsWith(code, "`") || absl::EndsWith(code, "`");
  const absl::string_view space = needs_space ? " " : "";
  return absl::StrCat(ticks, space, code, space, ticks);
}

// Returns the number of bytes at the beginning of a line that would make it the beginning of a
// block if no backslash followed; nullopt if nothing would.
std::optional<size_t> BeginOfBlock(absl::string_view line) {
  if (line.empty()) return std::nullopt;
  const bool is_alone = line.size() == 1 || line[1] == ' ' || line[1] == '\t';
  switch (line[0]) {
    case '-':
      return is_alone || line[1] == '-' ? std::optional<size_t>(0) : std::nullopt;
    case '+':
      return is_alone ? std::optional<size_t>(0) : std::nullopt;
    case '#':
    case '>':
    case '=':
      return 0;
    default:
      break;
  }
  const size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  if (digits == 0 || digits > 9 || digits == line.size()) return std::nullopt;
  const bool is_number = line[digits] == '.' || line[digits] == ')';
  const bool is_end =
      digits + 1 == line.size() || line[digits + 1] == ' ' || line[digits + 1] == '\t';
  return is_number && is_end ? std::optional<size_t>(digits) : std::nullopt;
}

// Returns whether text[i] would be markup.
bool IsMarkup(absl::string_view text, size_t i) {
  switch (text[i]) {
    case '\\':
    case '`':
    case '*':
    case '[':
    case ']':
    case '<':
      return true;
    case '_':
      return i == 0 || i + 1 == text.size() || !absl::ascii_isalnum(text[i - 1]) ||
             !absl::ascii_isalnum(text[i + 1]);
    case '~':
      return i == 0 || text[i - 1] != '/';  // "example.org/~ada"
    case '!':
      return i + 1 == text.size();  // A link may follow.
    case '&':
      return CharacterReferenceLength(text.substr(i)) > 0;
    default:
      return false;
  }
}

std::string Escaped(absl::string_view text, bool is_at_line_start) {
  const std::optional<size_t> begin = is_at_line_start ? BeginOfBlock(text) : std::nullopt;
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == begin || IsMarkup(text, i)) escaped.push_back('\\');
    escaped.push_back(text[i]);
  }
  return escaped;
}

// Where a link leads, as it stands between parentheses.
std::string Destination(absl::string_view address) {
  std::string escaped;
  for (size_t i = 0; i < address.size(); ++i) {
    const bool is_reference = address[i] == '&' && CharacterReferenceLength(address.substr(i)) > 0;
    if (is_reference || address[i] == '(' || address[i] == ')') escaped.push_back('\\');
    escaped.push_back(address[i]);
  }
  return escaped;
}

// Writes the pieces of a paragraph one after another, and the marks around them.
class Writer {
 public:
  explicit Writer(const Runs& runs) : runs_(runs) {}

  std::string Write() {
    for (size_t i = 0; i < runs_.size(); ++i) {
      CloseMarks(i);
      OpenMarks(i);
      WriteRun(runs_[i]);
    }
    while (!open_.empty()) CloseInnermost(runs_.back());
    return std::move(text_);
  }

 private:
  // Closes the marks that end before runs_[i], and those within them.
  void CloseMarks(size_t i) {
    const auto ends = std::find_if(open_.begin(), open_.end(), [&](Mark mark) {
      return !Shares(runs_[i - 1], runs_[i], mark);
    });
    const auto kept = static_cast<size_t>(ends - open_.begin());
    while (open_.size() > kept) CloseInnermost(runs_[i - 1]);
  }

  void CloseInnermost(const Run& last) {
    switch (open_.back()) {
      case Mark::kLink:
        absl::StrAppend(&text_, "](", Destination(last.link), ")");
        break;
      case Mark::kStrong:
        absl::StrAppend(&text_, "**");
        break;
      case Mark::kEmphasis:
        absl::StrAppend(&text_, "*");
    }
    open_.pop_back();
  }

  // Opens the marks of runs_[i], those first that end last.
  void OpenMarks(size_t i) {
    std::vector<std::pair<size_t, Mark>> opening;
    for (const Mark mark : kMarks) {
      const bool is_open = std::find(open_.begin(), open_.end(), mark) != open_.end();
      if (Has(runs_[i], mark) && !is_open) opening.emplace_back(EndOf(mark, i), mark);
    }
    std::stable_sort(opening.begin(), opening.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [end, mark] : opening) {
      text_.append(mark == Mark::kLink ? "[" : mark == Mark::kStrong ? "**" : "*");
      open_.push_back(mark);
    }
  }

  size_t EndOf(Mark mark, size_t i) const {
    while (i + 1 < runs_.size() && Shares(runs_[i], runs_[i + 1], mark)) ++i;
    return i + 1;
  }

  void WriteRun(const Run& run) {
    switch (run.kind) {
      case Run::Kind::kText:
        text_.append(Escaped(run.text, text_.empty() || text_.back() == '\n'));
        break;
      case Run::Kind::kCode:
        text_.append(CodeSpan(run.text));
        break;
      case Run::Kind::kImage:
        absl::StrAppend(&text_, "![", Escaped(run.text, /*is_at_line_start=*/false), "](",
                        Destination(run.image), ")");
        break;
      case Run::Kind::kBreak:
        text_.append("\\\n");
        break;
      case Run::Kind::kStrike:
        absl::StrAppend(&text_, kStrike);
    }
  }

  const Runs& runs_;
  std::vector<Mark> open_;  // from the outermost
  std::string text_;
};

// Reads the pieces of a paragraph from CommonMark.
class Reader {
 public:
  // nullopt if `markdown` is not one paragraph, or has something that no paragraph of ours has.
  std::optional<Runs> Read(const std::string& markdown) {
    const std::unique_ptr<cmark_node, decltype(&cmark_node_free)> document(
        cmark_parse_document(markdown.data(), markdown.size(), CMARK_OPT_DEFAULT),
        &cmark_node_free);
    cmark_node* const paragraph = cmark_node_first_child(document.get());
    if (paragraph == nullptr || cmark_node_next(paragraph) != nullptr ||
        cmark_node_get_type(paragraph) != CMARK_NODE_PARAGRAPH) {
      return std::nullopt;
    }
    const std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> walk(cmark_iter_new(paragraph),
                                                                       &cmark_iter_free);
    for (cmark_event_type event = cmark_iter_next(walk.get()); event != CMARK_EVENT_DONE;
         event = cmark_iter_next(walk.get())) {
      if (!Pass(cmark_iter_get_node(walk.get()), event == CMARK_EVENT_ENTER)) return std::nullopt;
    }
    return std::move(runs_);
  }

 private:
  // Returns false if the node is not one of ours.
  bool Pass(cmark_node* node, bool is_enter) {
    switch (cmark_node_get_type(node)) {
      case CMARK_NODE_PARAGRAPH:
        return true;
      case CMARK_NODE_STRONG:
        style_.is_strong = is_enter;
        return true;
      case CMARK_NODE_EMPH:
        style_.is_emphasized = is_enter;
        return true;
      case CMARK_NODE_LINK:
        style_.link = is_enter ? cmark_node_get_url(node) : "";
        return true;
      case CMARK_NODE_IMAGE:
        PassImage(node, is_enter);
        return true;
      case CMARK_NODE_TEXT:
        Add(Run::Kind::kText, cmark_node_get_literal(node));
        return true;
      case CMARK_NODE_CODE:
        Add(Run::Kind::kCode, cmark_node_get_literal(node));
        return true;
      case CMARK_NODE_LINEBREAK:
        Add(Run::Kind::kBreak, "");
        return true;
      default:
        return false;
    }
  }

  // The text of an image becomes that of its piece.
  void PassImage(cmark_node* node, bool is_enter) {
    is_in_image_ = is_enter;
    if (!is_enter) return;
    runs_.push_back(style_);
    runs_.back().kind = Run::Kind::kImage;
    runs_.back().image = cmark_node_get_url(node);
  }

  void Add(Run::Kind kind, const char* text) {
    if (is_in_image_) {
      runs_.back().text.append(text);
      return;
    }
    Run run = style_;
    run.kind = kind;
    run.text = text;
    Append(std::move(run), runs_);
  }

  Run style_;
  bool is_in_image_ = false;
  Runs runs_;
};

// What a parser of CommonMark reads, for which strikes are text.
Runs WithStrikesAsText(Runs runs) {
  for (Run& run : runs) {
    if (run.kind != Run::Kind::kStrike) continue;
    run.kind = Run::Kind::kText;
    run.text = std::string(kStrike);
  }
  return Merged(std::move(runs));
}

// Every character that could mean something is escaped.
std::string WithEveryEscape(const Runs& runs) {
  std::string escaped;
  for (const Run& run : runs) {
    if (run.kind == Run::Kind::kStrike) absl::StrAppend(&escaped, kStrike);
    for (const char c : PlainText({run})) {
      if (absl::ascii_ispunct(static_cast<unsigned char>(c))) escaped.push_back('\\');
      escaped.push_back(c);
    }
  }
  return escaped;
}

}  // namespace

void Append(Run run, Runs& runs) {
  if (run.kind == Run::Kind::kStrike && !runs.empty() && runs.back() == run) {
    runs.pop_back();
    return;
  }
  const bool can_join = run.kind == Run::Kind::kText || run.kind == Run::Kind::kCode;
  if (can_join && !runs.empty()) {
    Run& last = runs.back();
    if (last.kind == run.kind && last.link == run.link && last.is_strong == run.is_strong &&
        last.is_emphasized == run.is_emphasized) {
      last.text.append(run.text);
      return;
    }
  }
  runs.push_back(std::move(run));
}

Runs Struck(const Runs& runs, const Run& style) {
  Run strike = style;
  strike.kind = Run::Kind::kStrike;
  Runs struck;
  const auto add_line = [&](const Runs& line) {
    const auto begin = std::find_if_not(line.begin(), line.end(), IsBlank);
    const auto end = std::find_if_not(line.rbegin(), line.rend(), IsBlank).base();
    if (!IsVisible(line)) {
      struck.insert(struck.end(), line.begin(), line.end());
      return;
    }
    struck.insert(struck.end(), line.begin(), begin);
    struck.push_back(strike);
    struck.insert(struck.end(), begin, end);
    struck.push_back(strike);
    struck.insert(struck.end(), end, line.end());
  };
  Runs line;
  for (Run& run : WithBlanksApart(runs)) {
    if (run.kind != Run::Kind::kBreak) {
      line.push_back(std::move(run));
      continue;
    }
    add_line(std::exchange(line, {}));
    struck.push_back(std::move(run));
  }
  add_line(line);
  return struck;
}

size_t LongestRowOfBackticks(absl::string_view text) {
  size_t longest = 0;
  size_t length = 0;
  for (const char c : text) {
    length = c == '`' ? length + 1 : 0;
    longest = std::max(longest, length);
  }
  return longest;
}

std::vector<Runs> Paragraphs(const Runs& runs) {
  std::vector<Runs> paragraphs;
  Runs paragraph;
  const auto end_paragraph = [&] {
    paragraph = WithoutBlanksAround(WithBlanksApart(paragraph));
    UnmarkBlanksAtEdges(paragraph);
    if (IsVisible(paragraph)) paragraphs.push_back(Merged(std::move(paragraph)));
    paragraph.clear();
  };
  for (Run& run : WithSingleSpaces(runs)) {
    const bool is_second_break = run.kind == Run::Kind::kBreak && !paragraph.empty() &&
                                 paragraph.back().kind == Run::Kind::kBreak;
    if (is_second_break) {
      end_paragraph();
    } else {
      paragraph.push_back(std::move(run));
    }
  }
  end_paragraph();
  return paragraphs;
}

std::string PlainText(const Runs& runs) {
  std::string text;
  for (const Run& run : runs) {
    if (run.kind == Run::Kind::kBreak) text.push_back(' ');
    if (run.kind == Run::Kind::kText || run.kind == Run::Kind::kCode) text.append(run.text);
  }
  return text;
}

std::string InlineMarkdown(Runs runs) {
  // Which marks a parser sees depends on what is around them, in ways that are easier to ask for
  // than to foretell.
  for (auto* simplified : {+[](Runs same) { return same; }, &WithShorterMarks, &WithoutEmphasis}) {
    runs = simplified(std::move(runs));
    std::string markdown = Writer(runs).Write();
    if (Reader().Read(markdown) == WithStrikesAsText(runs)) return markdown;
  }
  return WithEveryEscape(runs);
}

}  // namespace content::transfer
