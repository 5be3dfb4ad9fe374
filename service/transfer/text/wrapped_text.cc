#include "transfer/text/wrapped_text.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "content/text.h"
#include "content/utf8.h"
#include "transfer/inline_markdown.h"

namespace content::transfer {
namespace {

constexpr absl::string_view kSoftHyphen = "\u00AD";
constexpr absl::string_view kIdeographicSpace = "\u3000";

struct TextLine {
  absl::string_view raw;   // as in the file
  absl::string_view text;  // without surrounding spaces
  size_t indent = 0;       // in characters, as every length and width here
  size_t length = 0;
  size_t first_word_length = 0;
  bool ends_sentence = false;
  bool has_bullet = false;
  bool begins_paragraph = false;
};

// Consecutive lines, without a blank line or a section break between them.
using Lines = std::vector<TextLine>;

// The widths at which the lines of a page are wrapped. The first line of a paragraph has its own
// width, because it may have lost an indentation or a tag when the page was saved.
struct Widths {
  size_t first_line;
  size_t other_lines;
};

bool ConsumeAnySuffix(absl::string_view& text, const auto& endings) {
  return std::any_of(std::begin(endings), std::end(endings), [&text](absl::string_view ending) {
    return absl::ConsumeSuffix(&text, ending);
  });
}

// "[3]", "¹".
bool ConsumeNoteSign(absl::string_view& line) {
  static constexpr absl::string_view kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  if (ConsumeAnySuffix(line, kDigits)) return true;
  absl::string_view rest = line;
  if (!absl::ConsumeSuffix(&rest, "]")) return false;
  const size_t digits = rest.size() - (rest.find_last_not_of("0123456789") + 1);
  if (digits == 0) return false;
  rest.remove_suffix(digits);
  if (!absl::ConsumeSuffix(&rest, "[")) return false;
  line = rest;
  return true;
}

bool EndsSentence(absl::string_view line) {
  static constexpr absl::string_view kClosingMarks[] = {"\"", "'",  ")",  "]",  "”",  "’",
                                                        "“",  "‘",  "»",  "«",  "›",  "‹",
                                                        "」", "』", "）", "】", "》", "〉"};
  static constexpr absl::string_view kStops[] = {".",  "!", "?", "…", ":", "。", "！", "？", "．",
                                                 "：", "｡", "।", "॥", "۔", "؟",  "။",  "።"};
  static constexpr absl::string_view kDashes[] = {"—", "–", "--"};
  while (ConsumeNoteSign(line)) continue;
  bool is_quoted = false;
  while (ConsumeAnySuffix(line, kClosingMarks)) is_quoted = true;
  // Speech that is broken off.
  return ConsumeAnySuffix(line, kStops) || (is_quoted && ConsumeAnySuffix(line, kDashes));
}

// "1. ", "12) ", "a) ", "(b) ".
bool HasNumber(absl::string_view line) {
  const bool is_open = absl::ConsumePrefix(&line, "(");
  const size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  const bool is_letter =
      digits == 0 && line.size() > 1 && absl::ascii_isalpha(static_cast<unsigned char>(line[0]));
  if ((digits == 0 && !is_letter) || digits > 3) return false;
  line.remove_prefix(is_letter ? 1 : digits);
  const bool is_closed = absl::ConsumePrefix(&line, ")") ||
                         (!is_letter && !is_open && absl::ConsumePrefix(&line, "."));
  return is_closed && (absl::StartsWith(line, " ") || absl::StartsWith(line, "\t"));
}

// "Q: ", "A: ".
bool HasSpeaker(absl::string_view line) {
  return line.size() > 3 && absl::ascii_isupper(static_cast<unsigned char>(line[0])) &&
         absl::StartsWith(line.substr(1), ": ");
}

// Returns true for list items, but also for a wrapped line that happens to start with a dash.
bool HasBullet(absl::string_view line) {
  static constexpr absl::string_view kBullets[] = {"-", "*", "•", "–", "—", "·",
                                                   "‣", "◦", "▪", "●", "○", "+"};
  const bool has_sign =
      std::any_of(std::begin(kBullets), std::end(kBullets), [line](absl::string_view bullet) {
        absl::string_view rest = line;
        return absl::ConsumePrefix(&rest, bullet) &&
               (absl::StartsWith(rest, " ") || absl::StartsWith(rest, "\t"));
      });
  return has_sign || HasNumber(line) || HasSpeaker(line);
}

bool IsWrittenClosely(int32_t character) {
  if (character < 0) return false;
  const bool is_wide_mark =
      (character >= 0x3001 && character <= 0x303F) || (character >= 0xFF01 && character <= 0xFF65);
  return is_wide_mark || IsWrittenWithoutSpaces(static_cast<char32_t>(character));
}

bool BeginsClosely(absl::string_view text) {
  return !text.empty() && IsWrittenClosely(TakeCharacter(text));
}

bool EndsClosely(absl::string_view text) {
  return !text.empty() && IsWrittenClosely(TakeLastCharacter(text));
}

size_t IndentOf(absl::string_view raw) {
  size_t indent = 0;
  for (const char c : raw) {
    if (c != ' ' && c != '\t') break;
    indent += c == '\t' ? 8 - indent % 8 : 1;
  }
  return indent;
}

TextLine MakeLine(absl::string_view raw) {
  TextLine line{.raw = absl::StripTrailingAsciiWhitespace(raw), .text = TrimWhiteSpace(raw)};
  while (absl::ConsumePrefix(&line.text, "\u200B") || absl::ConsumePrefix(&line.text, "\uFEFF")) {
    line.text = TrimWhiteSpace(line.text);
  }
  line.indent = IndentOf(raw);
  line.length = CountCharacters(line.text);
  line.first_word_length =
      BeginsClosely(line.text) ? 1 : CountCharacters(line.text.substr(0, line.text.find(' ')));
  line.ends_sentence = EndsSentence(line.text);
  line.has_bullet = HasBullet(line.text);
  line.begins_paragraph = absl::StartsWith(raw, kIdeographicSpace);
  return line;
}

// Returns whether the first word of `next` would have fitted into `line`. Some marks must not begin
// a line, so lines without spaces may be two characters short.
bool StopsEarly(const TextLine& line, const TextLine& next, size_t width) {
  const size_t gap = EndsClosely(line.text) && BeginsClosely(next.text) ? 2 : 1;
  return line.length + gap + next.first_word_length <= width;
}

bool BeginsLowerCase(const TextLine& line) {
  absl::string_view text = line.text;
  return u_islower(TakeCharacter(text)) != 0;
}

// Returns whether a line begins with a capital, after quotation marks. A line in which there is
// nothing but capitals does not tell.
bool BeginsUpperCase(const TextLine& line) {
  absl::string_view text = line.text;
  int32_t first = TakeCharacter(text);
  while (!text.empty() && u_ispunct(first)) first = TakeCharacter(text);
  if (!u_isupper(first)) return false;
  while (!text.empty()) {
    if (u_islower(TakeCharacter(text))) return true;
  }
  return false;
}

// Returns whether a paragraph may end after line `i`: a sentence ends there, or a list item begins
// or ends.
bool MayEndParagraph(const Lines& block, size_t i) {
  if (i + 1 == block.size() || block[i].ends_sentence) return true;
  const TextLine& next = block[i + 1];
  if (next.has_bullet || next.begins_paragraph) return true;
  // An item goes on in lines that are indented, or that begin in mid-sentence.
  return block[i].has_bullet && next.indent <= block[i].indent && !BeginsLowerCase(next);
}

// Returns whether line `i` can only be the first of its paragraph: it stops in mid-sentence, and
// fills the width of first lines but not that of other lines.
bool MustBeFirst(const Lines& block, size_t i, const Widths& widths) {
  if (MayEndParagraph(block, i)) return false;
  return block[i].length <= widths.first_line &&
         !StopsEarly(block[i], block[i + 1], widths.first_line) &&
         StopsEarly(block[i], block[i + 1], widths.other_lines);
}

// Returns whether line `i`, the first of its paragraph, is a heading above the rest: it is short
// and no part of a sentence.
bool IsHeadingAbove(const Lines& block, size_t i, const Widths& widths) {
  const TextLine& line = block[i];
  const TextLine& next = block[i + 1];
  if (line.ends_sentence || line.has_bullet || BeginsLowerCase(line) || BeginsLowerCase(next)) {
    return false;
  }
  const bool is_cut = absl::EndsWith(line.text, ",") || absl::EndsWith(line.text, ";") ||
                      absl::EndsWith(line.text, "-") || absl::EndsWith(line.text, "—");
  return !is_cut && line.length * 10 <= widths.other_lines * 6 &&
         next.length * 10 > widths.other_lines * 6 && StopsEarly(line, next, widths.first_line) &&
         !EndsClosely(line.text);
}

// Returns whether line `i` is the last of its paragraph. `is_first`: whether it is also the first.
// A last line that happens to be full is recognised only by a narrower first line after it.
bool EndsParagraph(const Lines& block, size_t i, bool is_first, const Widths& widths) {
  if (i + 1 == block.size()) return true;
  if (is_first && IsHeadingAbove(block, i, widths)) return true;
  if (!MayEndParagraph(block, i)) return false;
  if (block[i + 1].begins_paragraph) return true;
  const size_t width = is_first ? widths.first_line : widths.other_lines;
  return StopsEarly(block[i], block[i + 1], width) || MustBeFirst(block, i + 1, widths);
}

// Returns how well `widths` explain the lines of `block`: the number of lines that agree minus the
// number that disagree. A line that ends in mid-sentence agrees if the next word would not have
// fitted, and disagrees if it would. A line that is too long disagrees. A line after which a
// paragraph may end does not count. Verse and lists, in which all lines disagree, count no more
// than a single line, so that they do not outvote the prose around them.
//
// An address of the web on a line of its own says nothing: it cannot be broken.
int Score(const Lines& block, const Widths& widths) {
  if (block.size() == 1 && !absl::StrContains(block[0].text, ' ')) return 0;
  int score = 0;
  int paragraph = 0;
  bool is_first = true;
  for (size_t i = 0; i < block.size(); ++i) {
    const size_t width = is_first ? widths.first_line : widths.other_lines;
    if (block[i].length > width) {
      --paragraph;
    } else if (!MayEndParagraph(block, i)) {
      paragraph += StopsEarly(block[i], block[i + 1], width) ? -1 : 1;
    }
    is_first = EndsParagraph(block, i, is_first, widths);
    if (!is_first) continue;
    score += std::max(paragraph, -1);
    paragraph = 0;
  }
  return score;
}

// Without these limits, the search for the widths could take minutes on a malicious page. Longer
// lines are whole paragraphs, and a sample of the lines shows how all are wrapped. A page has any
// number of parts, so theirs are smaller.
constexpr size_t kMinWidth = 16;  // Nothing is wrapped at less, but verse may be narrower.
constexpr size_t kMaxWidth = 200;
constexpr size_t kMaxSampleLines = 2'000;
constexpr size_t kMaxSampleLinesOfPart = 60;

// The blocks at the start of the page, cut after `max_lines`.
std::vector<Lines> Sample(const std::vector<Lines>& blocks, size_t max_lines) {
  std::vector<Lines> sample;
  size_t lines_left = max_lines;
  for (const Lines& block : blocks) {
    const size_t lines = std::min(block.size(), lines_left);
    sample.emplace_back(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(lines));
    lines_left -= lines;
    if (lines_left == 0) break;
  }
  return sample;
}

std::set<size_t> CandidateWidths(const std::vector<Lines>& blocks) {
  std::set<size_t> lengths;
  for (const Lines& block : blocks) {
    for (const TextLine& line : block) {
      if (line.length <= kMaxWidth) lengths.insert(line.length);
    }
  }
  return lengths;
}

struct FoundWidths {
  Widths widths;
  int score;
};

// Returns the widths with the best score. nullopt if none scores above zero: the lines are not
// wrapped.
//
// Neither the longest line nor the most common length gives the width: saved pages have a few lines
// that are too long, and many lines fall short of the width. Both widths are searched for together,
// because which lines are first lines depends on both. Among equal scores, the smallest width wins
// and one width for all lines wins over two; this joins paragraphs rather than cutting them where
// their end is in doubt.
std::optional<FoundWidths> FindWidths(const std::vector<Lines>& all_blocks,
                                      size_t max_lines = kMaxSampleLines) {
  const std::vector<Lines> blocks = Sample(all_blocks, max_lines);
  std::set<size_t> candidates = CandidateWidths(blocks);
  candidates.erase(candidates.begin(), candidates.lower_bound(kMinWidth));
  std::optional<FoundWidths> best;
  const auto consider = [&](const Widths& widths) {
    int score = 0;
    for (const Lines& block : blocks) score += Score(block, widths);
    if (score > (best ? best->score : 0)) best = {widths, score};
  };
  for (const size_t other_lines : candidates) {
    consider({.first_line = other_lines, .other_lines = other_lines});
    for (const size_t first_line : candidates) {
      if (first_line >= other_lines) break;
      consider({.first_line = first_line, .other_lines = other_lines});
    }
  }
  return best;
}

// How the lines of a text go on after those that end in mid-sentence.
struct Continuations {
  int all = 0;
  int lower_case = 0;
  int upper_case = 0;

