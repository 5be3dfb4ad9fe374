#include "transfer/text/head.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/text.h"
#include "transfer/written_date.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxHeadCharacters = 200;  // of a line

// Returns the line as a reader sees it: with common spaces, and without what is not seen.
std::string Seen(absl::string_view line) {
  return OneLine(absl::StrReplaceAll(
      line, {{"\u00A0", " "}, {"\u200B", ""}, {"\u200E", ""}, {"\u200F", ""}, {"\uFEFF", ""}}));
}

// Returns whether `text` may follow a comma within a name, as in "Ada Byron, Ph.D.".
bool IsNameSuffix(absl::string_view text) {
  static const auto& suffixes =
      *new std::set<std::string>{"Jr", "Sr", "II", "III", "IV", "PhD", "MD", "Esq", "MBE", "OBE"};
  return suffixes.contains(absl::StrReplaceAll(text, {{".", ""}}));
}

// Returns whether `text` says what an author does, or for whom.
bool IsAffiliation(absl::string_view text) {
  if (absl::StartsWithIgnoreCase(text, "the ") || absl::StartsWithIgnoreCase(text, "special to ")) {
    return true;
  }
  static const auto& words = *new std::set<std::string>{
      "columnist", "contributor", "correspondent", "editor", "journal", "magazine",   "news",
      "press",     "reporter",    "staff",         "times",  "tribune", "university", "writer"};
  const std::string lower = absl::AsciiStrToLower(text);
  const std::vector<absl::string_view> parts = absl::StrSplit(lower, ' ');
  return std::any_of(parts.begin(), parts.end(),
                     [](absl::string_view word) { return words.contains(std::string(word)); });
}

// How bylines begin, and the word between the last two names.
struct BylineWords {
  absl::string_view begin;
  absl::string_view conjunction;
};
constexpr BylineWords kBylineWords[] = {{"by", "and"}, {"por", "e"},   {"von", "und"},
                                        {"par", "et"}, {"door", "en"}, {"written by", "and"},
                                        {"di", "e"}};

// "By the time", "Von dort".
bool IsNameLike(absl::string_view names, bool is_english) {
  const std::vector<absl::string_view> words = absl::StrSplit(names, ' ', absl::SkipEmpty());
  if (words.empty()) return true;
  static const auto& no_names =
      *new std::set<std::string>{"a",     "all",  "an",   "each",  "far",  "half",  "her",  "his",
                                 "its",   "my",   "noon", "now",   "one",  "our",   "that", "the",
                                 "their", "then", "this", "those", "what", "which", "who",  "your"};
  if (words.size() > 20 || no_names.contains(absl::AsciiStrToLower(words[0]))) return false;
  if (is_english) return true;
  // These words begin many sentences.
  return words.size() <= 6 &&
         std::count_if(words.begin(), words.end(),
                       [](absl::string_view word) {
                         return absl::ascii_islower(static_cast<unsigned char>(word[0]));
                       }) <= 2 &&
         absl::ascii_isupper(static_cast<unsigned char>(words[0][0])) &&
         absl::string_view(".,;:!?").find(names.back()) == absl::string_view::npos;
}

// Returns the names of a byline, with "and" between the last two; nullopt if `line` is none.
std::optional<std::string> NamesOfByline(absl::string_view line) {
  if (line.empty() || CountCharacters(line) > kMaxHeadCharacters) return std::nullopt;
  for (const auto& [begin, conjunction] : kBylineWords) {
    absl::string_view rest = line;
    if (!absl::StartsWithIgnoreCase(rest, begin)) continue;
    rest.remove_prefix(begin.size());
    if (!rest.empty() && rest[0] != ' ' && rest[0] != ':') continue;
    absl::ConsumePrefix(&rest, ":");
    rest = absl::StripAsciiWhitespace(rest);
    if (!IsNameLike(rest, conjunction == "and")) continue;
    if (conjunction == "and") return std::string(rest);
    return absl::StrReplaceAll(rest, {{absl::StrCat(" ", conjunction, " "), " and "}});
  }
  return std::nullopt;
}

class HeadReader {
 public:
  HeadReader(const std::vector<std::string>& lines, ParsedFile& file) : file_(file) {
    for (size_t i = 0; i < lines.size() && seen_.size() < kMaxLines; ++i) {
      std::string line = Seen(lines[i]);
      if (!line.empty()) seen_.push_back({i, std::move(line)});
    }
    end_ = seen_.empty() ? lines.size() : seen_[0].index;
  }

