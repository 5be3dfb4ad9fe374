#include "import/importer.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "content/names.h"
#include "content/normalize.h"
#include "content/rules.h"
#include "content/text.h"
#include "import/markdown.h"
#include "import/text.h"

namespace content::importer {
namespace {

struct FormatEntry {
  Format format;
  absl::StatusOr<v1::Article> (*parse)(absl::string_view content);
  absl::string_view missing_title;
};

constexpr std::array kFormats = {
    FormatEntry{Format::kText, ParseText,
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

void ApplyOverrides(const Overrides& overrides, v1::Article& article) {
  if (!overrides.title.empty()) article.set_title(overrides.title);
  if (!overrides.id.empty()) article.set_name(ArticleName(overrides.id));
}

absl::Status CheckAndComplete(v1::Article& article) {
  NormalizeMessage(article);
  Violations violations;
  CheckArticle(article, "article", violations);
  if (!violations.empty()) return violations.ToStatus();
  return CompleteArticle("article", article);
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
  absl::StatusOr<v1::Article> article = entry.parse(*text);
  if (!article.ok()) return article.status();
  ApplyOverrides(overrides, *article);
  if (article->title().empty()) return absl::InvalidArgumentError(entry.missing_title);
  const bool id_given = !article->name().empty();
  if (absl::Status status = CheckAndComplete(*article); !status.ok()) return status;
  return ParsedArticle{*std::move(article), id_given};
}

}  // namespace content::importer
