#include "import/importer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "content/names.h"
#include "content/normalize.h"
#include "content/rules.h"
#include "content/text.h"
#include "import/markdown.h"
#include "import/parsed_file.h"
#include "import/text.h"

namespace content::importer {
namespace {

struct FormatEntry {
  Format format;
  absl::StatusOr<ParsedFile> (*parse)(absl::string_view content);
  absl::string_view missing_title;
};

absl::StatusOr<ParsedFile> ParseAnyText(absl::string_view content) { return ParseText(content); }

constexpr std::array kFormats = {
    FormatEntry{Format::kText, ParseAnyText,
                "a page saved as text does not contain its title; give it with --title"},
    FormatEntry{Format::kMarkdown, ParseMarkdown,
                "there is no title; add one to the front matter or give it with --title"},
};

const FormatEntry& EntryOf(Format format) {
  return *std::find_if(kFormats.begin(), kFormats.end(),
                       [format](const FormatEntry& entry) { return entry.format == format; });
}

// Returns `content` with LF line ends and without a byte order mark. INVALID_ARGUMENT if it is not
// text.
absl::StatusOr<std::string> NormalizeText(absl::string_view content) {
  if (content.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file has more than ", kMaxFileBytes, " bytes"));
  }
  if (!IsUtf8(content)) return absl::InvalidArgumentError("the file is not UTF-8 text");
  if (HasForbiddenCharacter(content, /*one_line=*/false)) {
    return absl::InvalidArgumentError(
        "the file is not text: it contains NUL or other control characters");
  }
  content = absl::StripPrefix(content, "\uFEFF");
  if (absl::StripAsciiWhitespace(content).empty()) {
    return absl::InvalidArgumentError("the file is empty");
  }
  return absl::StrReplaceAll(content, {{"\r\n", "\n"}});
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

// Adds what the rules for articles find.
void CheckRules(const FormatEntry& entry, ParsedFile& file) {
  const v1::Article& article = file.article;
  if (article.title().empty() && !file.places.contains("title")) {
    file.faults.push_back({0, std::string(entry.missing_title)});
  }
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
  const bool needs_id = !article.title().empty() && !file.places.contains("name");
  if (needs_id && Slug(article.title(), kMaxArticleIdLength).empty()) {
    file.faults.push_back(
        {0, "no id can be derived from the title; give one with --id, or as slug in front matter"});
  }
}

// INVALID_ARGUMENT with a line for each fault, in the order of the file.
absl::Status ErrorOf(std::vector<Fault> faults) {
  const auto line_of = [](const Fault& fault) {
    return fault.line == 0 ? std::numeric_limits<int>::max() : fault.line;
  };
  std::stable_sort(faults.begin(), faults.end(),
                   [&line_of](const Fault& a, const Fault& b) { return line_of(a) < line_of(b); });
  const auto append = [](std::string* text, const Fault& fault) {
    if (fault.line > 0) absl::StrAppend(text, "line ", fault.line, ": ");
    text->append(fault.problem);
  };
  return absl::InvalidArgumentError(absl::StrJoin(faults, "\n", append));
}

}  // namespace

Format FormatOf(absl::string_view path) {
  return absl::EndsWithIgnoreCase(path, ".md") || absl::EndsWithIgnoreCase(path, ".markdown")
             ? Format::kMarkdown
             : Format::kText;
}

absl::StatusOr<ParsedArticle> Parse(absl::string_view content, Format format,
                                    const Overrides& overrides) {
  const FormatEntry& entry = EntryOf(format);
  absl::StatusOr<std::string> text = NormalizeText(content);
  if (!text.ok()) return text.status();
  absl::StatusOr<ParsedFile> file = entry.parse(*text);
  if (!file.ok()) return file.status();
  ApplyOverrides(overrides, *file);
  NormalizeMessage(file->article);
  CheckRules(entry, *file);
  if (!file->faults.empty()) return ErrorOf(std::move(file->faults));
  const bool id_given = !file->article.name().empty();
  if (absl::Status status = CompleteArticle("article", file->article); !status.ok()) {
    return absl::InvalidArgumentError(absl::StripPrefix(status.message(), "article."));
  }
  return ParsedArticle{std::move(file->article), id_given, std::move(file->ignored_keys)};
}

}  // namespace content::importer
