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

#include "absl/status/status.h"
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
  absl::string_view text;  // without spaces around it
  size_t length = 0;       // lengths are in characters
  size_t first_word_length = 0;
  bool ends_sentence = false;
  bool has_bullet = false;
};

// Lines with neither a blank line nor a section break between them.
using Block = std::vector<Line>;
using Section = std::vector<Block>;

// The lengths to which the lines of a page are filled: the first line of a paragraph has its own,
// because it may have lost an indentation or a tag when the page was saved.
struct Measures {
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

// A dash may also be the middle of a sentence.
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

// Whether `line` could have taken another word, the first of `next`.
bool StopsEarly(const Line& line, const Line& next, size_t measure) {
  return line.length + 1 + next.first_word_length <= measure;
}

// Whether the text between line `i` and the next allows a paragraph to end there: a sentence ends,
// or an item of a list begins or ends.
bool MayEndParagraph(const Block& block, size_t i) {
  return i + 1 == block.size() || block[i].ends_sentence || block[i].has_bullet ||
         block[i + 1].has_bullet;
}

// Whether line `i` can only be the first of its paragraph: it stops in mid-sentence at just the
// length first lines have, and too early for any other.
bool MustBeFirst(const Block& block, size_t i, const Measures& measures) {
  if (MayEndParagraph(block, i)) return false;
  return block[i].length <= measures.first_line &&
         !StopsEarly(block[i], block[i + 1], measures.first_line) &&
         StopsEarly(block[i], block[i + 1], measures.other_lines);
}

// Whether line `i`, itself the first of its paragraph or not, is the last of it. A last line that
// happens to be full is given away only by a first line after it that is narrower than others.
bool EndsParagraph(const Block& block, size_t i, bool is_first, const Measures& measures) {
  if (i + 1 == block.size()) return true;
  if (!MayEndParagraph(block, i)) return false;
  const size_t measure = is_first ? measures.first_line : measures.other_lines;
  return StopsEarly(block[i], block[i + 1], measure) || MustBeFirst(block, i + 1, measures);
}

// How many more lines of `block` agree with the measures than disagree. A line that stops in
// mid-sentence agrees if the next word would not have fitted; one that is too long disagrees, and
// so does one that stops in mid-sentence too early. Where a paragraph may end, nothing can be told.
int Agreement(const Block& block, const Measures& measures) {
  int agreement = 0;
  bool is_first = true;
  for (size_t i = 0; i < block.size(); ++i) {
    const size_t measure = is_first ? measures.first_line : measures.other_lines;
    if (block[i].length > measure) {
      --agreement;
    } else if (!MayEndParagraph(block, i)) {
      agreement += StopsEarly(block[i], block[i + 1], measure) ? -1 : 1;
    }
    is_first = EndsParagraph(block, i, is_first, measures);
  }
  return agreement;
}

// Longer lines are whole paragraphs, and the first lines of a page tell how all are wrapped:
// without these limits, the search could take minutes on a page made to that end.
constexpr size_t kMaxMeasure = 200;
constexpr size_t kMaxLinesMeasured = 2'000;

// The blocks by which the measures are judged.
std::vector<Block> BlocksMeasured(const std::vector<Section>& sections) {
  std::vector<Block> blocks;
  size_t lines_left = kMaxLinesMeasured;
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

std::set<size_t> PossibleMeasures(const std::vector<Block>& blocks) {
  std::set<size_t> lengths;
  for (const Block& block : blocks) {
    for (const Line& line : block) {
      if (line.length <= kMaxMeasure) lengths.insert(line.length);
    }
  }
  return lengths;
}

// The measures with which most lines agree; none if no measures explain more lines than they
// contradict, which means that the lines are not wrapped.
//
// Neither the longest line nor the commonest length will do: saved pages have a few lines that are
// too long, and of the right measure many lines fall short. Both measures are sought together as
// which lines are first lines depends on both. Of measures that agree equally well, the one for
// first lines is preferably no other, and the shortest is taken, which joins rather than cuts
// where a paragraph's end is in doubt.
std::optional<Measures> FindMeasures(const std::vector<Section>& sections) {
  const std::vector<Block> blocks = BlocksMeasured(sections);
  const std::set<size_t> lengths = PossibleMeasures(blocks);
  std::optional<Measures> best;
  int best_agreement = 0;
  const auto consider = [&](const Measures& measures) {
    int agreement = 0;
    for (const Block& block : blocks) agreement += Agreement(block, measures);
    if (agreement <= best_agreement) return;
    best_agreement = agreement;
    best = measures;
  };
  for (const size_t other_lines : lengths) {
    consider({.first_line = other_lines, .other_lines = other_lines});
    for (const size_t first_line : lengths) {
      if (first_line >= other_lines) break;
      consider({.first_line = first_line, .other_lines = other_lines});
    }
  }
  return best;
}

std::vector<std::string> Paragraphs(const Block& block, const std::optional<Measures>& measures) {
  std::vector<std::string> paragraphs;
  bool is_first = true;
  for (size_t i = 0; i < block.size(); ++i) {
    if (is_first) {
      paragraphs.emplace_back(block[i].text);
    } else {
      absl::StrAppend(&paragraphs.back(), " ", block[i].text);
    }
    is_first = !measures || EndsParagraph(block, i, is_first, *measures);
  }
  return paragraphs;
}

// CommonMark for a paragraph of plain text, with what would be taken for markup escaped.
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
  // cmark escapes everything but a fence of tildes.
  const absl::string_view escape = absl::StartsWith(text, "~~~") ? "\\" : "";
  return absl::StrCat(escape, absl::StripTrailingAsciiWhitespace(markdown.get()));
}

std::string SectionInMarkdown(const Section& section, const std::optional<Measures>& measures) {
  std::vector<std::string> paragraphs;
  for (const Block& block : section) {
    for (const std::string& paragraph : Paragraphs(block, measures)) {
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

// Whether `line` is the first of what a blog puts below its articles.
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
  const std::optional<Measures> measures = FindMeasures(sections);
  const auto append = [&measures](std::string* body, const Section& section) {
    body->append(SectionInMarkdown(section, measures));
  };
  return absl::StrJoin(sections, "\n\n***\n\n", append);
}

// The lines of a page, without spaces around them.
class Page {
 public:
  explicit Page(absl::string_view content) {
    for (const absl::string_view line : absl::StrSplit(content, '\n')) {
      lines_.push_back(absl::StripAsciiWhitespace(line));
    }
  }

  // The next line that is not blank, which is line `number()` of the file; empty at the end.
  absl::string_view Take() {
    while (next_ < lines_.size() && lines_[next_].empty()) ++next_;
    return next_ < lines_.size() ? lines_[next_++] : "";
  }

  size_t number() const { return next_; }

  std::vector<absl::string_view> RestDownToFooter() const {
    const auto begin = lines_.begin() + static_cast<std::ptrdiff_t>(next_);
    return {begin, std::find_if(begin, lines_.end(), IsFooter)};
  }

 private:
  std::vector<absl::string_view> lines_;
  size_t next_ = 0;
};

// What follows the comma in "Ada Byron, Ph.D.".
bool IsPartOfName(absl::string_view text) {
  static constexpr absl::string_view kParts[] = {"Jr", "Sr", "II", "III", "IV", "PhD", "MD"};
  return IsOneOf(kParts, absl::StrReplaceAll(text, {{".", ""}}));
}

void AddAuthors(absl::string_view byline, v1::Article& article) {
  const std::string names =
      absl::StrReplaceAll(absl::StrCat(" ", byline, " "), {{" and ", ","}, {" & ", ","}});
  for (absl::string_view name : absl::StrSplit(names, ',', absl::SkipWhitespace())) {
    name = absl::StripAsciiWhitespace(name);
    if (article.authors_size() > 0 && IsPartOfName(name)) {
      absl::StrAppend(article.mutable_authors()->rbegin()->mutable_display_name(), ", ", name);
    } else {
      article.add_authors()->set_display_name(std::string(name));
    }
  }
}

absl::Status ReadByline(Page& page, v1::Article& article) {
  absl::string_view byline = page.Take();
  if (absl::ConsumePrefix(&byline, "By ")) AddAuthors(byline, article);
  if (article.authors().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "line ", page.number(),
        ": a page saved as text begins with its byline, such as \"By Ada Byron and John Doe\""));
  }
  return absl::OkStatus();
}

absl::Status ReadDate(Page& page, v1::Article& article) {
  const absl::string_view line = page.Take();
  absl::Time date;
  std::string problem;
  if (!absl::ParseTime(kDateFormat, line, &date, &problem)) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", page.number(),
                     ": a date such as \"Thursday, June 12, 2025\" must follow the byline"));
  }
  const std::string weekday = absl::FormatTime("%A", date, absl::UTCTimeZone());
  if (!absl::StartsWithIgnoreCase(line, weekday.substr(0, 3))) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", page.number(), ": \"", line, "\" was a ", weekday));
  }
  article.mutable_publish_time()->set_seconds(absl::ToUnixSeconds(date));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Article> ParseText(absl::string_view content) {
  Page page(content);
  v1::Article article;
  if (absl::Status status = ReadByline(page, article); !status.ok()) return status;
  if (absl::Status status = ReadDate(page, article); !status.ok()) return status;
  article.set_body(BodyInMarkdown(page.RestDownToFooter()));
  return article;
}

}  // namespace content::importer