  void Add(const Lines& lines) {
    for (size_t i = 0; i + 1 < lines.size(); ++i) {
      if (lines[i].ends_sentence || lines[i].has_bullet || lines[i + 1].has_bullet) continue;
      ++all;
      if (BeginsLowerCase(lines[i + 1])) ++lower_case;
      if (BeginsUpperCase(lines[i + 1])) ++upper_case;
    }
  }

  // Prose hardly has as many capitals at the start of its lines.
  bool AreOfVerse() const { return all >= 4 && upper_case * 5 >= all * 4; }
};

// Returns whether `lines` are no running text: most that end in mid-sentence stop early, or all
// are short.
bool AreKeptLines(const Lines& lines, const Widths& widths) {
  int early = 0;
  int full = 0;
  bool are_short = true;
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    are_short = are_short && lines[i].length * 10 <= widths.other_lines * 6;
    if (lines[i].has_bullet || lines[i].ends_sentence) continue;
    ++(StopsEarly(lines[i], lines[i + 1], widths.first_line) ? early : full);
  }
  constexpr size_t kFewLines = 3;
  if (are_short && early + full == 0) return lines.size() >= kFewLines;
  return early > full && (early > 1 || (are_short && !BeginsLowerCase(lines[1])));
}

// "----   -----", "+----+----+".
bool IsRuleOfTable(absl::string_view line) {
  return absl::StrContains(line, "--") && line.find_first_not_of("-+| ") == absl::string_view::npos;
}

// Returns whether the words of a line stand in columns.
bool HasColumns(const TextLine& line) {
  if (IsRuleOfTable(line.text)) return true;
  if (line.has_bullet) return false;
  return absl::StrContains(line.text, "   ") || absl::StrContains(line.text, '\t') ||
         std::count(line.text.begin(), line.text.end(), '|') >= 2;
}

// Returns whether lines are of running text, whatever their width: long, and most go on in lower
// case. Verse is shorter, or has signs at the end of its lines.
bool AreOfProse(const Lines& lines) {
  const auto columns = static_cast<size_t>(std::count_if(lines.begin(), lines.end(), HasColumns));
  if (columns * 3 >= lines.size()) return false;
  constexpr size_t kMinLength = 40;
  constexpr size_t kMinLengthWithSigns = 55;
  Continuations continuations;
  continuations.Add(lines);
  size_t length = 0;
  int ends = 0;
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    length += CountCharacters(lines[i].text);  // without the indent that may be of a centred line
    if (absl::StrContains(",;", lines[i].text.back())) ++ends;
  }
  const bool has_signs = ends * 3 > continuations.all;
  return continuations.lower_case > 0 && continuations.lower_case * 2 >= continuations.all &&
         length >= (lines.size() - 1) * (has_signs ? kMinLengthWithSigns : kMinLength);
}

