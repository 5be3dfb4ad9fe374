#include "transfer/exports/devto.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "content/names.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/json_items.h"
#include "transfer/html/to_markdown.h"
#include "transfer/ids.h"
#include "transfer/markdown/markdown.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// The API and the export name some fields differently.
std::string EitherIn(const JsonValue& article, absl::string_view name, absl::string_view other) {
  std::string text = TextIn(article, name);
  return text.empty() ? TextIn(article, other) : text;
}

bool IsPublishedOnDevto(const JsonValue& article) {
  if (article.contains("published")) return IsTrueIn(article, "published");
  return !EitherIn(article, "published_at", "published_timestamp").empty();
}

// A list, or a text such as "a, b". Which of the two the API answers depends on the method.
void AddDevtoTags(const JsonValue& article, v1::Article& result) {
  for (const absl::string_view name : {"tags", "tag_list", "cached_tag_list"}) {
    if (!result.tags().empty()) return;
    for (const JsonValue& tag : ListIn(article, name)) {
      if (tag.is_string()) result.add_tags(tag.get<std::string>());
    }
    for (const absl::string_view tag : absl::StrSplit(TextIn(article, name), ',')) {
      const absl::string_view trimmed = absl::StripAsciiWhitespace(tag);
      if (!trimmed.empty()) result.add_tags(std::string(trimmed));
    }
  }
}

// The text is Markdown, with front matter if the author wrote it so. It may have tags of Liquid, of
// which only the HTML shows what they mean.
std::string DevtoBody(const JsonValue& article, std::vector<std::string>& notes) {
  const std::string markdown = TextIn(article, "body_markdown");
  const std::string html = EitherIn(article, "body_html", "processed_html");
  const bool has_liquid = absl::StrContains(markdown, "{%");
  if (markdown.empty() || (has_liquid && !html.empty())) return HtmlToMarkdown(html, notes);
  const absl::StatusOr<ParsedFile> parsed = ParseMarkdown(markdown);
  return parsed.ok() ? parsed->article.body() : HtmlToMarkdown(html, notes);
}

ExportedArticle DevtoArticle(const JsonValue& article) {
  ExportedArticle exported;
  v1::Article& result = exported.file.article;
  const std::string slug = TextIn(article, "slug");
  exported.label = absl::StrCat("article ", slug.empty() ? IdIn(article, "id") : slug);
  if (!IsPublishedOnDevto(article)) exported.file.draft = "the article is not published";
  result.set_title(TextIn(article, "title"));
  if (const std::string id = IdFromAddress(slug); !id.empty()) result.set_name(ArticleName(id));
  result.set_summary(TextIn(article, "description"));
  result.set_language_code(TextIn(article, "language"));
  if (const auto time = ParseDate(EitherIn(article, "published_at", "published_timestamp"))) {
    *result.mutable_publish_time() = ToTimestamp(*time);
  } else {
    exported.file.notes.emplace_back("it has no date that can be read");
  }
  exported.file.update_time = ParseDate(TextIn(article, "edited_at"));
  std::string author = TextIn(ObjectIn(article, "user"), "name");
  if (author.empty()) author = TextIn(article, "cached_user_name");
  if (!author.empty()) result.add_authors()->set_display_name(author);
  AddDevtoTags(article, result);
  const std::string address = LinkAddress(EitherIn(article, "canonical_url", "url"));
  if (IsWebAddress(address)) result.set_source_uri(address);
  for (const absl::string_view name : {"url", "path", "canonical_url"}) {
    const std::string known = TextIn(article, name);
    if (!known.empty()) exported.addresses.push_back(known);
  }
  const std::string image = ImageAddress(EitherIn(article, "cover_image", "main_image"));
  const std::string picture = image.empty() ? "" : absl::StrCat("![](<", image, ">)\n\n");
  const std::string body = DevtoBody(article, exported.file.notes);
  if (!body.empty()) result.set_body(absl::StrCat(picture, body));
  return exported;
}

// An article, or a list of them.
JsonUse DevtoUse(const JsonPath& path) {
  return path.empty() || StandsAt(path, {""}) ? JsonUse::kItem : JsonUse::kPart;
}

}  // namespace

bool BeginsLikeDevto(absl::string_view head) {
  return BeginsWithJson(head, [](const JsonPath& path) {
    const bool is_field = path.size() == 1 || (path.size() == 2 && path[0].empty());
    return is_field && (path.back() == "readable_publish_date" || path.back() == "body_markdown" ||
                        path.back() == "cached_tag_list");
  });
}

absl::Status ReadDevto(ExportFile& file, ExportSink& sink) {
  return ReadJsonItems(file, DevtoUse, [&sink](const JsonItem& item) {
    if (item.is_too_large) return sink.Refuse(ItemKind::kArticle, "an article", "is too large");
    const bool is_list_of_articles = item.path.empty() && item.value.is_array();
    if (is_list_of_articles) return true;
    if (!item.value.is_object()) {
      return sink.Refuse(ItemKind::kArticle, "an article", "is not an object");
    }
    return sink.Take(DevtoArticle(item.value));
  });
}

}  // namespace content::transfer
