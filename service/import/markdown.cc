#include "import/markdown.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "content/text.h"

namespace content::importer {
namespace {

struct File {
  // Includes everything before the front matter, so that YAML's line numbers are those of the file.
  absl::string_view front_matter;
  absl::string_view body;
};

absl::Status ErrorInLine(int line, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", problem));
}

// Removes the first line, with its LF, from `text` and returns it without trailing spaces.
absl::string_view TakeLine(absl::string_view& text) {
  const size_t length = std::min(text.find('\n'), text.size());
  const absl::string_view line = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return absl::StripTrailingAsciiWhitespace(line);
}

absl::string_view WithoutLeadingBlankLines(absl::string_view text) {
  for (absl::string_view rest = text; !rest.empty() && TakeLine(rest).empty();) text = rest;
  return text;
}

// Returns the language of front matter at the start of `text` if it is not YAML, otherwise empty.
absl::string_view UnsupportedLanguage(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "{")) {
    const bool has_keys = absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "\"");
    return has_keys ? "JSON" : "";  // Templates also begin with a brace.
  }
  return TakeLine(text) == "+++" ? "TOML" : "";
}

absl::StatusOr<File> SplitFile(absl::string_view content) {
  const absl::string_view text = WithoutLeadingBlankLines(content);
  const auto first_line = 1 + static_cast<int>(std::count(content.data(), text.data(), '\n'));
  if (const absl::string_view language = UnsupportedLanguage(text); !language.empty()) {
    return ErrorInLine(first_line, absl::StrCat("the front matter is ", language,
                                                "; only YAML (between lines of ---) is supported"));
  }
  absl::string_view rest = text;
  if (TakeLine(rest) != "---") return File{.front_matter = "", .body = content};
  while (!rest.empty()) {
    const size_t length = content.size() - rest.size();
    const absl::string_view line = TakeLine(rest);
    if (line == "---" || line == "...") {
      return File{.front_matter = content.substr(0, length), .body = rest};
    }
  }
  return ErrorInLine(first_line, "the front matter is not closed by a second line of ---");
}

std::string WithoutBlankLinesAround(absl::string_view body) {
  return std::string(WithoutLeadingBlankLines(absl::StripTrailingAsciiWhitespace(body)));
}

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

// Returns whether a value is as good as missing.
bool IsEmpty(const YAML::Node& value) {
  return value.IsNull() || (value.IsScalar() && absl::StripAsciiWhitespace(value.Scalar()).empty());
}

using Keys = std::initializer_list<const char*>;

// Reads the values of a map, and remembers which keys it read.
class MapReader {
 public:
  // `path` of the map, such as "authors[0]." in messages; empty for the front matter itself.
  MapReader(const YAML::Node& map, std::string path, ParsedFile& file)
      : map_(map), path_(std::move(path)), file_(file) {}

  // Returns the value of the first of `keys` that has one; null if none has. `field` of the article
  // that it is for, if any.
  YAML::Node Take(Keys keys, const std::string& field = "") {
    YAML::Node taken;
    for (const char* key : keys) {
      const YAML::Node value = map_[key];
      if (!value) continue;
      const bool is_first = taken.IsNull();
      if (is_first || IsEmpty(value)) read_.insert(key);
      if (!is_first || IsEmpty(value)) continue;
      taken.reset(value);
      if (!field.empty()) file_.places[field] = {LineOf(value), key};
    }
    return taken;
  }

  // Returns the text of such a value; empty if there is none or if it is no text, which is a fault.
  std::string TakeText(Keys keys, const std::string& field = "") {
    const YAML::Node value = Take(keys, field);
    if (value.IsNull()) return "";
    if (value.IsScalar()) return std::string(absl::StripAsciiWhitespace(value.Scalar()));
    const std::string name = field.empty() ? *keys.begin() : file_.places[field].name;
    file_.faults.push_back({LineOf(value), absl::StrCat(path_, name, " must be text")});
    return "";
  }

  // Returns the value of `key` if it is a boolean.
  std::optional<bool> TakeBool(const char* key) {
    const YAML::Node value = map_[key];
    bool result = false;
    if (!value || !YAML::convert<bool>::decode(value, result)) return std::nullopt;
    read_.insert(key);
    return result;
  }

