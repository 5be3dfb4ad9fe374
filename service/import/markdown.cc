#include "import/markdown.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/names.h"

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

absl::Status ErrorAt(const YAML::Mark& mark, absl::string_view problem) {
  return ErrorInLine(mark.line + 1, problem);
}

// Returns the value of the first of `keys` that has one; null if none has.
YAML::Node Find(const YAML::Node& map, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (const YAML::Node value = map[key]; value && !value.IsNull()) return value;
  }
  return {};
}

absl::Status ReadText(const YAML::Node& map, std::initializer_list<const char*> keys,
                      std::string& text) {
  const YAML::Node value = Find(map, keys);
  if (value.IsNull()) return absl::OkStatus();
  if (!value.IsScalar()) {
    return ErrorAt(value.Mark(), absl::StrCat(*keys.begin(), " must be text"));
  }
  text = std::string(absl::StripAsciiWhitespace(value.Scalar()));
  return absl::OkStatus();
}

absl::Status ReadAuthor(const YAML::Node& value, v1::Article& article) {
  v1::Author& author = *article.add_authors();
  if (value.IsScalar()) {
    author.set_display_name(std::string(absl::StripAsciiWhitespace(value.Scalar())));
    return absl::OkStatus();
  }
  if (!value.IsMap()) {
    return ErrorAt(value.Mark(), "an author must be a name, or a map of name, id and url");
  }
  absl::Status status = ReadText(value, {"name"}, *author.mutable_display_name());
  status.Update(ReadText(value, {"id"}, *author.mutable_id()));
  status.Update(ReadText(value, {"url"}, *author.mutable_uri()));
  return status;
}

absl::Status ReadAuthors(const YAML::Node& map, v1::Article& article) {
  const YAML::Node value = Find(map, {"author", "authors"});
  if (value.IsNull()) return absl::OkStatus();
  if (!value.IsSequence()) return ReadAuthor(value, article);
  for (const YAML::Node& author : value) {
    if (absl::Status status = ReadAuthor(author, article); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadTags(const YAML::Node& map, v1::Article& article) {
  const YAML::Node value = Find(map, {"tags"});
  if (value.IsSequence()) {
    for (const YAML::Node& tag : value) {
      if (!tag.IsScalar()) return ErrorAt(tag.Mark(), "a tag must be text");
      article.add_tags(std::string(absl::StripAsciiWhitespace(tag.Scalar())));
    }
    return absl::OkStatus();
  }
  std::string text;
  if (absl::Status status = ReadText(map, {"tags"}, text); !status.ok()) return status;
  const char* separators = absl::StrContains(text, ',') ? "," : " \t\n";
  for (const absl::string_view tag :
       absl::StrSplit(text, absl::ByAnyChar(separators), absl::SkipWhitespace())) {
    article.add_tags(std::string(absl::StripAsciiWhitespace(tag)));
  }
  return absl::OkStatus();
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

absl::Status ReadDate(const YAML::Node& map, v1::Article& article) {
  std::string text;
  if (absl::Status status = ReadText(map, {"date"}, text); !status.ok()) return status;
  if (text.empty()) return absl::OkStatus();
  absl::Time time;
  if (!ParseDate(text, time)) {
    return ErrorAt(map["date"].Mark(),
                   absl::StrCat("\"", text, "\" is not a date such as 2025-06-12, ",
                                "2025-06-12T08:30:00Z or 2025-06-12 08:30:00 +0200"));
  }
  const int64_t seconds = absl::ToUnixSeconds(time);
  const absl::Duration fraction = time - absl::FromUnixSeconds(seconds);
  article.mutable_publish_time()->set_seconds(seconds);
  article.mutable_publish_time()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(fraction)));
  return absl::OkStatus();
}

absl::Status ReadName(const YAML::Node& map, v1::Article& article) {
  for (const char* key : {"slug", "id"}) {
    std::string id;
    if (absl::Status status = ReadText(map, {key}, id); !status.ok()) return status;
    if (id.empty()) continue;
    if (!IsArticleId(id)) {
      return ErrorAt(map[key].Mark(),
                     absl::StrCat(key, " must be 1 to ", kMaxArticleIdLength,
                                  " lower-case letters, digits and inner hyphens"));
    }
    article.set_name(ArticleName(id));
    break;
  }
  return absl::OkStatus();
}

// A site generator would not publish these files either.
absl::Status CheckPublished(const YAML::Node& map) {
  if (const YAML::Node draft = map["draft"]; draft && draft.as<bool>(false)) {
    return ErrorAt(draft.Mark(), "the file is a draft");
  }
  if (const YAML::Node published = map["published"]; published && !published.as<bool>(true)) {
    return ErrorAt(published.Mark(), "the file is marked as not published");
  }
  return absl::OkStatus();
}

absl::Status ReadMap(const YAML::Node& map, v1::Article& article) {
  absl::Status status = CheckPublished(map);
  status.Update(ReadText(map, {"title"}, *article.mutable_title()));
  status.Update(ReadName(map, article));
  status.Update(ReadAuthors(map, article));
  status.Update(ReadDate(map, article));
  status.Update(ReadTags(map, article));
  status.Update(ReadText(map, {"summary", "description"}, *article.mutable_summary()));
  status.Update(ReadText(map, {"language", "lang"}, *article.mutable_language_code()));
  return status;
}

absl::Status ReadFrontMatter(absl::string_view front_matter, v1::Article& article) {
  try {
    const YAML::Node map = YAML::Load(std::string(front_matter));
    if (map.IsNull()) return absl::OkStatus();
    if (!map.IsMap()) {
      return ErrorAt(map.Mark(), "the front matter must be a map of keys to values");
    }
    return ReadMap(map, article);
  } catch (const YAML::Exception& error) {
    return ErrorAt(error.mark, absl::StrCat("the front matter is not YAML: ", error.msg));
  }
}

}  // namespace

absl::StatusOr<v1::Article> ParseMarkdown(absl::string_view content) {
  const absl::StatusOr<File> file = SplitFile(content);
  if (!file.ok()) return file.status();
  v1::Article article;
  if (absl::Status status = ReadFrontMatter(file->front_matter, article); !status.ok()) {
    return status;
  }
  article.set_body(WithoutBlankLinesAround(file->body));
  return article;
}

}  // namespace content::importer