// The widths of prose whose lines were broken by hand. It is no paragraph's end unless a line is
// far shorter than others.
Widths WidthsOfRaggedLines(const Lines& lines) {
  size_t length = 0;
  for (const TextLine& line : lines) length += line.length;
  const size_t width = length / lines.size() * 3 / 4;
  return {.first_line = width, .other_lines = width};
}

bool IsSuspendedHyphen(absl::string_view next) {
  static constexpr absl::string_view kWords[] = {
      "and ", "or ", "to ", "und ", "oder ", "et ", "ou ", "y ", "o ", "e ", "en ", "of ", "bis "};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [next](absl::string_view word) { return absl::StartsWith(next, word); });
}

// Returns whether a space belongs between a line and the next.
bool NeedsSpace(absl::string_view line, absl::string_view next) {
  if (EndsClosely(line) && BeginsClosely(next)) return false;
  for (const absl::string_view dash : {"-", "—", "–", "‐"}) {
    absl::string_view before = line;
    if (!absl::ConsumeSuffix(&before, dash)) continue;
    return before.empty() || before.back() == ' ' || (dash == "-" && IsSuspendedHyphen(next));
  }
  return true;
}

std::string Joined(const Lines& lines) {
  std::string text(lines[0].text);
  for (size_t i = 1; i < lines.size(); ++i) {
    const absl::string_view next = lines[i].text;
    if (absl::EndsWith(text, kSoftHyphen)) {
      text.resize(text.size() - kSoftHyphen.size());
    } else if (NeedsSpace(text, next)) {
      text.push_back(' ');
    }
    absl::StrAppend(&text, next);
  }
  // Justified lines have wider spaces.
  if (lines.size() > 1) absl::RemoveExtraAsciiWhitespace(&text);
  return text;
}

