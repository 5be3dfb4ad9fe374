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
#include "transfer/markdown/keys.h"
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

// Those that begin other lines too, unless a date is on the line.
constexpr BylineWords kPostedWords[] = {
    {"posted by", "and"}, {"published by", "and"}, {"da", "e"}, {"przez", "i"}};

// What stands before a colon and names, and in front of titles.
constexpr absl::string_view kAuthorKeys[] = {"author", "authors", "autor", "auteur", "autore",
                                             "Автор",  "作者",    "著者",  "글쓴이"};
constexpr absl::string_view kTitleKeys[] = {"title",  "titel",     "titre", "título",
                                            "titolo", "Заголовок", "标题",  "標題"};
constexpr absl::string_view kDateKeys[] = {"date", "datum", "data", "fecha",
                                           "Дата", "日期",  "日付", "날짜"};

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
  const auto first = static_cast<unsigned char>(words[0][0]);
  return words.size() <= 8 &&
         std::count_if(words.begin(), words.end(),
                       [](absl::string_view word) {
                         return absl::ascii_islower(static_cast<unsigned char>(word[0]));
                       }) <= 2 &&
         (absl::ascii_isupper(first) || !absl::ascii_isascii(first)) &&
         absl::string_view(".,;:!?").find(names.back()) == absl::string_view::npos;
}

constexpr absl::string_view kColons[] = {":", "："};

// Bylines in Chinese and Japanese may have a stroke in the place of the colon.
constexpr absl::string_view kStrokes[] = {"/", "／"};
constexpr absl::string_view kAuthorKeysBeforeStroke[] = {"作者", "著者", "文"};

// Removes one of `keys` and one of `signs` from the beginning of `line`.
bool ConsumeKey(absl::string_view& line, const auto& keys, const auto& signs) {
  for (const absl::string_view key : keys) {
    if (!absl::StartsWithIgnoreCase(line, key)) continue;
    const absl::string_view rest = absl::StripLeadingAsciiWhitespace(line.substr(key.size()));
    for (const absl::string_view sign : signs) {
      if (!absl::StartsWith(rest, sign)) continue;
      line = absl::StripLeadingAsciiWhitespace(rest.substr(sign.size()));
      return true;
    }
  }
  return false;
}

bool ConsumeAuthorKey(absl::string_view& line) {
  return ConsumeKey(line, kAuthorKeys, kColons) ||
         ConsumeKey(line, kAuthorKeysBeforeStroke, kStrokes);
}

// Returns the names after one of `beginnings`, with "and" between the last two.
std::optional<std::string> NamesAfter(absl::string_view line, const auto& beginnings,
                                      bool is_strict) {
  for (const auto& [begin, conjunction] : beginnings) {
    absl::string_view rest = line;
    if (!absl::StartsWithIgnoreCase(rest, begin)) continue;
    rest.remove_prefix(begin.size());
    if (!rest.empty() && rest[0] != ' ' && rest[0] != ':') continue;
    absl::ConsumePrefix(&rest, ":");
    rest = absl::StripAsciiWhitespace(rest);
    const bool is_english = conjunction == "and";
    if (!IsNameLike(rest, is_english && !is_strict)) continue;
    if (is_english) return std::string(rest);
    return absl::StrReplaceAll(rest, {{absl::StrCat(" ", conjunction, " "), " and "}});
  }
  return std::nullopt;
}

// Returns the names of a byline, with "and" between the last two; nullopt if `line` is none.
std::optional<std::string> NamesOfByline(absl::string_view line) {
  if (std::optional<std::string> names = NamesAfter(line, kBylineWords, /*is_strict=*/false)) {
    return names;
  }
  // "Autor: Ada o 10:00" is of a footer.
  const bool has_number = line.find_first_of("0123456789") != absl::string_view::npos;
  if (has_number || !ConsumeAuthorKey(line) || !IsNameLike(line, /*is_english=*/true)) {
    return std::nullopt;
  }
  return std::string(line);
}

// Byline and date may be on one line.
struct HeadFields {
  std::optional<std::string> names;
  std::optional<WrittenDate> date;
};

// Removes what blogs write behind byline and date: "5 min read", "3 Comments", "Leave a Comment".
absl::string_view WithoutCounts(absl::string_view line) {
  constexpr absl::string_view kBetween = " |/,-";
  for (const absl::string_view ending :
       {" leave a comment", " min read", " minute read", " comments", " comment"}) {
    if (!absl::EndsWithIgnoreCase(line, ending)) continue;
    absl::string_view rest = line.substr(0, line.size() - ending.size());
    const size_t digits = rest.size() - (rest.find_last_not_of("0123456789") + 1);
    if (digits == 0 && ending != " leave a comment") continue;
    rest.remove_suffix(digits);
    while (true) {
      rest = rest.substr(0, rest.find_last_not_of(kBetween) + 1);
      if (!absl::ConsumeSuffix(&rest, "•") && !absl::ConsumeSuffix(&rest, "·") &&
          !absl::ConsumeSuffix(&rest, "–") && !absl::ConsumeSuffix(&rest, "—")) {
        return rest;
      }
    }
  }
  return line;
}

// Returns `text` without the signs that stand between byline and date.
absl::string_view WithoutSeparators(absl::string_view text) {
  static constexpr absl::string_view kSigns[] = {" ", ",", "|", "-", "/", "•", "·", "–", "—"};
  const auto consume_any = [&text](auto consume) {
    return std::any_of(std::begin(kSigns), std::end(kSigns),
                       [&](absl::string_view sign) { return consume(&text, sign); });
  };
  while (consume_any(absl::ConsumePrefix) || consume_any(absl::ConsumeSuffix)) continue;
  return text;
}

