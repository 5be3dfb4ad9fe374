#include "transfer/html/metadata.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "content/text.h"
#include "transfer/dates.h"
#include "transfer/html/plain_text.h"
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

// Returns a text for people. Plugins leave character references in them, but `<b>` is what an
// article may be about.
std::string Words(const std::string& text) {
  if (!absl::StrContains(text, '&')) return text;
  return HtmlToPlainText(absl::StrReplaceAll(text, {{"<", "&lt;"}}));
}

// The objects of a script by "@id".
using JsonById = absl::flat_hash_map<std::string, const Json*>;

// Returns a value, or the first that a list has, or the member `key` if it is an object.
std::string TextOrMember(const Json& object, const char* name, const char* key) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  const Json& value = found->is_array() && !found->empty() ? found->front() : *found;
  if (value.is_string()) return value.get<std::string>();
  return value.is_object() ? Text(value, key) : "";
}

void ReadJsonAuthor(const Json& author, const JsonById& objects, Gatherer& found) {
  if (author.is_string()) {
    found.AddAuthor(Words(author.get<std::string>()), "");
  } else if (author.is_object()) {
    const auto named = objects.find(Text(author, "@id"));
    const bool is_elsewhere = !author.contains("name") && named != objects.end();
    const Json& person = is_elsewhere ? *named->second : author;
    found.AddAuthor(Words(Text(person, "name")), Text(person, "url"));
  } else if (author.is_array()) {
    for (const Json& one : author) {
      if (!one.is_array()) ReadJsonAuthor(one, objects, found);
    }
  }
}

void ReadKeywords(const Json& article, Gatherer& found) {
  const auto keywords = article.find("keywords");
  if (keywords == article.end()) return;
  if (keywords->is_string()) {
    const std::string list = Words(keywords->get<std::string>());
    for (const absl::string_view tag : absl::StrSplit(list, ',')) found.AddTag(tag);
  } else if (keywords->is_array()) {
    for (const Json& tag : *keywords) {
      if (tag.is_string()) found.AddTag(Words(tag.get<std::string>()));
    }
  }
}

bool IsArticle(const Json& object) {
  const std::string type = TextOrMember(object, "@type", "");
  return absl::EndsWith(type, "Article") || type == "BlogPosting" || type == "Report";
}

void ReadJsonArticle(const Json& article, const JsonById& objects, Gatherer& found) {
  found.Title(Words(Text(article, "headline")));
  found.PublishTime(Text(article, "datePublished"));
  found.Language(TextOrMember(article, "inLanguage", "alternateName"));
  found.Summary(Words(Text(article, "description")));
  found.Address(Text(article, "url"));
  found.Address(TextOrMember(article, "mainEntityOfPage", "@id"));
  if (const auto author = article.find("author"); author != article.end()) {
    ReadJsonAuthor(*author, objects, found);
  }
  ReadKeywords(article, found);
}

