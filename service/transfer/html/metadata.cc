#include "transfer/html/metadata.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "content/text.h"
#include "transfer/dates.h"
#include "transfer/html/tree.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

using Json = nlohmann::json;
using Author = HtmlMetadata::Author;

// What the rules for articles allow (article.proto). A page that says more says it to machines.
constexpr size_t kMaxAuthors = 50;
constexpr size_t kMaxTags = 50;
constexpr size_t kMaxNameCharacters = 100;
constexpr size_t kMaxSummaryCharacters = 2'000;

// Takes what it is given first for each field.
class Gatherer {
 public:
  void Title(absl::string_view text) { SetText(metadata_.title, text); }
  void Language(absl::string_view text) {
    SetText(metadata_.language, absl::StrReplaceAll(text, {{"_", "-"}}));
  }
  void Summary(absl::string_view text) {
    SetText(metadata_.summary, FirstCharacters(text, kMaxSummaryCharacters));
  }

  void Address(absl::string_view text) {
    const std::string address = LinkAddress(text);
    if (metadata_.address.empty() && IsWebAddress(address)) metadata_.address = address;
  }

  void PublishTime(absl::string_view text) {
    if (metadata_.publish_time) return;
    metadata_.publish_time = ParseDate(text);
  }

  // Adds an author, if none has been found in a better place.
  void AddAuthor(absl::string_view name, absl::string_view address) {
    const std::string line = OneLine(name);
    // Some pages give the address of a profile as a name.
    if (!IsName(line) || IsWebAddress(line) || has_authors_) return;
    if (metadata_.authors.size() == kMaxAuthors) return;
    const bool is_known =
        std::any_of(metadata_.authors.begin(), metadata_.authors.end(),
                    [&line](const Author& author) { return author.name == line; });
    if (is_known) return;
    const std::string link = LinkAddress(address);
    metadata_.authors.push_back({line, IsWebAddress(link) ? link : ""});
  }

  void AddTag(absl::string_view text) {
    const std::string tag = OneLine(text);
    const auto& tags = metadata_.tags;
    if (!IsName(tag) || has_tags_ || tags.size() == kMaxTags) return;
    if (std::find(tags.begin(), tags.end(), tag) != tags.end()) return;
    metadata_.tags.push_back(tag);
  }

  // What is found from now on has less weight.
  void EndSource() {
    has_authors_ = !metadata_.authors.empty();
    has_tags_ = !metadata_.tags.empty();
  }

  HtmlMetadata Take() { return std::move(metadata_); }

 private:
  static bool IsName(absl::string_view line) {
    return !line.empty() && CountCharacters(line) <= kMaxNameCharacters;
  }

  static void SetText(std::string& field, absl::string_view text) {
    if (field.empty()) field = OneLine(text);
  }

  HtmlMetadata metadata_;
  bool has_authors_ = false;
  bool has_tags_ = false;
};

// The entry of a page in Microformats 2, as Medium's archive and the IndieWeb have it.
void ReadMicroformats(const GumboNode& root, Gatherer& found) {
  bool is_in_entry = false;
  Visit(root, [&](const GumboNode& node) {
    is_in_entry = is_in_entry || HasWord(node, "class", {"h-entry"});
    // What an entry contains speaks of other things.
    if (!is_in_entry) return true;
    if (HasWord(node, "class", {"p-name"})) found.Title(TextOf(node));
    if (HasWord(node, "class", {"p-summary"})) found.Summary(TextOf(node));
    if (HasWord(node, "class", {"dt-published"})) found.PublishTime(Attribute(node, "datetime"));
    if (HasWord(node, "class", {"p-author"})) {
      found.AddAuthor(TextOf(node), Attribute(node, "href"));
    }
    if (HasWord(node, "class", {"p-tag", "p-category"})) found.AddTag(TextOf(node));
    if (HasWord(node, "class", {"p-canonical", "u-url"})) found.Address(Attribute(node, "href"));
    return !HasWord(node, "class", {"e-content"});
  });
  found.EndSource();
}

// Returns the text of a member of an object; empty if it is not there or is no text.
std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// Returns a value, or the first that a list has, or the member `key` if it is an object.
std::string TextOrMember(const Json& object, const char* name, const char* key) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  const Json& value = found->is_array() && !found->empty() ? found->front() : *found;
  if (value.is_string()) return value.get<std::string>();
  return value.is_object() ? Text(value, key) : "";
}

void ReadJsonAuthor(const Json& author, Gatherer& found) {
  if (author.is_string()) {
    found.AddAuthor(author.get<std::string>(), "");
  } else if (author.is_object()) {
    found.AddAuthor(Text(author, "name"), Text(author, "url"));
  } else if (author.is_array()) {
    for (const Json& one : author) {
      if (!one.is_array()) ReadJsonAuthor(one, found);
    }
  }
}

void ReadKeywords(const Json& article, Gatherer& found) {
  const auto keywords = article.find("keywords");
  if (keywords == article.end()) return;
  if (keywords->is_string()) {
    const std::string list = keywords->get<std::string>();
    for (const absl::string_view tag : absl::StrSplit(list, ',')) found.AddTag(tag);
  } else if (keywords->is_array()) {
    for (const Json& tag : *keywords) {
      if (tag.is_string()) found.AddTag(tag.get<std::string>());
    }
  }
}