Block ParagraphOf(std::string text) {
  return {.runs = {{.text = absl::StrReplaceAll(text, {{kSoftHyphen, ""}})}}};
}

Block KeptLines(const Lines& lines) {
  Block block;
  for (const TextLine& line : lines) {
    if (!block.runs.empty()) block.runs.push_back({.kind = Run::Kind::kBreak});
    block.runs.push_back({.text = absl::StrReplaceAll(line.text, {{kSoftHyphen, ""}})});
  }
  return block;
}

// "<p>Hello</p>", but not "<https://example.org/>".
bool IsMarkup(absl::string_view text) {
  return absl::StartsWith(text, "<") && absl::EndsWith(text, ">") &&
         !absl::StartsWith(text, "<http");
}

// "return 0;", "f();", but no line of verse.
bool IsStatement(absl::string_view text) {
  if (!absl::ConsumeSuffix(&text, ";") || text.empty()) return false;
  return absl::ascii_isdigit(static_cast<unsigned char>(text.back())) ||
         absl::StrContains(")]}", text.back()) || absl::StrContains(text, '=');
}

bool EndsLikeCode(const TextLine& line) {
  const bool may_be_verse = BeginsUpperCase(line) || absl::StartsWith(line.text, "&");
  return (absl::StrContains("{};", line.text.back()) && !may_be_verse) || IsStatement(line.text) ||
         IsMarkup(line.text) || absl::StartsWith(line.text, "$ ");
}

bool IsTableOrCode(const Lines& block) {
  const auto most_have = [&block](bool (*property)(const TextLine&)) {
    const auto count = static_cast<size_t>(std::count_if(block.begin(), block.end(), property));
    return count >= 2 && count * 3 >= block.size() * 2;
  };
  return most_have(HasColumns) || (block.size() > 2 && most_have(EndsLikeCode));
}

// "print(x)", but not "(x)".
bool HasCall(absl::string_view text) {
  for (size_t at = text.find('('); at != absl::string_view::npos; at = text.find('(', at + 1)) {
    if (at == 0) continue;
    const auto before = static_cast<unsigned char>(text[at - 1]);
    if (absl::ascii_isalnum(before) || before == '_') return true;
  }
  return false;
}