// An article stands in a script, in a list there, or in the list "@graph".
void ReadJsonLd(const std::string& script, Gatherer& found) {
  const Json document = Json::parse(script, nullptr, /*allow_exceptions=*/false);
  const auto read_all = [&found](const Json& list) {
    JsonById objects;
    for (const Json& object : list) {
      if (!object.is_object() || !object.contains("name")) continue;
      if (const std::string id = Text(object, "@id"); !id.empty()) objects.try_emplace(id, &object);
    }
    for (const Json& object : list) {
      if (object.is_object() && IsArticle(object)) ReadJsonArticle(object, objects, found);
    }
  };
  if (document.is_array()) read_all(document);
  if (!document.is_object()) return;
  if (IsArticle(document)) ReadJsonArticle(document, {}, found);
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

// Returns the attribute with the value of an element that is meant for machines; nullptr if there
// is none.
const char* AttributeOfValue(const GumboNode& node) {
  for (const char* attribute : {"content", "datetime"}) {
    if (HasAttribute(node, attribute)) return attribute;
  }
  const bool has_title = IsElement(node, {GUMBO_TAG_ABBR}) && HasAttribute(node, "title");
  return has_title ? "title" : nullptr;
}

// The value of an element with the attribute itemprop, or of one that says a time.
std::string ValueOf(const GumboNode& node) {
  const char* const attribute = AttributeOfValue(node);
  return attribute == nullptr ? TextOf(node) : std::string(Attribute(node, attribute));
}

bool Contains(const GumboNode& outer, const GumboNode& inner) {
  const GumboNode* node = &inner;
  while (node != nullptr && node != &outer) node = node->parent;
  return node != nullptr;
}

// Returns whether an element is about something else than the article: another article, comments,
// menus. What has the text in it is not.
bool IsElsewhere(const GumboNode& node, const GumboNode& text) {
  static constexpr std::initializer_list<absl::string_view> kNames = {
      "comment",       "comment-list",    "comment-respond", "commentlist", "comments",
      "comments-area", "jp-relatedposts", "recent-posts",    "related",     "related-posts",
      "sidebar",       "tagcloud",        "widget"};
  static constexpr std::initializer_list<absl::string_view> kBlocks = {
      "wp-block-latest-comments", "wp-block-latest-posts", "wp-block-tag-cloud"};
  const bool is_elsewhere = IsElement(node, {GUMBO_TAG_ARTICLE, GUMBO_TAG_NAV}) ||
                            HasWord(node, "class", kNames) || HasWord(node, "class", kBlocks) ||
                            HasWord(node, "id", kNames);
  return is_elsewhere && !Contains(node, text);
}

// Visits what is about the article.
void VisitArticle(const GumboNode& root, const GumboNode& text,
                  absl::FunctionRef<bool(const GumboNode&)> visit) {
  Visit(root, [&](const GumboNode& node) { return !IsElsewhere(node, text) && visit(node); });
}

// What schema.org's attributes say.
void ReadProperties(const GumboNode& root, const GumboNode& text, Gatherer& found) {
  VisitArticle(root, text, [&found](const GumboNode& node) {
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

// Reads the card of who wrote the article: `<span class="author vcard"><a class="fn">`.
void ReadCard(const GumboNode& card, Gatherer& found) {
  Visit(card, [&found](const GumboNode& node) {
    if (!HasWord(node, "class", {"fn"})) return true;
    found.AddAuthor(TextOf(node), Attribute(node, "href"));
    return false;
  });
}

// Returns whether an element is a paragraph, a table or the like with more than a time. Times in it
// are those that the text tells of.
bool HoldsRunningText(const GumboNode& node) {
  if (!IsElement(node, {GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_DD, GUMBO_TAG_FIGURE, GUMBO_TAG_LI,
                        GUMBO_TAG_P, GUMBO_TAG_TABLE})) {
    return false;
  }
  std::string time;
  Visit(node, [&time](const GumboNode& at) {
    if (time.empty() && IsElement(at, {GUMBO_TAG_TIME})) time = TextOf(at);
    return time.empty();
  });
  return TextOf(node) != time;
}

// `is_in_running_text` of the text, where "published" may be any word's class.
void ReadClassesOf(const GumboNode& node, bool is_in_running_text, Gatherer& found) {
  if (HasWord(node, "class", {"vcard"}) &&
      HasWord(node, "class", {"author", "entry-author", "post-author"})) {
    ReadCard(node, found);
  }
  if (HasWord(node, "rel", {"tag"}) && TextOf(node) != "Uncategorized") {
    found.AddTag(TextOf(node));
  }
  const bool is_published = HasWord(node, "class", {"published"}) &&
                            (!is_in_running_text || AttributeOfValue(node) != nullptr);
  if (is_published || HasAttribute(node, "pubdate") ||
      HasWord(node, "class", {"dt-published", "entry-date"})) {
    found.PublishTime(ValueOf(node));
  }
}

// What the classes of WordPress, Blogger and others say.
void ReadClasses(const GumboNode& root, const GumboNode& text, Gatherer& found) {
  const auto read = [&found](const GumboNode& node) {
    ReadClassesOf(node, /*is_in_running_text=*/false, found);
    return true;
  };
  const auto read_in_running_text = [&found](const GumboNode& node) {
    ReadClassesOf(node, /*is_in_running_text=*/true, found);
    return true;
  };
  const auto read_in_text = [&](const GumboNode& node) {
    if (IsByline(node)) {
      VisitArticle(node, text, read);
      return false;
    }
    if (!HoldsRunningText(node)) return read(node);
    VisitArticle(node, text, read_in_running_text);
    return false;
  };
  VisitArticle(root, text, [&](const GumboNode& node) {
    if (&node != &text) return read(node);
    VisitArticle(text, text, read_in_text);
    return false;
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
    return true;
  });
  if (headings.size() == 1) found.Title(TextOf(*headings[0]));
  found.Title(title);
}

bool ContainsElement(const GumboNode& node, GumboTag tag) {
  bool has_element = false;
  Visit(node, [&](const GumboNode& at) {
    has_element = has_element || IsElement(at, {tag});
    return !has_element;
  });
  return has_element;
}

// The time of an article stands above its text, or beside its title.
void ReadTimes(const GumboNode& root, const GumboNode& text, Gatherer& found) {
  const bool has_head = IsElement(text, {GUMBO_TAG_ARTICLE, GUMBO_TAG_BODY, GUMBO_TAG_MAIN}) ||
                        ContainsElement(text, GUMBO_TAG_H1);
  const auto read = [&found](const GumboNode& node) {
    if (IsElement(node, {GUMBO_TAG_ASIDE, GUMBO_TAG_FOOTER})) return false;
    if (IsElement(node, {GUMBO_TAG_TIME})) found.PublishTime(ValueOf(node));
    return true;
  };
  const auto read_in_text = [&](const GumboNode& node) {
    const bool is_head = IsElement(node, {GUMBO_TAG_HEADER}) || IsByline(node);
    if (!is_head) return !HoldsRunningText(node) && read(node);
    VisitArticle(node, text, read);
    return false;
  };
  bool is_below = false;
  VisitArticle(root, text, [&](const GumboNode& node) {
    if (is_below) return false;
    if (&node != &text) return read(node);
    if (has_head) VisitArticle(text, text, read_in_text);
    is_below = true;
    return false;
  });
}

}  // namespace

bool IsByline(const GumboNode& node) {
  static constexpr std::initializer_list<absl::string_view> kNames = {"article-meta", "byline",
                                                                      "entry-meta", "post-meta"};
  return HasWord(node, "class", kNames) || HasWord(node, "id", kNames);
}

HtmlMetadata ReadHtmlMetadata(const GumboNode& root, const GumboNode& text,
                              const std::vector<std::string>& json_ld) {
  Gatherer found;
  ReadMicroformats(root, found);
  for (const std::string& script : json_ld) ReadJsonLd(script, found);
  found.EndSource();
  found.Language(Attribute(root, "lang"));
  ReadHead(root, found);
  ReadProperties(root, text, found);
  ReadClasses(root, text, found);
  ReadTimes(root, text, found);
  ReadHeading(root, found);
  return found.Take();
}

}  // namespace content::transfer