  int LineOfKey(const char* key) const { return LineOf(map_[key]); }

  // Adds the keys that were not read, and those that are there twice, to the file's ignored keys.
  void ListIgnoredKeys() {
    std::set<std::string> seen;
    for (const auto& entry : map_) {
      const std::string key =
          entry.first.IsScalar() ? entry.first.Scalar() : YAML::Dump(entry.first);
      const bool is_duplicate = !seen.insert(key).second;
      if (read_.contains(key) && !is_duplicate) continue;
      file_.ignored_keys.push_back(absl::StrCat(path_, OneLine(key)));
    }
  }

 private:
  const YAML::Node map_;
  const std::string path_;
  ParsedFile& file_;
  std::set<std::string> read_;
};

void ReadAuthor(const YAML::Node& value, ParsedFile& file) {
  v1::Author& author = *file.article.add_authors();
  const size_t fault_count = file.faults.size();
  if (value.IsScalar()) {
    author.set_display_name(std::string(absl::StripAsciiWhitespace(value.Scalar())));
  } else if (value.IsMap()) {
    MapReader map(value, absl::StrCat("authors[", file.article.authors_size() - 1, "]."), file);
    author.set_display_name(map.TakeText({"name"}));
    author.set_id(map.TakeText({"id"}));
    author.set_uri(map.TakeText({"url"}));
    map.ListIgnoredKeys();
  } else {
    file.faults.push_back(
        {LineOf(value), "an author must be a name, or a map of name, id and url"});
  }
  // The name that is faulty is not also missing.
  if (file.faults.size() > fault_count) author.set_display_name("?");
}

void ReadAuthors(MapReader& map, ParsedFile& file) {
  const YAML::Node value = map.Take({"author", "authors"}, "authors");
  if (value.IsNull()) return;
  if (!value.IsSequence()) return ReadAuthor(value, file);
  for (const YAML::Node& author : value) ReadAuthor(author, file);
}

void ReadTags(MapReader& map, ParsedFile& file) {
  const YAML::Node value = map.Take({"tags"}, "tags");
  if (value.IsSequence()) {
    for (const YAML::Node& tag : value) {
      if (tag.IsScalar()) {
        file.article.add_tags(std::string(absl::StripAsciiWhitespace(tag.Scalar())));
      } else {
        file.faults.push_back({LineOf(tag), "a tag must be text"});
      }
    }
    return;
  }
  if (value.IsMap()) {
    file.faults.push_back({LineOf(value), "tags must be text or a list"});
    return;
  }
  const std::string text = map.TakeText({"tags"}, "tags");
  const char* separators = absl::StrContains(text, ',') ? "," : " \t\n";
  for (const absl::string_view tag :
       absl::StrSplit(text, absl::ByAnyChar(separators), absl::SkipWhitespace())) {
    file.article.add_tags(std::string(absl::StripAsciiWhitespace(tag)));
  }
}

// In a format, a space matches any number of spaces, including none.
bool ParseDate(absl::string_view text, absl::Time& time) {
  absl::ConsumeSuffix(&text, " UTC");
  std::string problem;
  for (const char* format :
       {"%Y-%m-%d", "%Y-%m-%d%ET%H:%M", "%Y-%m-%d%ET%H:%M %Ez", "%Y-%m-%d%ET%H:%M:%E*S",
        "%Y-%m-%d%ET%H:%M:%E*S %Ez", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M %Ez", "%Y-%m-%d %H:%M:%E*S",
        "%Y-%m-%d %H:%M:%E*S %Ez"}) {
    if (absl::ParseTime(format, text, &time, &problem)) return true;
  }
  return false;
}

void ReadDate(MapReader& map, ParsedFile& file) {
  const std::string text = map.TakeText({"date"}, "publish_time");
  if (text.empty()) return;
  absl::Time time;
  if (!ParseDate(text, time)) {
    file.faults.push_back(
        {map.LineOfKey("date"),
         absl::StrCat("\"", OneLine(text),
                      "\" is not a date such as 2025-06-12, 2025-06-12T08:30:00Z or 2025-06-12 "
                      "08:30:00 +0200")});
    return;
  }
  const int64_t seconds = absl::ToUnixSeconds(time);
  const absl::Duration fraction = time - absl::FromUnixSeconds(seconds);
  file.article.mutable_publish_time()->set_seconds(seconds);
  file.article.mutable_publish_time()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(fraction)));
}