// Returns whether an indented line has signs that prose hardly has.
bool IsLineOfCode(const TextLine& line) {
  static constexpr absl::string_view kSigns[] = {" = ", "==", "=>", "->", "::", "&&",
                                                 "||",  "()", "</", "/>", "+=", "!="};
  static constexpr absl::string_view kBeginnings[] = {"#include", "#!", "$ ", "//", "/*"};
  static constexpr absl::string_view kPython[] = {"def ", "class ", "elif ", "else:", "try:"};
  const absl::string_view text = line.text;
  const auto begins = [text](absl::string_view begin) { return absl::StartsWith(text, begin); };
  const auto has = [text](absl::string_view sign) { return absl::StrContains(text, sign); };
  return absl::StrContains("{}", text.back()) || IsStatement(text) || IsMarkup(text) ||
         HasCall(text) || std::any_of(std::begin(kSigns), std::end(kSigns), has) ||
         std::any_of(std::begin(kBeginnings), std::end(kBeginnings), begins) ||
         (text.back() == ':' && std::any_of(std::begin(kPython), std::end(kPython), begins)) ||
         (text[0] == '"' && has("\":"));
}

// Returns the blanks with which all lines begin that have something else.
absl::string_view CommonIndent(const Lines& lines) {
  std::optional<absl::string_view> indent;
  for (const TextLine& line : lines) {
    if (line.text.empty()) continue;
    const size_t length = std::min(line.raw.find_first_not_of(" \t"), line.raw.size());
    if (!indent) indent = line.raw.substr(0, length);
    size_t common = 0;
    while (common < std::min(indent->size(), length) && (*indent)[common] == line.raw[common]) {
      ++common;
    }
    indent = indent->substr(0, common);
  }
  return indent.value_or("");
}

Block CodeOf(const Lines& lines, std::string language = "") {
  const size_t indent = CommonIndent(lines).size();
  const auto append = [indent](std::string* code, const TextLine& line) {
    absl::StrAppend(code, line.raw.substr(std::min(indent, line.raw.size())));
  };
  return {.kind = Block::Kind::kCode,
          .code = absl::StrJoin(lines, "\n", append),
          .language = std::move(language)};
}

bool IsQuote(const Lines& block) {
  return block.size() > 1 && std::all_of(block.begin(), block.end(), [](const TextLine& line) {
           return absl::StartsWith(line.text, ">");
         });
}

// How paragraphs are told apart on a page.
struct Layout {
  std::optional<Widths> widths = {};  // unset: each line is a paragraph or a verse
  bool is_verse = false;
  bool has_indents = false;      // The first line of each is indented.
  bool has_blank_lines = false;  // There is a blank line between any two.
};

// Returns whether line `i` goes on from the one before: as an item of a list, or in mid-sentence.
bool GoesOnFromAbove(const Lines& block, size_t i) {
  constexpr size_t kMinLength = 40;
  const TextLine& above = block[i - 1];
  if (block[i].has_bullet || above.ends_sentence) return false;
  const bool is_long = above.length >= kMinLength || above.has_bullet;
  return (is_long && BeginsLowerCase(block[i])) ||
         (above.has_bullet && block[i].indent > above.indent);
}

std::vector<Lines> SplitAtIndents(const Lines& block) {
  std::vector<Lines> paragraphs;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool is_indented = i > 0 && block[i].indent >= block[i - 1].indent + 2;
    if (i == 0 || (is_indented && !GoesOnFromAbove(block, i))) paragraphs.emplace_back();
    paragraphs.back().push_back(block[i]);
  }
  return paragraphs;
}

std::vector<Lines> SplitAtEarlyStops(const Lines& block, const Widths& widths) {
  std::vector<Lines> paragraphs;
  bool is_first = true;
  for (size_t i = 0; i < block.size(); ++i) {
    if (is_first) paragraphs.emplace_back();
    paragraphs.back().push_back(block[i]);
    is_first = EndsParagraph(block, i, is_first, widths);
  }
  return paragraphs;
}

std::vector<Lines> SplitAtLines(const Lines& block) {
  std::vector<Lines> paragraphs;
  for (size_t i = 0; i < block.size(); ++i) {
    if (i == 0 || !GoesOnFromAbove(block, i)) paragraphs.emplace_back();
    paragraphs.back().push_back(block[i]);
  }
  return paragraphs;
}

bool HasBulletAfterFirst(const Lines& block) {
  return std::any_of(block.begin() + 1, block.end(),
                     [](const TextLine& l) { return l.has_bullet; });
}

std::vector<Lines> SplitIntoParagraphs(const Lines& block, const Layout& layout) {
  if (!layout.widths) return SplitAtLines(block);
  if (layout.has_indents && !HasBulletAfterFirst(block)) return SplitAtIndents(block);
  if (layout.has_blank_lines && !HasBulletAfterFirst(block)) return {block};
  return SplitAtEarlyStops(block, *layout.widths);
}