// Returns the names in the part of a line whose other part is a date.
std::optional<std::string> NamesBesideDate(absl::string_view part) {
  part = WithoutSeparators(part);
  std::optional<std::string> names = NamesAfter(part, kBylineWords, /*is_strict=*/true);
  if (!names) names = NamesAfter(part, kPostedWords, /*is_strict=*/true);
  if (!names && ConsumeAuthorKey(part)) names = std::string(part);
  if (!names || NamesIn(*names).empty()) return std::nullopt;
  return names;
}

// Reads "By Ada Byron | June 12, 2025", "Posted on June 12, 2025 by Ada Byron". The date is as long
// as it can be.
HeadFields ReadBylineWithDate(absl::string_view line) {
  for (size_t space = line.find(' '); space != absl::string_view::npos;
       space = line.find(' ', space + 1)) {
    const std::optional<std::string> names = NamesBesideDate(line.substr(0, space));
    // "Da Roma, 12 giugno 2025" tells a place.
    if (!names || (absl::StartsWithIgnoreCase(line, "da ") && CountWords(*names) == 1)) continue;
    const auto date = ParseWrittenDate(WithoutSeparators(line.substr(space)));
    if (date) return {names, date};
  }
  for (size_t space = line.rfind(' '); space != absl::string_view::npos && space > 0;
       space = line.rfind(' ', space - 1)) {
    const std::optional<std::string> names = NamesBesideDate(line.substr(space));
    if (!names) continue;
    const auto date = ParseWrittenDate(WithoutSeparators(line.substr(0, space)));
    if (date) return {names, date};
  }
  return {};
}

HeadFields FieldsOf(absl::string_view line) {
  if (line.empty() || CountCharacters(line) > kMaxHeadCharacters) return {};
  line = WithoutCounts(line);
  absl::string_view text = line;
  ConsumeKey(text, kDateKeys, kColons);
  if (const auto date = ParseWrittenDate(text)) return {std::nullopt, date};
  const std::optional<std::string> names = NamesOfByline(line);
  if (names && ParseWrittenDate(*names)) return {};  // "By Friday, June 12, 2025"
  HeadFields both = ReadBylineWithDate(line);
  if (both.date) return both;
  return {names, std::nullopt};
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
    while (at < seen_.size() && (ReadFields(at) || ReadTitle(at))) {
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

  // A field is read once. Returns whether one is on line `at`.
  bool ReadFields(size_t at) {
    const HeadFields fields = FieldsOf(seen_[at].text);
    const bool is_byline = fields.names && !has_byline_;
    const bool is_date = fields.date && !has_date_;
    if (is_byline) ReadByline(at, *fields.names);
    if (is_date) ReadDate(at, *fields.date);
    return is_byline || is_date;
  }

  void ReadByline(size_t at, absl::string_view names) {
    has_byline_ = true;
    file_.places["authors"] = {LineOf(at), "authors"};
    for (const std::string& name : NamesIn(names)) {
      file_.article.add_authors()->set_display_name(name);
    }
    if (file_.article.authors().empty()) {
      file_.faults.push_back(
          {LineOf(at), "the byline has no name; write it as in \"By Ada Byron and John Doe\""});
    }
  }

  void ReadDate(size_t at, const WrittenDate& date) {
    has_date_ = true;
    file_.places["publish_time"] = {LineOf(at), "date"};
    const absl::Weekday weekday =
        absl::GetWeekday(absl::ToCivilDay(date.time, absl::UTCTimeZone()));
    if (date.weekday.value_or(weekday) != weekday) {
      file_.faults.push_back(
          {LineOf(at), absl::StrCat("\"", seen_[at].text, "\" is a ",
                                    absl::FormatTime("%A", date.time, absl::UTCTimeZone()))});
    }
    file_.article.mutable_publish_time()->set_seconds(absl::ToUnixSeconds(date.time));
  }

  bool ReadTitle(size_t at) {
    const std::string& line = seen_[at].text;
    if (CountCharacters(line) > kMaxHeadCharacters) return false;
    if (!file_.article.title().empty()) return ReadSubtitle(at);
    if (!IsTitle(at)) return false;
    absl::string_view title = line;
    ConsumeKey(title, kTitleKeys, kColons);
    file_.article.set_title(std::string(title));
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
    const HeadFields fields = FieldsOf(seen_[at].text);
    return (!has_byline_ && fields.names) || (!has_date_ && fields.date);
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

// A draft is marked among the lines of the head, which ends at `end`, or of keys below it.
void LookForDraft(const std::vector<std::string>& lines, size_t end, ParsedFile& file) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string line = Seen(lines[i]);
    if (i >= end && !line.empty() && line.find_first_of(":=") == std::string::npos) return;
    if (!IsMarkOfDraft(line)) continue;
    file.draft = absl::StrCat("line ", i + 1, " marks a draft");
    return;
  }
}

}  // namespace

std::vector<std::string> NamesIn(absl::string_view byline) {
  std::string text = absl::StrCat(" ", Seen(byline), " ");
  for (const absl::string_view conjunction : {" and ", " AND ", " And ", " & ", "、", "，"}) {
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
  const size_t end = HeadReader(lines, file).Read();
  LookForDraft(lines, end, file);
  return end;
}

}  // namespace content::transfer
