#include "transfer/parse.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/digest.h"
#include "content/names.h"
#include "content/normalize.h"
#include "content/rules.h"
#include "content/text.h"
#include "transfer/author_name.h"
#include "transfer/dates.h"
#include "transfer/encoding.h"
#include "transfer/exports/beginning.h"
#include "transfer/file_name.h"
#include "transfer/html/page.h"
#include "transfer/ids.h"
#include "transfer/markdown/front_matter.h"
#include "transfer/markdown/markdown.h"
#include "transfer/parsed_file.h"
#include "transfer/refusal.h"
#include "transfer/substack.h"
#include "transfer/text/head.h"
#include "transfer/text/text.h"
#include "transfer/written_date.h"

namespace content::transfer {
namespace {

struct FormatEntry {
  Format format;
  absl::StatusOr<ParsedFile> (*parse)(absl::string_view content);
  std::vector<absl::string_view> extensions = {};
  absl::string_view missing_title = "";
  // Empty where articles need none.
  absl::string_view missing_author = "";
  absl::string_view missing_date = "";
};

absl::StatusOr<ParsedFile> ParseAnyText(absl::string_view content) { return ParseText(content); }

const std::vector<FormatEntry>& Formats() {
  static const std::vector<FormatEntry> formats = {
      {Format::kText,
       ParseAnyText,
       {"txt", "text"},
       "there is no title above the byline; give it with --title",
       "there is no author; write \"By Ada Byron and John Doe\" at the top, or give --author",
       "there is no date; write \"Thursday, June 12, 2025\" at the top, or give --date"},
      {Format::kMarkdown,
       ParseMarkdown,
       {"md", "markdown", "mkd", "mkdn", "mdown", "mdwn", "mdx", "qmd", "rmd"},
       "there is no title; give it with --title"},
      {Format::kHtml,
       ParseHtml,
       {"html", "htm", "xhtml"},
       "the page does not say its title; give it with --title"},
  };
  return formats;
}

const FormatEntry& EntryOf(Format format) {
  return *std::find_if(Formats().begin(), Formats().end(),
                       [format](const FormatEntry& entry) { return entry.format == format; });
}

std::optional<Format> FormatByName(absl::string_view path) {
  const absl::string_view name = path.substr(path.find_last_of('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos) return std::nullopt;
  const std::string extension = absl::AsciiStrToLower(name.substr(dot + 1));
  for (const FormatEntry& entry : Formats()) {
    const auto& extensions = entry.extensions;
    if (std::find(extensions.begin(), extensions.end(), extension) != extensions.end()) {
      return entry.format;
    }
  }
  return std::nullopt;
}

// Returns whether a file is of a language of front matter: it is data, not an article.
bool IsNamedAsData(absl::string_view path) {
  constexpr std::array<absl::string_view, 6> kExtensions = {".json", ".jsonl", ".ndjson",
                                                            ".toml", ".yaml",  ".yml"};
  return std::any_of(kExtensions.begin(), kExtensions.end(), [path](absl::string_view extension) {
    return absl::EndsWithIgnoreCase(path, extension);
  });
}

// Returns whether a file begins with a JSON object on one line and has no text after it, but
// perhaps other objects. Front matter in JSON is followed by a text.
bool IsJsonLines(absl::string_view head) {
  if (!absl::StartsWith(head, "{")) return false;
  const size_t end = head.find('\n');
  if (end == absl::string_view::npos) return true;
  const absl::string_view line = absl::StripTrailingAsciiWhitespace(head.substr(0, end));
  const absl::string_view rest = absl::StripLeadingAsciiWhitespace(head.substr(end));
  return absl::EndsWith(line, "}") && (rest.empty() || absl::StartsWith(rest, "{"));
}

bool BeginsWithHtml(absl::string_view head) {
  head = absl::StripLeadingAsciiWhitespace(head);
  return absl::StartsWithIgnoreCase(head, "<!doctype html") ||
         absl::StartsWithIgnoreCase(head, "<html");
}

// The characters that Windows-1252 has at 0x80 to 0x9F. Texts in which these are control characters
// were taken for Latin-1 at some time. Empty: it has none.
constexpr std::array<absl::string_view, 32> kWindows1252 = {
    "€", "",  "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", "", "Ž", "",
    "",  "‘", "’", "“", "”", "•", "–", "—", "˜", "™", "š", "›", "œ", "", "ž", "Ÿ"};

// Removes the control character that `text` begins with, and returns it; 0 if there is none.
unsigned char ConsumeForbiddenControl(absl::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (absl::ascii_iscntrl(first) && first != '\t' && first != '\n') {
    text.remove_prefix(1);
    return first;
  }
  if (first != 0xC2 || static_cast<unsigned char>(text[1]) >= 0xA0) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  text.remove_prefix(2);
  return second;
}

// Control characters that were found in a text.
struct FoundControls {
  int count = 0;
  unsigned char first = 0;
  int first_line = 0;

  void Add(unsigned char control, int line) {
    if (count++ > 0) return;
    first = control;
    first_line = line;
  }

  std::string Note(absl::string_view what) const {
    return absl::StrFormat("%s %d control character%s, the first of them U+%04X in line %d", what,
                           count, count == 1 ? "" : "s", first, first_line);
  }
};

// Removes control characters that editors and old systems leave in texts, or puts in what they were
// meant to be, and says so. `text` is UTF-8.
std::string WithoutControls(absl::string_view text, std::vector<std::string>& notes) {
  FoundControls left_out;
  FoundControls replaced;
  std::string kept;
  int line = 1;
  while (!text.empty()) {
    const unsigned char control = ConsumeForbiddenControl(text);
    const absl::string_view meant = control >= 0x80 ? kWindows1252[control - 0x80] : "";
    if (control == 0) {
      if (text[0] == '\n') ++line;
      kept.push_back(text[0]);
      text.remove_prefix(1);
    } else {
      (meant.empty() ? left_out : replaced).Add(control, line);
      absl::StrAppend(&kept, meant);
    }
  }
  if (left_out.count > 0) notes.push_back(left_out.Note("left out"));
  if (replaced.count > 0) notes.push_back(replaced.Note("took for Windows-1252"));
  return kept;
}

// Returns a text with LF line ends and without byte order marks.
std::string WithLineFeeds(absl::string_view text) {
  while (absl::ConsumePrefix(&text, "\uFEFF")) {
  }
  // Some programs end lines with two CRs, and a line within a paragraph with a vertical tab.
  return absl::StrReplaceAll(
      text, {{"\r\r\n", "\n"}, {"\r\n", "\n"}, {"\r", "\n"}, {"\f", "\n"}, {"\v", "\n"}});
}

// Returns `content` in UTF-8, with LF line ends and without byte order marks and control
// characters. A refusal if it is not text.
absl::StatusOr<std::string> NormalizeText(absl::string_view content, Format format,
                                          std::vector<std::string>& notes) {
  if (content.size() > kMaxFileBytes) {
    return Refuse("too large", absl::StrCat("the file has more than ", kMaxFileBytes, " bytes"));
  }
  const std::string encoding = FindEncoding(content, /*is_html=*/format == Format::kHtml);
  std::string decoded;
  if (!encoding.empty()) {
    absl::StatusOr<std::string> text = Decode(content, encoding);
    if (!text.ok()) return Refuse("not text", text.status().message());
    notes.push_back(absl::StrCat("read as ", encoding));
    decoded = *std::move(text);
    content = decoded;
  }
  if (!IsUtf8(content)) {
    return Refuse("not text", "the file is not UTF-8 text; convert it, for example with iconv");
  }
  if (absl::StrContains(content, absl::string_view("\0", 1))) {
    return Refuse("not text", "the file is not text: it contains NUL");
  }
  const std::string text = WithLineFeeds(content);
  if (absl::StripAsciiWhitespace(text).empty()) {
    return Refuse("no text",
                  text.empty() ? "the file is empty" : "the file is empty but for blanks");
  }
  return WithoutControls(text, notes);
}

void OverrideAuthor(const std::string& author, ParsedFile& file) {
  file.article.clear_authors();
  file.places["authors"] = {0, "--author"};
  for (const std::string& name : NamesIn(author)) {
    file.article.add_authors()->set_display_name(name);
  }
}

void OverrideDate(const std::string& text, ParsedFile& file) {
  file.places["publish_time"] = {0, "--date"};
  if (const std::optional<WrittenDate> date = ParseWrittenDate(text)) {
    *file.article.mutable_publish_time() = ToTimestamp(date->time);
  } else {
    file.faults.push_back({0, "--date is not a date such as 2025-06-12"});
  }
}

void ApplyOverrides(const Overrides& overrides, ParsedFile& file) {
  if (!IsUtf8(overrides.title)) {
    file.faults.push_back({0, "--title is not UTF-8 text"});
  } else if (!overrides.title.empty()) {
    file.article.set_title(overrides.title);
    file.places["title"] = {0, "--title"};
  }
  if (!overrides.id.empty()) {
    file.article.set_name(ArticleName(overrides.id));
    file.places["name"] = {0, "--id"};
  }
  if (!overrides.author.empty()) OverrideAuthor(overrides.author, file);
  if (!overrides.date.empty()) OverrideDate(overrides.date, file);
}

void ApplyList(const ListedPost& post, ParsedFile& file) {
  v1::Article& article = file.article;
  if (!post.title.empty()) article.set_title(post.title);
  if (!post.summary.empty()) article.set_summary(post.summary);
  if (post.time) *article.mutable_publish_time() = ToTimestamp(*post.time);
  if (const std::string id = IdFromAddress(post.slug); !id.empty())
    article.set_name(ArticleName(id));
  if (file.draft.empty()) file.draft = post.draft;
}

// "turning-a-page" -> "Turning a page"
std::string TitleOf(absl::string_view stem) {
  std::string title = absl::StrReplaceAll(stem, {{"-", " "}, {"_", " "}});
  if (!title.empty()) title[0] = absl::ascii_toupper(static_cast<unsigned char>(title[0]));
  return title;
}

// Tells the id of a translation, which often has the same slug, from that of the original.
void MarkTranslation(const FileName& name, v1::Article& article) {
  if (name.language.empty()) return;
  const std::string id = ParseArticleName(article.name()).value();
  article.set_name(ArticleName(IdFromName(id, name.language)));
}

// Fills in what the file's name says and the file does not.
void ApplyFileName(const FileName& name, Format format, ParsedArticle& parsed, ParsedFile& file) {
  v1::Article& article = file.article;
  if (!article.has_publish_time() && !file.places.contains("publish_time") && name.date) {
    *article.mutable_publish_time() = ToTimestamp(*name.date);
  }
  const bool says_language =
      file.places.contains("language_code") || !article.language_code().empty();
  if (!says_language && !name.language.empty()) {
    article.set_language_code(absl::StrReplaceAll(name.language, {{"_", "-"}}));
  }
  if (name.is_draft && file.draft.empty()) file.draft = "the file is in a folder of drafts";
  // The name of a page that was saved says little.
  const bool takes_title = format == Format::kMarkdown && IsUtf8(name.stem);
  if (takes_title && article.title().empty() && !file.places.contains("title")) {
    article.set_title(TitleOf(name.stem));
    if (!article.title().empty()) parsed.notes.emplace_back("the title is that of the file's name");
  }
}

// Returns the language that the id shows: that of a translation which differs from the others by
// its name or by its folder.
std::string LanguageInId(const FileName& name, absl::string_view path, const v1::Article& article) {
  if (!name.language.empty()) return name.language;
  return IsInFolderOfLanguage(path, article.language_code()) ? article.language_code() : "";
}

// Returns an id for an article whose names have no letter that an id may have, as many Chinese
// ones: its date and what tells its name from others.
std::string OpaqueId(const FileName& name, const v1::Article& article) {
  constexpr size_t kBytes = 4;
  const std::string& telling = name.stem.empty() ? article.title() : name.stem;
  if (telling.empty()) return "";
  const std::string digest = absl::BytesToHexString(Digest({telling}).substr(0, kBytes));
  if (!article.has_publish_time()) return absl::StrCat("article-", digest);
  const absl::Time time = absl::FromUnixSeconds(article.publish_time().seconds());
  return absl::StrCat(absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone()), "-", digest);
}

// Names an article that the file does not name. Leaves the name empty if that is not possible.
void MakeName(const FileName& name, absl::string_view path, ParsedArticle& parsed,
              v1::Article& article) {
  parsed.is_name_made = true;
  const bool has_day = name.date && name.stem != name.dated_stem;
  if (has_day) parsed.day_in_name = absl::ToCivilDay(*name.date, absl::UTCTimeZone());
  const std::string language = LanguageInId(name, path, article);
  std::string id = IsUtf8(name.stem) ? IdFromName(name.stem, language) : "";
  if (id.empty()) {
    id = IdFromName(article.title(), language);
  } else {
    const std::string other = has_day ? name.dated_stem : absl::StrCat(name.folder, "-", name.stem);
    const std::string other_id = IsUtf8(other) ? IdFromName(other, language) : "";
    if (!other_id.empty() && other_id != id) parsed.other_name = ArticleName(other_id);
    parsed.is_named_after_file = true;
  }
  if (id.empty()) id = IdFromName(OpaqueId(name, article), language);
  if (!id.empty()) article.set_name(ArticleName(id));
}

// Names an article that the export does not name, and finds the other name.
void NameExported(absl::string_view key, ParsedArticle& parsed, v1::Article& article) {
  if (article.name().empty()) {
    const std::string id = IdFromName(article.title(), "");
    if (!id.empty()) article.set_name(ArticleName(id));
  }
  const absl::string_view number = key.substr(key.find_last_not_of("0123456789") + 1);
  const std::optional<std::string> id = ParseArticleName(article.name());
  const std::string numbered = number.empty() ? "" : IdFromName(id.value_or("post"), number);
  if (numbered.empty()) return;
  if (id) parsed.other_name = ArticleName(numbered);
  if (article.name().empty()) article.set_name(ArticleName(numbered));
}

// Drops what breaks the rules and is not worth the article: its address, its language, and tags
// that are too many or too long.
void DropMinorFaults(v1::Article& article, std::vector<std::string>& notes) {
  if (article.tags_size() > kMaxTags) {
    notes.push_back(absl::StrCat("left out tags: an article has at most ", kMaxTags));
    article.mutable_tags()->DeleteSubrange(kMaxTags, article.tags_size() - kMaxTags);
  }
  Violations violations;
  CheckArticle(article, "article", violations);
  auto fields = violations.fields();
  std::reverse(fields.begin(), fields.end());
  for (const auto& field : fields) {
    absl::string_view path = field.path;
    int tag = 0;
    if (path == "article.source_uri") {
      article.clear_source_uri();
    } else if (path == "article.language_code") {
      article.clear_language_code();
    } else if (absl::ConsumePrefix(&path, "article.tags[") && absl::ConsumeSuffix(&path, "]") &&
               absl::SimpleAtoi(path, &tag) && tag < article.tags_size()) {
      article.mutable_tags()->DeleteSubrange(tag, 1);
    } else {
      continue;
    }
    notes.push_back(absl::StrCat("left out ", absl::StripPrefix(field.path, "article."), ", which ",
                                 field.description));
  }
}

// Takes over the former names that are ids, none of them twice.
void TakeFormerNames(const ParsedFile& file, ParsedArticle& parsed) {
  std::vector<std::string>& names = parsed.former_names;
  for (const std::string& name : file.former_names) {
    const bool is_new = ArticleName(name) != file.article.name() &&
                        std::find(names.begin(), names.end(), name) == names.end();
    if (is_new && IsArticleId(name)) names.push_back(name);
  }
  if (names.size() <= kMaxFormerNames) return;
  parsed.notes.push_back(absl::StrCat("left out ", names.size() - kMaxFormerNames,
                                      " former names: an article has at most ", kMaxFormerNames));
  names.resize(kMaxFormerNames);
}

// Returns a fault of a field such as "article.tags[1]".
Fault FaultOf(absl::string_view field, absl::string_view description, const ParsedFile& file) {
  absl::ConsumePrefix(&field, "article.");
  const std::string top(field.substr(0, field.find_first_of(".[")));
  const std::string rest =
      absl::StrReplaceAll(field.substr(top.size()), {{".display_name", ".name"}, {".uri", ".url"}});
  const auto found = file.places.find(top);
  const Place place = found == file.places.end() ? Place{0, top} : found->second;
  return {place.line, absl::StrCat(place.name, rest, " ", description)};
}

// Returns whether a field that the format needs is empty, and not just faulty.
bool IsMissing(bool is_empty, const char* field, absl::string_view problem,
               const ParsedFile& file) {
  return is_empty && !problem.empty() && !file.places.contains(field);
}

// Adds what an article of the format must have, and neither the file nor a flag says.
void CheckIsThere(const FormatEntry& entry, ParsedFile& file) {
  const v1::Article& article = file.article;
  const auto require = [&file](bool is_empty, const char* field, absl::string_view problem) {
    if (IsMissing(is_empty, field, problem, file)) file.faults.push_back({0, std::string(problem)});
  };
  require(article.title().empty(), "title", entry.missing_title);
  require(article.authors().empty(), "authors", entry.missing_author);
  require(!article.has_publish_time(), "publish_time", entry.missing_date);
}

// Adds what the rules for articles find.
void CheckRules(ParsedFile& file) {
  const v1::Article& article = file.article;
  Violations violations;
  CheckArticle(article, "article", violations);
  for (const auto& [field, description] : violations.fields()) {
    // A title that is empty has been mentioned.
    if (field == "article.title" && article.title().empty()) continue;
    file.faults.push_back(FaultOf(field, description, file));
  }
  if (const size_t count = violations.dropped_count(); count > 0) {
    file.faults.push_back({0, absl::StrCat("and ", count, " more faults of these kinds")});
  }
  if (article.name().empty() && !article.title().empty()) {
    file.faults.push_back({0,
                           "no id can be made from the name of the file or from the title; give "
                           "one with --id, or as slug in front matter"});
  }
}

// Returns the most telling of the reasons.
absl::string_view ReasonFor(const FormatEntry& entry, const ParsedFile& file) {
  const v1::Article& article = file.article;
  if (article.body().empty()) return "no text";
  if (IsMissing(article.title().empty(), "title", entry.missing_title, file)) return "no title";
  if (IsMissing(article.authors().empty(), "authors", entry.missing_author, file)) {
    return "no author";
  }
  if (IsMissing(!article.has_publish_time(), "publish_time", entry.missing_date, file)) {
    return "no date";
  }
  return article.name().empty() ? "no id" : "bad field";
}

// A refusal with a line for each fault, in the order of the file.
absl::Status ErrorOf(const FormatEntry& entry, const ParsedFile& file) {
  std::vector<Fault> faults = file.faults;
  const auto line_of = [](const Fault& fault) {
    return fault.line == 0 ? std::numeric_limits<int>::max() : fault.line;
  };
  std::stable_sort(faults.begin(), faults.end(),
                   [&line_of](const Fault& a, const Fault& b) { return line_of(a) < line_of(b); });
  const auto append = [](std::string* text, const Fault& fault) {
    if (fault.line > 0) absl::StrAppend(text, "line ", fault.line, ": ");
    text->append(fault.problem);
  };
  return Refuse(ReasonFor(entry, file), absl::StrJoin(faults, "\n", append));
}

}  // namespace

std::optional<Format> RecognizeFormat(absl::string_view path, absl::string_view head) {
  const std::optional<Format> format = FormatByName(path);
  if (format && format != Format::kText) return format;
  // A draft must not be taken for text because of its encoding.
  const std::string text = WithLineFeeds(BeginningInUtf8(head));
  if (IsNamedAsData(path) || (!format && IsJsonLines(text))) return std::nullopt;
  if (BeginsWithFrontMatter(text)) return Format::kMarkdown;
  return !format && BeginsWithHtml(text) ? Format::kHtml : format;
}

bool HasFormatByName(absl::string_view path) { return FormatByName(path).has_value(); }

absl::StatusOr<ParsedArticle> Parse(absl::string_view content, Format format,
                                    const Overrides& overrides, absl::string_view path,
                                    const ListedPost* listed) {
  const FileName name = ReadFileName(path);
  if (name.is_section) return Refuse("no article", "the file is about its folder, no article");
  ParsedArticle parsed;
  const absl::StatusOr<std::string> text = NormalizeText(content, format, parsed.notes);
  if (!text.ok()) return text.status();
  const FormatEntry& entry = EntryOf(format);
  absl::StatusOr<ParsedFile> file = entry.parse(*text);
  if (!file.ok()) return Refuse("front matter", file.status().message());
  if (listed != nullptr) ApplyList(*listed, *file);
  ApplyOverrides(overrides, *file);
  RemoveEmailAddresses(*file);
  ApplyFileName(name, format, parsed, *file);
  if (!file->draft.empty()) return Refuse(kReasonDraft, file->draft);
  NormalizeMessage(file->article);
  parsed.is_dated = file->article.has_publish_time();
  parsed.may_be_redated = true;
  if (file->article.name().empty()) {
    MakeName(name, path, parsed, file->article);
  } else if (overrides.id.empty()) {
    MarkTranslation(name, file->article);
  }
  CheckIsThere(entry, *file);
  CheckRules(*file);
  if (!file->faults.empty()) return ErrorOf(entry, *file);
  if (absl::Status status = CompleteArticle("article", file->article); !status.ok()) {
    return Refuse("bad field", absl::StripPrefix(status.message(), "article."));
  }
  TakeFormerNames(*file, parsed);
  if (file->update_time) parsed.restoration = {.update_time = *file->update_time};
  parsed.article = std::move(file->article);
  parsed.ignored_keys = std::move(file->ignored_keys);
  std::move(file->notes.begin(), file->notes.end(), std::back_inserter(parsed.notes));
  return parsed;
}

absl::StatusOr<ParsedArticle> CompleteExported(ParsedFile exported, absl::string_view key,
                                               const Overrides& overrides) {
  static const FormatEntry entry = {
      .format = Format::kHtml, .parse = nullptr, .missing_title = "there is no title"};
  ApplyOverrides(overrides, exported);
  RemoveEmailAddresses(exported);
  if (!exported.draft.empty()) return Refuse(kReasonDraft, exported.draft);
  v1::Article& article = exported.article;
  NormalizeMessage(article);
  ParsedArticle parsed;
  parsed.notes = std::move(exported.notes);
  if (article.title().empty()) {
    article.set_title(BeginningOf(article.body()));
    if (!article.title().empty()) parsed.notes.emplace_back("the title is how the text begins");
  }
  parsed.is_name_made = overrides.id.empty();
  parsed.is_dated = article.has_publish_time();
  DropMinorFaults(article, parsed.notes);
  NameExported(key, parsed, article);
  CheckIsThere(entry, exported);
  CheckRules(exported);
  if (!exported.faults.empty()) return ErrorOf(entry, exported);
  if (absl::Status status = CompleteArticle("article", article); !status.ok()) {
    return Refuse("bad field", absl::StripPrefix(status.message(), "article."));
  }
  TakeFormerNames(exported, parsed);
  if (exported.update_time) {
    // Until it was published, nobody saw it change.
    const absl::Time publish_time = absl::FromUnixSeconds(article.publish_time().seconds());
    parsed.restoration = {.update_time = std::max(*exported.update_time, publish_time)};
  }
  parsed.article = std::move(article);
  return parsed;
}

}  // namespace content::transfer