bool MayBeStanza(const Lines& block) {
  constexpr size_t kMaxCharactersOfVerse = 80;
  return block.size() > 1 && std::all_of(block.begin(), block.end(), [](const TextLine& line) {
           return line.length <= kMaxCharactersOfVerse && !line.has_bullet;
         });
}

// Returns the widths of a block on a page that is not wrapped as a whole; nullopt if the block is
// not wrapped either. Beside what FindWidths asks for, most lines must go on in lower case.
std::optional<Widths> OwnWidths(const Lines& block) {
  if (block.size() > kMaxSampleLinesOfPart) return std::nullopt;
  Continuations continuations;
  continuations.Add(block);
  if (continuations.lower_case == 0 || continuations.lower_case * 2 < continuations.all) {
    return std::nullopt;
  }
  const std::optional<FoundWidths> found = FindWidths({block});
  if (!found || found->score * 2 < continuations.all) return std::nullopt;
  return found->widths;
}

bool AreLinesKept(const Lines& block, const Layout& layout) {
  if (layout.widths) return AreKeptLines(block, *layout.widths) && !HasBulletAfterFirst(block);
  return (layout.has_blank_lines || layout.is_verse) && MayBeStanza(block);
}

void AddBlocks(const Lines& block, Layout layout, std::vector<Block>& blocks) {
  if (IsTableOrCode(block)) {
    blocks.push_back(CodeOf(block));
    return;
  }
  if (!layout.widths) layout.widths = OwnWidths(block);
  if (AreLinesKept(block, layout) && AreOfProse(block)) {
    const std::optional<Widths> widths = OwnWidths(block);
    layout = {.widths = widths ? *widths : WidthsOfRaggedLines(block)};
  } else if (AreLinesKept(block, layout)) {
    blocks.push_back(KeptLines(block));
    return;
  }
  for (const Lines& paragraph : SplitIntoParagraphs(block, layout)) {
    const bool is_verse =
        layout.widths && AreKeptLines(paragraph, *layout.widths) && !AreOfProse(paragraph);
    blocks.push_back(is_verse ? KeptLines(paragraph) : ParagraphOf(Joined(paragraph)));
  }
}

// A quote in the manner of letters, without the signs before its lines.
Block QuoteOf(const Lines& block) {
  Lines inner;
  for (const TextLine& line : block) {
    absl::string_view raw = line.text.substr(1);
    absl::ConsumePrefix(&raw, " ");
    if (HasVisibleCharacter(raw)) inner.push_back(MakeLine(raw));
  }
  Block quote{.kind = Block::Kind::kQuote};
  if (inner.empty()) return quote;
  const std::optional<FoundWidths> found = FindWidths({inner}, kMaxSampleLinesOfPart);
  AddBlocks(inner, {.widths = found ? std::optional(found->widths) : std::nullopt}, quote.children);
  return quote;
}

bool HasIndents(const std::vector<Lines>& blocks) {
  size_t indented = 0;
  size_t lines = 0;
  for (const Lines& block : blocks) {
    for (size_t i = 1; i < block.size(); ++i) {
      ++lines;
      if (block[i].indent >= block[i - 1].indent + 2 && !block[i - 1].has_bullet) ++indented;
    }
  }
  return indented >= 3 && indented * 2 <= lines;
}

// Most blocks that could be several paragraphs are one.
bool AreBlocksParagraphs(const std::vector<Lines>& blocks, const Widths& widths) {
  size_t several = 0;
  size_t total = 0;
  for (const Lines& block : blocks) {
    if (block.size() < 2 || AreKeptLines(block, widths) || HasBulletAfterFirst(block)) continue;
    ++total;
    if (SplitAtEarlyStops(block, widths).size() > 1) ++several;
  }
  return total >= 4 && several * 4 <= total;
}

Layout LayoutOf(std::vector<Lines>& blocks) {
  Layout layout{.has_indents = HasIndents(blocks)};
  if (layout.has_indents) {
    for (Lines& block : blocks) {
      for (TextLine& line : block) line.length += line.indent;
    }
  }
  Continuations continuations;
  for (const Lines& block : blocks) continuations.Add(block);
  const std::optional<FoundWidths> found = FindWidths(blocks);
  // German and lists of names may have as many capitals, but their lines are full.
  constexpr size_t kMinWidthOfProse = 40;
  const bool is_full = found && found->widths.other_lines >= kMinWidthOfProse &&
                       found->score * 4 >= continuations.all * 3;
  layout.is_verse = continuations.AreOfVerse() && !is_full;
  if (found && !layout.is_verse) {
    layout.widths = found->widths;
    layout.has_blank_lines = AreBlocksParagraphs(blocks, found->widths);
  } else {
    layout.has_blank_lines = blocks.size() > 1;
  }
  return layout;
}

