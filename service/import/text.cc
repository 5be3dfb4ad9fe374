#include "import/text.h"

#include <cmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/text.h"

namespace content::importer {
namespace {

constexpr absl::string_view kDateFormat = "%A, %B %d, %Y";

struct Line {
  absl::string_view text;  // without surrounding spaces
  size_t length = 0;       // in characters, as every length and width here
  size_t first_word_length = 0;
  bool ends_sentence = false;
  bool has_bullet = false;
};

// Consecutive lines, without a blank line or a section break between them.
using Block = std::vector<Line>;
using Section = std::vector<Block>;

// The widths at which the lines of a page are wrapped. The first line of a paragraph has its own
// width, because it may have lost an indentation or a tag when the page was saved.
struct Widths {
  size_t first_line;
  size_t other_lines;
};

bool EndsSentence(absl::string_view line) {
  static constexpr absl::string_view kClosingMarks[] = {"\"", "'", ")", "]", "”", "’",
                                                        "“",  "‘", "»", "«", "›", "‹"};
  static constexpr absl::string_view kStops[] = {".", "!", "?", "…", ":"};
  const auto take_mark = [&line](absl::string_view mark) {
    return absl::ConsumeSuffix(&line, mark);
  };
  while (std::any_of(std::begin(kClosingMarks), std::end(kClosingMarks), take_mark)) continue;
  return std::any_of(std::begin(kStops), std::end(kStops), take_mark);
}

// Returns true for list items, but also for a wrapped line that happens to start with a dash.
bool HasBullet(absl::string_view line) {
  return absl::StartsWith(line, "- ") || absl::StartsWith(line, "• ") ||
         absl::StartsWith(line, "* ");
}

Line MakeLine(absl::string_view text) {
  return {.text = text,
          .length = CountCharacters(text),
          .first_word_length = CountCharacters(text.substr(0, text.find(' '))),
          .ends_sentence = EndsSentence(text),
          .has_bullet = HasBullet(text)};
}

// Returns whether the first word of `next` would have fitted into `line`.
bool StopsEarly(const Line& line, const Line& next, size_t width) {
  return line.length + 1 + next.first_word_length <= width;
}

// Returns whether a paragraph may end after line `i`: a sentence ends there, or a list item begins
// or ends.
bool MayEndParagraph(const Block& block, size_t i) {
  return i + 1 == block.size() || block[i].ends_sentence || block[i].has_bullet ||
         block[i + 1].has_bullet;
}

// Returns whether line `i` can only be the first of its paragraph: it stops in mid-sentence, and
// fills the width of first lines but not that of other lines.
bool MustBeFirst(const Block& block, size_t i, const Widths& widths) {
  if (MayEndParagraph(block, i)) return false;
  return block[i].length <= widths.first_line &&
         !StopsEarly(block[i], block[i + 1], widths.first_line) &&
         StopsEarly(block[i], block[i + 1], widths.other_lines);
}

// Returns whether line `i` is the last of its paragraph. `is_first`: whether it is also the first.
// A last line that happens to be full is recognised only by a narrower first line after it.
bool EndsParagraph(const Block& block, size_t i, bool is_first, const Widths& widths) {
  if (i + 1 == block.size()) return true;
  if (!MayEndParagraph(block, i)) return false;
  const size_t width = is_first ? widths.first_line : widths.other_lines;
  return StopsEarly(block[i], block[i + 1], width) || MustBeFirst(block, i + 1, widths);
}

// Returns how well `widths` explain the lines of `block`: the number of lines that agree minus the
// number that disagree. A line that ends in mid-sentence agrees if the next word would not have
// fitted, and disagrees if it would. A line that is too long disagrees. A line after which a
// paragraph may end does not count.
int Score(const Block& block, const Widths& widths) {
  int score = 0;
  bool is_first = true;
  for (size_t i = 0; i < block.size(); ++i) {
    const size_t width = is_first ? widths.first_line : widths.other_lines;
    if (block[i].length > width) {
      --score;
    } else if (!MayEndParagraph(block, i)) {
      score += StopsEarly(block[i], block[i + 1], width) ? -1 : 1;
    }
    is_first = EndsParagraph(block, i, is_first, widths);
  }
  return score;
}

// Without these limits, the search for the widths could take minutes on a malicious page. Longer
// lines are whole paragraphs, and a sample of the lines shows how all are wrapped.
constexpr size_t kMaxWidth = 200;
constexpr size_t kMaxSampleLines = 2'000;

// The blocks at the start of the page, cut after kMaxSampleLines.
std::vector<Block> SampleBlocks(const std::vector<Section>& sections) {
  std::vector<Block> blocks;
  size_t lines_left = kMaxSampleLines;
  for (const Section& section : sections) {
    for (const Block& block : section) {
      const size_t lines = std::min(block.size(), lines_left);
      blocks.emplace_back(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(lines));
      lines_left -= lines;
      if (lines_left == 0) return blocks;
    }
  }
  return blocks;
}

std::set<size_t> CandidateWidths(const std::vector<Block>& blocks) {
  std::set<size_t> lengths;
  for (const Block& block : blocks) {
    for (const Line& line : block) {
      if (line.length <= kMaxWidth) lengths.insert(line.length);
    }
  }
  return lengths;
}

// Returns the widths with the best score. nullopt if none scores above zero: the lines are not
// wrapped.
//
// Neither the longest line nor the most common length gives the width: saved pages have a few lines
// that are too long, and many lines fall short of the width. Both widths are searched for together,
// because which lines are first lines depends on both. Among equal scores, the smallest width wins
// and one width for all lines wins over two; this joins paragraphs rather than cutting them where
// their end is in doubt.
std::optional<Widths> FindWidths(const std::vector<Section>& sections) {
  const std::vector<Block> blocks = SampleBlocks(sections);
  const std::set<size_t> candidates = CandidateWidths(blocks);
  std::optional<Widths> best;
  int best_score = 0;
  const auto consider = [&](const Widths& widths) {
    int score = 0;
    for (const Block& block : blocks) score += Score(block, widths);
    if (score <= best_score) return;
    best_score = score;
    best = widths;
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

std::vector<std::string> Paragraphs(const Block& block, const std::optional<Widths>& widths) {
  std::vector<std::string> paragraphs;
  bool is_first = true;
  for (size_t i = 0; i < block.size(); ++i) {
    if (is_first) {
      paragraphs.emplace_back(block[i].text);
    } else {
      absl::StrAppend(&paragraphs.back(), " ", block[i].text);
    }
    is_first = !widths || EndsParagraph(block, i, is_first, *widths);
  }
  return paragraphs;
}

// Returns a paragraph of plain text as CommonMark, with everything escaped that would be markup.
std::string ParagraphInMarkdown(const std::string& text) {
  const std::unique_ptr<cmark_node, decltype(&cmark_node_free)> document(
      cmark_node_new(CMARK_NODE_DOCUMENT), &cmark_node_free);
  cmark_node* paragraph = cmark_node_new(CMARK_NODE_PARAGRAPH);
  cmark_node_append_child(document.get(), paragraph);
  cmark_node* content = cmark_node_new(CMARK_NODE_TEXT);
  cmark_node_append_child(paragraph, content);
  cmark_node_set_literal(content, text.c_str());
  const std::unique_ptr<char, decltype(&std::free)> markdown(
      cmark_render_commonmark(document.get(), CMARK_OPT_DEFAULT, /*width=*/0), &std::free);
  // cmark escapes everything except a fence of tildes.
  const absl::string_view escape = absl::StartsWith(text, "~~~") ? "\\" : "";
  return absl::StrCat(escape, absl::StripTrailingAsciiWhitespace(markdown.get()));
}

std::string SectionInMarkdown(const Section& section, const std::optional<Widths>& widths) {
  std::vector<std::string> paragraphs;
  for (const Block& block : section) {
    for (const std::string& paragraph : Paragraphs(block, widths)) {
      paragraphs.push_back(ParagraphInMarkdown(paragraph));
    }
  }
  return absl::StrJoin(paragraphs, "\n\n");
}

bool IsSectionBreak(absl::string_view line) {
  return absl::StrReplaceAll(line, {{" ", ""}}) == "***";
}

template <size_t n>
bool IsOneOf(const absl::string_view (&texts)[n], absl::string_view text) {
  return std::find(std::begin(texts), std::end(texts), text) != std::end(texts);
}

// "3 comments", "1,234 comments".
bool IsCommentCount(absl::string_view line) {
  return (absl::ConsumeSuffix(&line, " comments") || absl::ConsumeSuffix(&line, " comment")) &&
         !line.empty() && line.find_first_not_of("0123456789,") == absl::string_view::npos;
}

// "posted by ada at 10:00 am".
bool IsPostedBy(absl::string_view line) {
  const size_t at = line.rfind(" at ");
  if (!absl::StartsWith(line, "posted by ") || at == absl::string_view::npos) return false;
  const absl::string_view time_of_day = line.substr(at + 4);
  absl::Time time;
  std::string problem;
  return absl::ParseTime("%I:%M %p", time_of_day, &time, &problem) ||
         absl::ParseTime("%H:%M", time_of_day, &time, &problem);
}

// Returns whether `line` starts the footer that a blog puts below its articles.
bool IsFooter(absl::string_view line) {
  static constexpr absl::string_view kFooters[] = {"no comments", "post a comment",
                                                   "leave a comment"};
  const std::string lower_case = absl::AsciiStrToLower(line);
  const absl::string_view text = absl::StripSuffix(lower_case, ":");
  return IsOneOf(kFooters, text) || IsCommentCount(text) || IsPostedBy(text) ||
         absl::StartsWith(text, "email thisblogthis!");
}

std::vector<Section> Sections(const std::vector<absl::string_view>& lines) {
  std::vector<Section> sections(1);
  bool is_new_block = true;
  for (const absl::string_view line : lines) {
    if (IsSectionBreak(line)) {
      if (!sections.back().empty()) sections.emplace_back();
      is_new_block = true;
    } else if (line.empty()) {
      is_new_block = true;
    } else {
      if (is_new_block) sections.back().emplace_back();
      sections.back().back().push_back(MakeLine(line));
      is_new_block = false;
    }
  }
  if (sections.back().empty()) sections.pop_back();
  return sections;
}

std::string BodyInMarkdown(const std::vector<absl::string_view>& lines) {
  const std::vector<Section> sections = Sections(lines);
  const std::optional<Widths> widths = FindWidths(sections);
  const auto append = [&widths](std::string* body, const Section& section) {
    body->append(SectionInMarkdown(section, widths));
  };
  return absl::StrJoin(sections, "\n\n***\n\n", append);
}

// Reads the lines of a page from top to bottom, without surrounding spaces.
class Page {
 public:
  explicit Page(absl::string_view content) {
    for (const absl::string_view line : absl::StrSplit(content, '\n')) {
      lines_.push_back(absl::StripAsciiWhitespace(line));
    }
  }

  // Returns the next line that is not blank; empty at the end.
  absl::string_view TakeLine() {
    while (next_ < lines_.size() && lines_[next_].empty()) ++next_;
    return next_ < lines_.size() ? lines_[next_++] : "";
  }

  // Returns the number, in the file, of the last line taken.
  int line_number() const { return static_cast<int>(next_); }

  std::vector<absl::string_view> RestWithoutFooter() const {
    const auto begin = lines_.begin() + static_cast<std::ptrdiff_t>(next_);
    return {begin, std::find_if(begin, lines_.end(), IsFooter)};
  }

 private:
  std::vector<absl::string_view> lines_;
  size_t next_ = 0;
};

// Returns whether `text` may follow a comma within a name, as in "Ada Byron, Ph.D.".
bool IsNameSuffix(absl::string_view text) {
  static constexpr absl::string_view kSuffixes[] = {"Jr", "Sr", "II", "III", "IV", "PhD", "MD"};
  return IsOneOf(kSuffixes, absl::StrReplaceAll(text, {{".", ""}}));
}

void AddAuthors(absl::string_view byline, v1::Article& article) {
  const std::string names =
      absl::StrReplaceAll(absl::StrCat(" ", byline, " "), {{" and ", ","}, {" & ", ","}});
  for (absl::string_view name : absl::StrSplit(names, ',', absl::SkipWhitespace())) {
    name = absl::StripAsciiWhitespace(name);
    if (article.authors_size() > 0 && IsNameSuffix(name)) {
      absl::StrAppend(article.mutable_authors()->rbegin()->mutable_display_name(), ", ", name);
    } else {
      article.add_authors()->set_display_name(std::string(name));
    }
  }
}

void ReadByline(Page& page, ParsedFile& file) {
  absl::string_view byline = page.TakeLine();
  if (absl::ConsumePrefix(&byline, "By ")) AddAuthors(byline, file.article);
  file.places["authors"] = {page.line_number(), "authors"};
  if (!file.article.authors().empty()) return;
  file.faults.push_back({page.line_number(),
                         "a page saved as text must begin with its byline, such as \"By Ada "
                         "Byron and John Doe\""});
}

void ReadDate(Page& page, ParsedFile& file) {
  const absl::string_view line = page.TakeLine();
  file.places["publish_time"] = {page.line_number(), "date"};
  absl::Time date;
  std::string problem;
  if (!absl::ParseTime(kDateFormat, line, &date, &problem)) {
    file.faults.push_back(
        {page.line_number(), "a date such as \"Thursday, June 12, 2025\" must follow the byline"});
    return;
  }
  const std::string weekday = absl::FormatTime("%A", date, absl::UTCTimeZone());
  if (!absl::StartsWithIgnoreCase(line, weekday.substr(0, 3))) {
    file.faults.push_back({page.line_number(), absl::StrCat("\"", line, "\" is a ", weekday)});
    return;
  }
  file.article.mutable_publish_time()->set_seconds(absl::ToUnixSeconds(date));
}

}  // namespace

ParsedFile ParseText(absl::string_view content) {
  Page page(content);
  ParsedFile file;
  ReadByline(page, file);
  ReadDate(page, file);
  file.article.set_body(BodyInMarkdown(page.RestWithoutFooter()));
  return file;
}

}  // namespace content::importer