  size_t Read() {
    size_t at = 0;
    while (at < seen_.size() && (ReadByline(at) || ReadDate(at) || ReadTitle(at))) {
      end_ = seen_[at].index + 1;
      ++at;
    }
    return end_;
  }

 private:
  static constexpr size_t kMaxLines = 8;

  struct SeenLine {
    size_t index;
    std::string text;
  };

  // A field is read once. Each returns whether line `at` is the field.

  bool ReadByline(size_t at) {
    if (has_byline_) return false;
    const std::optional<std::string> names = NamesOfByline(seen_[at].text);
    if (!names) return false;
    has_byline_ = true;
    file_.places["authors"] = {LineOf(at), "authors"};
    for (const std::string& name : NamesIn(*names)) {
      file_.article.add_authors()->set_display_name(name);
    }
    if (file_.article.authors().empty()) {
      file_.faults.push_back(
          {LineOf(at), "the byline has no name; write it as in \"By Ada Byron and John Doe\""});
    }
    return true;
  }

  bool ReadDate(size_t at) {
    if (has_date_) return false;
    const std::optional<WrittenDate> date = ParseWrittenDate(seen_[at].text);
    if (!date) return false;
    has_date_ = true;
    file_.places["publish_time"] = {LineOf(at), "date"};
    const absl::Weekday weekday =
        absl::GetWeekday(absl::ToCivilDay(date->time, absl::UTCTimeZone()));
    if (date->weekday.value_or(weekday) != weekday) {
      file_.faults.push_back(
          {LineOf(at), absl::StrCat("\"", seen_[at].text, "\" is a ",
                                    absl::FormatTime("%A", date->time, absl::UTCTimeZone()))});
    }
    file_.article.mutable_publish_time()->set_seconds(absl::ToUnixSeconds(date->time));
    return true;
  }

  bool ReadTitle(size_t at) {
    const std::string& line = seen_[at].text;
    if (CountCharacters(line) > kMaxHeadCharacters) return false;
    if (!file_.article.title().empty()) return ReadSubtitle(at);
    if (!IsTitle(at)) return false;
    file_.article.set_title(line);
    file_.places["title"] = {LineOf(at), "title"};
    return true;
  }

  // A line between the title and the byline or date.
  bool ReadSubtitle(size_t at) {
    if (!file_.article.summary().empty() || !IsNextOfHead(at + 1)) return false;
    file_.article.set_summary(seen_[at].text);
    return true;
  }

  bool IsNextOfHead(size_t at) const {
    if (at >= seen_.size()) return false;
    return (!has_byline_ && NamesOfByline(seen_[at].text)) ||
           (!has_date_ && ParseWrittenDate(seen_[at].text));
  }

  // A byline or a date follows, or the line stands alone below the date of a page without byline.
  bool IsTitle(size_t at) const {
    // A subtitle may be between.
    if (IsNextOfHead(at + 1) || IsNextOfHead(at + 2)) return true;
    const bool is_alone =
        at + 1 == seen_.size() || seen_[at + 1].index > seen_[at].index + 1 ||
        CountCharacters(seen_[at + 1].text) * 6 > CountCharacters(seen_[at].text) * 10;
    const bool is_sentence = absl::StrContains(".,;:", seen_[at].text.back());
    return has_date_ && !has_byline_ && at > 0 && is_alone && !is_sentence;
  }

  int LineOf(size_t at) const { return static_cast<int>(seen_[at].index) + 1; }

  ParsedFile& file_;
  std::vector<SeenLine> seen_;
  size_t end_ = 0;
  bool has_byline_ = false;
  bool has_date_ = false;
};

}  // namespace

std::vector<std::string> NamesIn(absl::string_view byline) {
  std::string text = absl::StrCat(" ", Seen(byline), " ");
  for (const absl::string_view conjunction : {" and ", " AND ", " And ", " & "}) {
    text = absl::StrReplaceAll(text, {{conjunction, ","}});
  }
  std::vector<std::string> names;
  for (absl::string_view name : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    name = absl::StripAsciiWhitespace(name);
    if (!names.empty() && IsNameSuffix(name)) {
      absl::StrAppend(&names.back(), ", ", name);
    } else if (names.empty() || !IsAffiliation(name)) {
      names.emplace_back(name);
    }
  }
  return names;
}

size_t ReadHead(const std::vector<std::string>& lines, ParsedFile& file) {
  return HeadReader(lines, file).Read();
}

}  // namespace content::transfer
