#include "transfer/out/markdown_file.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "google/protobuf/util/time_util.h"

namespace content::transfer {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;

// A string of JSON is one of YAML, in double quotes, except that YAML has no noncharacters.
std::string Quoted(const std::string& text) {
  return absl::StrReplaceAll(nlohmann::json(text).dump(),
                             {{"\uFFFE", "\\ufffe"}, {"\uFFFF", "\\uffff"}});
}

void AddLine(absl::string_view key, absl::string_view value, std::string& file) {
  absl::StrAppend(&file, key, ": ", value, "\n");
}

void AddText(absl::string_view key, const std::string& value, std::string& file) {
  if (!value.empty()) AddLine(key, Quoted(value), file);
}

void AddTime(absl::string_view key, const Timestamp& time, std::string& file) {
  AddLine(key, TimeUtil::ToString(time), file);
}

void AddAuthors(const v1::Article& article, std::string& file) {
  if (article.authors().empty()) return;
  file += "authors:\n";
  for (const v1::Author& author : article.authors()) {
    absl::StrAppend(&file, "  - name: ", Quoted(author.display_name()), "\n");
    if (!author.id().empty()) absl::StrAppend(&file, "    id: ", Quoted(author.id()), "\n");
    if (!author.uri().empty()) absl::StrAppend(&file, "    url: ", Quoted(author.uri()), "\n");
  }
}

template <class Texts>
void AddList(absl::string_view key, const Texts& texts, std::string& file) {
  if (texts.empty()) return;
  absl::StrAppend(&file, key, ":\n");
  for (const std::string& text : texts) absl::StrAppend(&file, "  - ", Quoted(text), "\n");
}

// The addresses that Hugo makes pages at, which lead to this one.
std::vector<std::string> AliasesOf(const StoredArticle& article) {
  std::vector<std::string> aliases;
  for (const std::string& name : article.former_names) {
    aliases.push_back(absl::StrCat("/", name, "/"));
  }
  return aliases;
}

// "COMMENT_POLICY_CLOSED" -> "closed"
std::string NameOfPolicy(v1::CommentPolicy policy) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(v1::CommentPolicy_Name(policy), "COMMENT_POLICY_"));
}

std::string IdOfArticle(const StoredArticle& article) {
  return ParseArticleName(article.article.name()).value();
}

}  // namespace

std::string MarkdownFileName(const StoredArticle& article) {
  const absl::Time time =
      absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(article.article.publish_time()));
  return absl::StrCat(absl::FormatTime("%E4Y-%m-%d", time, absl::UTCTimeZone()), "-",
                      IdOfArticle(article), ".md");
}

std::string MarkdownFile(const StoredArticle& article) {
  const v1::Article& fields = article.article;
  std::string file = "---\n";
  AddText("title", fields.title(), file);
  AddTime("date", fields.publish_time(), file);
  AddTime("lastmod", fields.update_time(), file);
  AddText("slug", IdOfArticle(article), file);
  AddAuthors(fields, file);
  AddList("tags", fields.tags(), file);
  AddText("description", fields.summary(), file);
  AddText("lang", fields.language_code(), file);
  AddText("canonical_url", fields.source_uri(), file);
  AddList("aliases", AliasesOf(article), file);
  if (fields.comment_policy() != v1::COMMENT_POLICY_OPEN) {
    AddText("comment_policy", NameOfPolicy(fields.comment_policy()), file);
  }
  // Hugo reads the first, Jekyll the second.
  if (article.retracted) file += "draft: true\npublished: false\n";
  // Jekyll would take them for its own language.
  if (absl::StrContains(fields.body(), "{{") || absl::StrContains(fields.body(), "{%")) {
    file += "render_with_liquid: false\n";
  }
  absl::StrAppend(&file, "---\n\n", fields.body());
  if (!absl::EndsWith(fields.body(), "\n")) file += '\n';
  return file;
}

}  // namespace content::transfer