void ReadName(MapReader& map, ParsedFile& file) {
  const std::string id = map.TakeText({"slug", "id"}, "name");
  if (id.empty()) return;
  if (IsArticleId(id)) {
    file.article.set_name(ArticleName(id));
  } else {
    const Place& place = file.places["name"];
    file.faults.push_back(
        {place.line, absl::StrCat(place.name, " must be 1 to ", kMaxArticleIdLength,
                                  " lower-case letters, digits and inner hyphens")});
  }
}

// A site generator would not publish these files either.
void CheckPublished(MapReader& map, ParsedFile& file) {
  if (map.TakeBool("draft").value_or(false)) {
    file.faults.push_back({map.LineOfKey("draft"), "the file is a draft"});
  }
  if (!map.TakeBool("published").value_or(true)) {
    file.faults.push_back({map.LineOfKey("published"), "the file is marked as not published"});
  }
}

void ReadMap(const YAML::Node& front_matter, ParsedFile& file) {
  MapReader map(front_matter, "", file);
  CheckPublished(map, file);
  file.article.set_title(map.TakeText({"title"}, "title"));
  ReadName(map, file);
  ReadAuthors(map, file);
  ReadDate(map, file);
  ReadTags(map, file);
  file.article.set_summary(map.TakeText({"summary", "description"}, "summary"));
  file.article.set_language_code(map.TakeText({"language", "lang"}, "language_code"));
  map.ListIgnoredKeys();
}

// Returns the line of the last scalar.
int LastLine(const YAML::Node& node) {
  if (node.IsScalar()) return LineOf(node);
  int line = 0;
  for (const auto& entry : node) {
    line = std::max(line, LastLine(node.IsMap() ? entry.second : entry));
  }
  return line;
}

std::string Describe(const YAML::Exception& error) {
  // What yaml-cpp says about `title: "one" two`, about a quote that the next quote closes, and
  // about one in a list.
  const bool may_be_quotes =
      error.msg == YAML::ErrorMsg::END_OF_MAP || error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  return absl::StrCat("the front matter is not YAML: ", error.msg,
                      may_be_quotes ? " (is a quote not closed, or does text follow it?)" : "");
}

// A parser that reaches the end of its input takes it for the end of a quoted text. At a line of
// `...`, where a document ends, it finds that the quote is not closed.
absl::StatusOr<YAML::Node> Load(const std::string& yaml) {
  try {
    return YAML::Load(absl::StrCat(yaml, "...\n"));
  } catch (const YAML::Exception& error) {
    if (error.msg != YAML::ErrorMsg::DOC_IN_SCALAR) {
      return ErrorInLine(error.mark.line + 1, Describe(error));
    }
  }
  return ErrorInLine(LastLine(YAML::Load(yaml)), "a quoted text is not closed");
}

absl::Status ReadFrontMatter(absl::string_view front_matter, ParsedFile& file) {
  if (front_matter.empty()) return absl::OkStatus();
  try {
    const absl::StatusOr<YAML::Node> map = Load(std::string(front_matter));
    if (!map.ok()) return map.status();
    if (map->IsNull()) return absl::OkStatus();
    if (!map->IsMap()) {
      return ErrorInLine(LineOf(*map), "the front matter must be a map of keys to values");
    }
    ReadMap(*map, file);
    return absl::OkStatus();
  } catch (const YAML::Exception& error) {
    return ErrorInLine(error.mark.line + 1, Describe(error));
  }
}

}  // namespace

absl::StatusOr<ParsedFile> ParseMarkdown(absl::string_view content) {
  const absl::StatusOr<File> file = SplitFile(content);
  if (!file.ok()) return file.status();
  ParsedFile parsed;
  if (absl::Status status = ReadFrontMatter(file->front_matter, parsed); !status.ok()) {
    return status;
  }
  parsed.article.set_body(WithoutBlankLinesAround(file->body));
  return parsed;
}

}  // namespace content::importer