// "***", "*   *   *", "---", "⁂".
bool IsSectionBreak(absl::string_view line) {
  const std::string signs = absl::StrReplaceAll(line, {{" ", ""}, {"\u00A0", ""}, {"\t", ""}});
  static constexpr absl::string_view kSigns[] = {"#", "⁂", "§", "❧", "❦", "☙", "⸻", "◊", "※"};
  if (std::find(std::begin(kSigns), std::end(kSigns), signs) != std::end(kSigns)) return true;
  for (const absl::string_view sign :
       {"*", "-", "_", "~", "=", "•", "·", "—", "–", "◊", "❦", "#"}) {
    absl::string_view rest = signs;
    int count = 0;
    while (absl::ConsumePrefix(&rest, sign)) ++count;
    // A few equals signs may be of the text.
    if (count >= (sign == "=" ? 8 : 3) && rest.empty()) return true;
  }
  return false;
}

// What stands between two blank lines, unless it is code.
struct Piece {
  enum class Kind { kText, kHeading, kCode };

  Kind kind = Kind::kText;
  Lines lines = {};
  size_t blank_lines_before = 0;
  int level = 0;              // of a heading
  std::string language = {};  // of code
};

using Section = std::vector<Piece>;

// Takes a page apart. A blank line may be one of spaces that do not break or are not seen.
class SectionReader {
 public:
  explicit SectionReader(const std::vector<std::string>& lines) : lines_(lines) {
    for (size_t i = 0; i < lines.size(); ++i) {
      if (IsFence(lines[i])) last_fence_ = i;
    }
  }

  std::vector<Section> Read() {
    for (size_t i = 0; i < lines_.size(); ++i) {
      const std::string& line = lines_[i];
      if (!HasVisibleCharacter(line)) {
        is_new_ = true;
        ++blank_lines_;
      } else if (const std::optional<size_t> end = ReadFencedCode(i)) {
        i = *end;
      } else if (ReadUnderline(line)) {
        continue;
      } else if (IsSectionBreak(line) && !IsBelowColumns(line)) {
        if (!sections_.back().empty()) sections_.emplace_back();
        is_new_ = true;
      } else {
        AddLine(line);
      }
    }
    if (sections_.back().empty()) sections_.pop_back();
    for (Section& section : sections_) section = WithIndentedCode(std::move(section));
    return std::move(sections_);
  }

 private:
  static bool IsFence(absl::string_view line) {
    return absl::StartsWith(line, "```") &&
           line.find_first_not_of("` \t\r") == absl::string_view::npos;
  }

  Piece& AddPiece() {
    sections_.back().push_back({.blank_lines_before = blank_lines_});
    blank_lines_ = 0;
    return sections_.back().back();
  }

  void AddLine(absl::string_view line) {
    if (is_new_) AddPiece();
    sections_.back().back().lines.push_back(MakeLine(line));
    is_new_ = false;
  }

  // Reads code between fences, and returns the index of the last one.
  std::optional<size_t> ReadFencedCode(size_t begin) {
    absl::string_view language = absl::StripAsciiWhitespace(lines_[begin]);
    if (begin >= last_fence_ || !absl::ConsumePrefix(&language, "```") ||
        language.find_first_of("` ") != absl::string_view::npos) {
      return std::nullopt;
    }
    size_t end = begin + 1;
    while (!IsFence(lines_[end])) ++end;
    Piece& code = AddPiece();
    code.kind = Piece::Kind::kCode;
    code.language = std::string(language);
    for (size_t i = begin + 1; i < end; ++i) code.lines.push_back(MakeLine(lines_[i]));
    is_new_ = true;
    return end;
  }

  // Returns whether `line` is the rule below the head of a table.
  bool IsBelowColumns(absl::string_view line) const {
    if (is_new_ || !IsRuleOfTable(line)) return false;
    const Lines& block = sections_.back().back().lines;
    const bool has_columns = absl::StrContains(absl::StripAsciiWhitespace(line), "-- ");
    return HasColumns(block.back()) || (has_columns && block.size() == 1);
  }

  // Makes a heading of the line above, if `line` underlines it. Returns whether it does.
  bool ReadUnderline(absl::string_view line) {
    const absl::string_view rule = absl::StripAsciiWhitespace(line);
    constexpr size_t kMinLength = 3;
    if (is_new_ || rule.size() < kMinLength || !absl::StrContains("-=~", rule[0]) ||
        rule.find_first_not_of(rule[0]) != absl::string_view::npos) {
      return false;
    }
    Lines& lines = sections_.back().back().lines;
    const TextLine above = lines.back();
    if (HasColumns(above)) return false;
    const bool has_overline = lines.size() == 2 && lines[0].text == rule;
    const bool is_alone = lines.size() == 1 || has_overline;
    if (!is_alone && (above.ends_sentence || !lines[lines.size() - 2].ends_sentence)) return false;
    // A break may stand right below a sentence.
    const size_t most = above.ends_sentence || !is_alone ? 0 : 2;
    if (std::max(rule.size(), above.length) - std::min(rule.size(), above.length) > most) {
      return false;
    }
    if (!is_alone) lines.pop_back();
    Piece& heading = is_alone ? sections_.back().back() : AddPiece();
    heading.kind = Piece::Kind::kHeading;
    heading.level = LevelOf(rule[0]);
    heading.lines = {above};
    is_new_ = true;
    return true;
  }