bool IsArticle(const Json& object) {
  const std::string type = TextOrMember(object, "@type", "");
  return absl::EndsWith(type, "Article") || type == "BlogPosting" || type == "Report";
}

void ReadJsonArticle(const Json& article, Gatherer& found) {
  found.Title(Text(article, "headline"));
  found.PublishTime(Text(article, "datePublished"));
  found.Language(TextOrMember(article, "inLanguage", "alternateName"));
  found.Summary(Text(article, "description"));
  found.Address(Text(article, "url"));
  found.Address(TextOrMember(article, "mainEntityOfPage", "@id"));
  if (const auto author = article.find("author"); author != article.end()) {
    ReadJsonAuthor(*author, found);
  }
  ReadKeywords(article, found);
}

// An article stands in a script, in a list there, or in the list "@graph".
void ReadJsonLd(const std::string& script, Gatherer& found) {
  const Json document = Json::parse(script, nullptr, /*allow_exceptions=*/false);
  const auto read_all = [&found](const Json& list) {
    for (const Json& object : list) {
      if (object.is_object() && IsArticle(object)) ReadJsonArticle(object, found);
    }
  };
  if (document.is_array()) read_all(document);
  if (!document.is_object()) return;
  if (IsArticle(document)) ReadJsonArticle(document, found);
  if (const auto graph = document.find("@graph"); graph != document.end() && graph->is_array()) {
    read_all(*graph);
  }
}

void ReadMeta(const GumboNode& meta, Gatherer& found) {
  const std::string name = absl::AsciiStrToLower(
      HasAttribute(meta, "property") ? Attribute(meta, "property") : Attribute(meta, "name"));
  const absl::string_view value = Attribute(meta, "content");
  if (name == "og:title" || name == "twitter:title" || name == "dc.title") found.Title(value);
  if (name == "og:description" || name == "description") found.Summary(value);
  if (name == "og:url") found.Address(value);
  if (name == "og:locale") found.Language(value);
  if (name == "article:published_time" || name == "date" || name == "dc.date" ||
      name == "dcterms.created" || name == "parsely-pub-date" || name == "pubdate") {
    found.PublishTime(value);
  }
  if (name == "author" || name == "article:author" || name == "parsely-author" ||
      name == "dc.creator") {
    found.AddAuthor(value, "");
  }
  if (name == "article:tag") found.AddTag(value);
}

// What the tags of <head> say.
void ReadHead(const GumboNode& root, Gatherer& found) {
  Visit(root, [&found](const GumboNode& node) {
    if (IsElement(node, {GUMBO_TAG_META})) ReadMeta(node, found);
    if (IsElement(node, {GUMBO_TAG_LINK}) && HasWord(node, "rel", {"canonical"})) {
      found.Address(Attribute(node, "href"));
    }
    return true;
  });
  found.EndSource();
}

// The value of an element with the attribute itemprop.
std::string ValueOf(const GumboNode& node) {
  for (const char* attribute : {"content", "datetime"}) {
    if (HasAttribute(node, attribute)) return std::string(Attribute(node, attribute));
  }
  return TextOf(node);
}

// What schema.org's attributes and HTML's own elements say.
void ReadBody(const GumboNode& root, Gatherer& found) {
  Visit(root, [&found](const GumboNode& node) {
    if (!IsElement(node)) return false;
    if (HasWord(node, "itemprop", {"headline"})) found.Title(ValueOf(node));
    if (HasWord(node, "itemprop", {"datePublished"})) found.PublishTime(ValueOf(node));
    if (HasWord(node, "itemprop", {"author"})) found.AddAuthor(ValueOf(node), "");
    if (HasWord(node, "rel", {"author"})) {
      found.AddAuthor(TextOf(node), Attribute(node, "href"));
    }
    return true;
  });
  found.EndSource();
}

// A single first heading is that of the article; those of a site stand beside others.
void ReadHeading(const GumboNode& root, Gatherer& found) {
  std::vector<const GumboNode*> headings;
  std::string title;
  Visit(root, [&](const GumboNode& node) {
    if (IsElement(node, {GUMBO_TAG_H1})) headings.push_back(&node);
    if (IsElement(node, {GUMBO_TAG_TITLE}) && title.empty()) title = TextOf(node);
    if (IsElement(node, {GUMBO_TAG_TIME})) found.PublishTime(ValueOf(node));
    return true;
  });
  if (headings.size() == 1) found.Title(TextOf(*headings[0]));
  found.Title(title);
}

}  // namespace

HtmlMetadata ReadHtmlMetadata(const GumboNode& root, const std::vector<std::string>& json_ld) {
  Gatherer found;
  ReadMicroformats(root, found);
  for (const std::string& script : json_ld) ReadJsonLd(script, found);
  found.EndSource();
  found.Language(Attribute(root, "lang"));
  ReadHead(root, found);
  ReadBody(root, found);
  ReadHeading(root, found);
  return found.Take();
}

}  // namespace content::transfer