  // Below the title, the signs stand for levels in the order in which they appear.
  int LevelOf(char sign) {
    size_t level = signs_of_levels_.find(sign);
    if (level == std::string::npos) {
      level = signs_of_levels_.size();
      signs_of_levels_.push_back(sign);
    }
    return static_cast<int>(level) + 2;
  }

  static bool IsIndented(const Piece& piece) {
    constexpr size_t kIndent = 4;
    return piece.kind == Piece::Kind::kText &&
           std::all_of(piece.lines.begin(), piece.lines.end(),
                       [](const TextLine& line) { return line.indent >= kIndent; });
  }

  // Returns the section with its runs of indented pieces joined that are code.
  static Section WithIndentedCode(Section section) {
    Section result;
    for (size_t i = 0; i < section.size();) {
      size_t end = i;
      size_t lines = 0;
      size_t lines_of_code = 0;
      while (end < section.size() && IsIndented(section[end])) {
        const Lines& added = section[end].lines;
        lines += added.size();
        lines_of_code +=
            static_cast<size_t>(std::count_if(added.begin(), added.end(), IsLineOfCode));
        ++end;
      }
      const bool is_code = lines > 0 && lines_of_code * 2 >= lines;
      const size_t first = result.size();
      for (end = std::max(end, i + 1); i < end; ++i) {
        if (!is_code || result.size() == first) {
          result.push_back(std::move(section[i]));
          continue;
        }
        Lines& code = result.back().lines;
        code.resize(code.size() + section[i].blank_lines_before);
        code.insert(code.end(), section[i].lines.begin(), section[i].lines.end());
      }
      if (is_code) result.back().kind = Piece::Kind::kCode;
    }
    return result;
  }

  const std::vector<std::string>& lines_;
  std::vector<Section> sections_ = std::vector<Section>(1);
  std::string signs_of_levels_;
  size_t last_fence_ = 0;
  size_t blank_lines_ = 0;
  bool is_new_ = true;
};

Block HeadingOf(const Piece& piece) {
  Block block = ParagraphOf(Joined(piece.lines));
  block.kind = Block::Kind::kHeading;
  block.level = piece.level;
  return block;
}

// Returns whether lines with blank lines between them are of one text that is wrapped.
bool AreWrapped(Lines lines) {
  lines.resize(std::min(lines.size(), kMaxSampleLines));
  Continuations continuations;
  continuations.Add(lines);
  return static_cast<size_t>(continuations.all) * 3 >= lines.size() && AreOfProse(lines) &&
         FindWidths({lines}).has_value();
}

// Returns the lines of a page without the blank lines that are between nearly all, if there are
// some and the rest is wrapped; nullopt otherwise. Where more blank lines are, paragraphs end.
std::optional<std::vector<std::string>> WithoutLineSpacing(const std::vector<std::string>& lines) {
  Lines block;
  std::vector<size_t> gaps;
  size_t blank = 0;
  for (const std::string& line : lines) {
    if (!HasVisibleCharacter(line)) {
      ++blank;
      continue;
    }
    if (!block.empty()) gaps.push_back(blank);
    blank = 0;
    block.push_back(MakeLine(line));
  }
  constexpr size_t kFewLines = 6;
  if (block.size() < kFewLines) return std::nullopt;
  // Some lines, such as those of a heading, may stand closer.
  const auto usual = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 4);
  std::nth_element(gaps.begin(), usual, gaps.end());
  const size_t spacing = *usual;
  if (spacing == 0 || !AreWrapped(std::move(block))) return std::nullopt;
  std::vector<std::string> single;
  for (const std::string& line : lines) {
    blank = HasVisibleCharacter(line) ? 0 : blank + 1;
    if (blank == 0 || blank > spacing) single.push_back(line);
  }
  return single;
}

}  // namespace

std::vector<Block> BlocksOfText(const std::vector<std::string>& lines) {
  const std::optional<std::vector<std::string>> single = WithoutLineSpacing(lines);
  const std::vector<Section> sections = SectionReader(single ? *single : lines).Read();
  std::vector<Lines> all;
  for (const Section& section : sections) {
    for (const Piece& piece : section) {
      if (piece.kind == Piece::Kind::kText) all.push_back(piece.lines);
    }
  }
  const Layout layout = LayoutOf(all);
  std::vector<Block> blocks;
  auto text = all.begin();
  for (const Section& section : sections) {
    if (!blocks.empty()) blocks.push_back({.kind = Block::Kind::kBreak});
    for (const Piece& piece : section) {
      if (piece.kind == Piece::Kind::kCode) {
        blocks.push_back(CodeOf(piece.lines, piece.language));
      } else if (piece.kind == Piece::Kind::kHeading) {
        blocks.push_back(HeadingOf(piece));
      } else if (const Lines& block = *text++; IsQuote(block)) {
        blocks.push_back(QuoteOf(block));
      } else {
        AddBlocks(block, layout, blocks);
      }
    }
  }
  return blocks;
}

}  // namespace content::transfer
