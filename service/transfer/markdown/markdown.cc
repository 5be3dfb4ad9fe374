#include "transfer/markdown/markdown.h"

#include <cmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "content/text.h"
#include "transfer/among.h"
#include "transfer/dates.h"
#include "transfer/ids.h"
#include "transfer/markdown/front_matter.h"
#include "transfer/markdown/keys.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

using Keys = std::initializer_list<absl::string_view>;

// Returns the beginning of a text of the file, for a message.
std::string Shown(absl::string_view text) {
  constexpr size_t kMaxCharacters = 100;
  const std::string line = OneLine(text);
  const absl::string_view beginning = FirstCharacters(line, kMaxCharacters);
  return absl::StrCat(beginning, beginning.size() < line.size() ? "…" : "");
}

// Adding more to a list of authors or tags, which must be compared with all others, would take
// quadratic time. The rules for articles allow fewer.
constexpr int kMaxInList = 100;

// Reads the values of a map, and remembers which it read.
class MapReader {
 public:
  // `path` of the map, such as "authors[0]." in messages; empty for the front matter itself.
  MapReader(const Value& map, std::string path, ParsedFile& file)
      : map_(map), path_(std::move(path)), file_(file), read_(map.map.size()) {}

  // Returns the value of the first of `keys` that has one; nullptr if none has. `field` of the
  // article that it is for, if any.
  const Value* Take(Keys keys, const std::string& field = "") {
    for (const absl::string_view key : keys) {
      const size_t i = IndexOf(key);
      if (i == map_.map.size()) continue;
      read_[i] = true;
      if (map_.map[i].second.is_empty()) continue;
      if (!field.empty()) Locate(i, field);
      return &map_.map[i].second;
    }
    return nullptr;
  }

  // Returns the value of a key, but does not count it as read; nullptr if there is none.
  const Value* Look(absl::string_view key) const {
    const size_t i = IndexOf(key);
    return i == map_.map.size() ? nullptr : &map_.map[i].second;
  }

  // Calls `take` with each key that is wanted, which may be there more than once, and its value.
  void TakeAll(bool (*is_wanted)(absl::string_view key),
               absl::FunctionRef<void(absl::string_view key, const Value& value)> take) {
    for (size_t i = 0; i < map_.map.size(); ++i) {
      const auto& [key, value] = map_.map[i];
      if (!is_wanted(key)) continue;
      read_[i] = true;
      take(key, value);
    }
  }

  // Returns the text of such a value; empty if there is none or if it is no text, which is a fault.
  std::string TakeText(Keys keys, const std::string& field = "") {
    const Value* const value = Take(keys, field);
    if (value == nullptr) return "";
    if (value->kind == Value::Kind::kText) return value->text;
    const std::string name = field.empty() ? std::string(*keys.begin()) : file_.places[field].name;
    file_.faults.push_back({value->line, absl::StrCat(path_, name, " must be text")});
    return "";
  }

  // Returns the map of `key`; nullptr if there is none.
  const Value* TakeMap(absl::string_view key) {
    const size_t i = IndexOf(key);
    if (i == map_.map.size() || map_.map[i].second.kind != Value::Kind::kMap) return nullptr;
    read_[i] = true;
    return &map_.map[i].second;
  }

  // Adds the keys that were not read to the file's ignored keys.
  void ListIgnoredKeys() const {
    for (size_t i = 0; i < map_.map.size(); ++i) {
      if (!read_[i]) file_.ignored_keys.push_back(absl::StrCat(path_, Shown(map_.map[i].first)));
    }
  }

  ParsedFile& file() const { return file_; }

 private:
  size_t IndexOf(absl::string_view key) const {
    const auto found = std::find_if(map_.map.begin(), map_.map.end(),
                                    [&](const auto& entry) { return Folded(entry.first) == key; });
    return static_cast<size_t>(std::distance(map_.map.begin(), found));
  }

  void Locate(size_t i, const std::string& field) {
    file_.places.try_emplace(field, Place{map_.map[i].second.line, map_.map[i].first});
  }

  const Value& map_;
  const std::string path_;
  ParsedFile& file_;
  std::vector<bool> read_;
};

// ---- Authors ----

void AddAuthor(v1::Author author, ParsedFile& file) {
  if (author.display_name().empty() || file.article.authors_size() > kMaxInList) return;
  for (const v1::Author& other : file.article.authors()) {
    if (other.display_name() == author.display_name() && other.id() == author.id()) return;
  }
  *file.article.add_authors() = std::move(author);
}

// Reads `[Ada](https://ada.example)` and `Ada <ada@mail.example>`.
v1::Author ReadAuthorText(absl::string_view text) {
  v1::Author author;
  const size_t middle = text.find("](");
  if (absl::StartsWith(text, "[") && absl::EndsWith(text, ")") &&
      middle != absl::string_view::npos) {
    const absl::string_view url = text.substr(middle + 2, text.size() - middle - 3);
    if (IsWebAddress(url)) author.set_uri(std::string(url));
    text = text.substr(1, middle - 1);
  } else if (const size_t address = text.find('<');
             address != absl::string_view::npos && absl::EndsWith(text, ">") && address > 0) {
    text = absl::StripTrailingAsciiWhitespace(text.substr(0, address));
    absl::ConsumeSuffix(&text, ",");
  }
  author.set_display_name(std::string(absl::StripAsciiWhitespace(text)));
  return author;
}

// Returns whether a text is a first and a last name, or more names.
bool IsFullName(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipWhitespace());
  return words.size() >= 2 && words.front() != "The" &&
         std::all_of(words.begin(), words.end(), [](absl::string_view word) {
           return !absl::ascii_islower(static_cast<unsigned char>(word.front()));
         });
}

// Separates the names in one text. `are_several`: whether commas separate names, as in the value of
// `authors`; that of `author` may be "Ada Byron, Engineer".
std::vector<std::string> SplitAuthors(absl::string_view text, bool are_several) {
  if (absl::StrContains(text, ';')) {
    return absl::StrSplit(text, ';', absl::SkipWhitespace());
  }
  const std::string with_commas = absl::StrReplaceAll(text, {{" and ", ","}, {" & ", ","}});
  std::vector<std::string> names = absl::StrSplit(with_commas, ',', absl::SkipWhitespace());
  if (are_several) return names;
  const bool are_names = !absl::StrContains(text, ',') &&
                         std::all_of(names.begin(), names.end(),
                                     [](const std::string& name) { return IsFullName(name); });
  return are_names ? names : std::vector<std::string>{std::string(text)};
}

void ReadAuthor(const Value& value, bool are_several, ParsedFile& file) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return;
    case Value::Kind::kText: {
      if (absl::StartsWith(value.text, "[")) return AddAuthor(ReadAuthorText(value.text), file);
      for (const std::string& name : SplitAuthors(value.text, are_several)) {
        AddAuthor(ReadAuthorText(name), file);
      }
      return;
    }
    case Value::Kind::kMap: {
      MapReader map(value, absl::StrCat("authors[", file.article.authors_size(), "]."), file);
      v1::Author author;
      author.set_display_name(map.TakeText({"name", "displayname", "title"}));
      author.set_id(map.TakeText({"id", "username"}));
      const std::string url = map.TakeText({"url", "uri", "link", "website"});
      if (IsWebAddress(url)) author.set_uri(url);
      map.ListIgnoredKeys();
      return AddAuthor(std::move(author), file);
    }
    case Value::Kind::kList:
      file.faults.push_back({value.line, "an author must be a name, or a map of name, id and url"});
  }
}

void ReadAuthors(MapReader& map) {
  const Value* const value = map.Take({"author", "authors"}, "authors");
  if (value == nullptr) return;
  const std::string& key = map.file().places["authors"].name;
  const bool are_several = Folded(key) == "authors" && value->kind == Value::Kind::kText;
  if (value->kind != Value::Kind::kList) return ReadAuthor(*value, are_several, map.file());
  for (const Value& author : value->list) ReadAuthor(author, /*are_several=*/false, map.file());
}

// ---- Tags ----

void AddTag(absl::string_view text, ParsedFile& file) {
  const std::string tag = ToNfc(absl::StripAsciiWhitespace(text));
  const auto& tags = file.article.tags();
  if (tag.empty() || tags.size() > kMaxInList) return;
  if (std::find(tags.begin(), tags.end(), tag) == tags.end()) file.article.add_tags(tag);
}

// Returns the name in a map; nullptr if there is none.
const Value* NameOf(const Value& map) {
  const auto name = std::find_if(map.map.begin(), map.map.end(), [](const auto& entry) {
    return Folded(entry.first) == "name" && entry.second.kind == Value::Kind::kText;
  });
  return name == map.map.end() ? nullptr : &name->second;
}

// `is_one`: whether a text is one tag. Otherwise commas or, without commas, spaces separate tags.
// Lists may be nested, as Hexo's categories are.
void ReadTags(const Value& value, bool is_one, absl::string_view key, ParsedFile& file) {
  if (value.kind == Value::Kind::kMap) {
    // Some say more of a tag than its name.
    const Value* const name = NameOf(value);
    if (name != nullptr) return ReadTags(*name, /*is_one=*/true, key, file);
    file.faults.push_back({value.line, absl::StrCat(key, " must be text or a list")});
  } else if (value.kind == Value::Kind::kList) {
    for (const Value& tag : value.list) ReadTags(tag, /*is_one=*/true, key, file);
  } else if (is_one) {
    AddTag(value.text, file);
  } else {
    const char* const separators = absl::StrContains(value.text, ',') ? "," : " \t\n";
    for (const absl::string_view tag : absl::StrSplit(value.text, absl::ByAnyChar(separators))) {
      AddTag(tag, file);
    }
  }
}

void ReadTags(MapReader& map) {
  for (const absl::string_view key : {"tags", "tag", "categories", "category"}) {
    const Value* const value = map.Take({key}, "tags");
    const bool is_one = key == "tag" || key == "category";
    if (value != nullptr) ReadTags(*value, is_one, key, map.file());
  }
}

// ---- Other fields ----

void SetPublishTime(const Value& date, ParsedFile& file) {
  if (const auto time = ParseDate(date.text)) {
    *file.article.mutable_publish_time() = ToTimestamp(*time);
  } else {
    file.faults.push_back(
        {date.line, absl::StrCat("\"", Shown(date.text),
                                 "\" is not a date such as 2025-06-12, 2025-06-12T08:30:00Z or "
                                 "2025-06-12 08:30:00 +0200")});
  }
}

// Returns whether a date is one that Eleventy takes from the file or from its history.
bool IsDateOfFile(absl::string_view text) {
  static constexpr std::array<absl::string_view, 4> kDates = {"last modified", "created",
                                                              "git last modified", "git created"};
  return IsAmongIgnoringCase(kDates, text);
}

// Reads MkDocs' map of dates.
void ReadDates(const Value& dates, ParsedFile& file) {
  MapReader map(dates, "date.", file);
  const Value* const created = map.Take({"created"}, "publish_time");
  if (created != nullptr) SetPublishTime(*created, file);
  const Value* const updated = map.Take({"updated"});
  if (updated != nullptr) file.update_time = ParseDate(updated->text);
  map.ListIgnoredKeys();
}

void ReadDate(MapReader& map) {
  if (const Value* const dates = map.TakeMap("date"); dates != nullptr) {
    return ReadDates(*dates, map.file());
  }
  for (const absl::string_view key : {"date", "publishdate", "pubdate", "published", "publishedat",
                                      "created", "createdat", "lastmod", "updated"}) {
    const Value* const value = map.Take({key});
    // `published` is yes or no in Jekyll.
    if (value == nullptr || IsYes(value->text) || IsNo(value->text)) continue;
    if (IsZeroDate(value->text)) {
      map.file().notes.emplace_back("a date of year 1 counts as none");
      continue;
    }
    if (IsDateOfFile(value->text)) {
      map.file().notes.push_back(
          absl::StrCat("the date \"", value->text, "\" is not known here, and counts as none"));
      continue;
    }
    map.Take({key}, "publish_time");
    SetPublishTime(*value, map.file());
    return;
  }
}

// Hugo shows a page only from a time on that may be later than its date.
void ReadTimeOfRelease(MapReader& map) {
  for (const absl::string_view key : {"publishdate", "pubdate", "published"}) {
    const Value* const value = map.Look(key);
    const auto time = value == nullptr ? std::nullopt : ParseDate(value->text);
    if (!time || *time <= absl::Now()) continue;
    map.Take({key}, "publish_time");
    return SetPublishTime(*value, map.file());
  }
}

// What is no date is left to be counted among the keys that are ignored.
void ReadUpdateTime(MapReader& map) {
  for (const absl::string_view key :
       {"lastmod", "updated", "updatedat", "lastmodifiedat", "modified"}) {
    const Value* const value = map.Look(key);
    if (value == nullptr || IsZeroDate(value->text)) continue;
    map.file().update_time = ParseDate(value->text);
    if (!map.file().update_time) continue;
    map.Take({key});
    return;
  }
}

// Returns whether an address is one of many that a generator makes with a template, as Eleventy
// does.
bool IsTemplate(absl::string_view address) {
  return absl::StrContains(address, "{{") || absl::StrContains(address, "{%") ||
         absl::StrContains(address, "<%") || absl::StrContains(address, "${");
}

// Eleventy may have a map of addresses.
std::string TakeAddress(MapReader& map, absl::string_view key) {
  if (map.TakeMap(key) != nullptr) return "";
  std::string address = map.TakeText({key}, "name");
  return IsTemplate(address) ? "" : address;
}

void ReadAddress(MapReader& map) {
  ParsedFile& file = map.file();
  const std::string canonical = map.TakeText({"canonicalurl", "canonical"});
  for (const absl::string_view key : {"slug", "permalink", "url", "path", "abbrlink", "id"}) {
    const std::string address = TakeAddress(map, key);
    if (address.empty()) continue;
    if (file.article.source_uri().empty() && IsWebAddress(address)) {
      file.article.set_source_uri(address);
    }
    if (!file.article.has_publish_time()) {
      if (const auto date = FindDateInPath(absl::StrCat("/", address))) {
        *file.article.mutable_publish_time() = ToTimestamp(*date);
      }
    }
    if (!file.article.name().empty()) continue;
    if (const std::string id = IdFromAddress(address); !id.empty()) {
      file.article.set_name(absl::StrCat("articles/", id));
    }
  }
  if (IsWebAddress(canonical)) file.article.set_source_uri(canonical);
}

void AddFormerName(const Value& address, ParsedFile& file) {
  std::vector<std::string>& names = file.former_names;
  const std::string id = IsTemplate(address.text) ? "" : IdFromAddress(address.text);
  const bool is_own = absl::StrCat("articles/", id) == file.article.name();
  const bool is_new = std::find(names.begin(), names.end(), id) == names.end();
  if (!id.empty() && !is_own && is_new && names.size() <= kMaxInList) names.push_back(id);
}

// The addresses of pages that lead to this one: of Hugo and Zola, Jekyll, and plugins of Hexo.
void ReadFormerNames(MapReader& map) {
  for (const absl::string_view key : {"aliases", "alias", "redirectfrom"}) {
    const Value* const value = map.Take({key});
    if (value == nullptr) continue;
    if (value->kind == Value::Kind::kText) AddFormerName(*value, map.file());
    for (const Value& address : value->list) AddFormerName(address, map.file());
  }
}

void ReadLanguage(MapReader& map) {
  const std::string language = map.TakeText({"language", "lang", "locale"}, "language_code");
  map.file().article.set_language_code(absl::StrReplaceAll(language, {{"_", "-"}}));
}

void ReadCommentPolicy(MapReader& map) {
  const std::string name = map.TakeText({"commentpolicy"}, "comment_policy");
  if (name.empty()) return;
  v1::CommentPolicy policy = v1::COMMENT_POLICY_UNSPECIFIED;
  if (v1::CommentPolicy_Parse(absl::StrCat("COMMENT_POLICY_", absl::AsciiStrToUpper(name)),
                              &policy)) {
    return map.file().article.set_comment_policy(policy);
  }
  const Place& place = map.file().places["comment_policy"];
  map.file().faults.push_back(
      {place.line, absl::StrCat(place.name, " must be open, premoderated or closed")});
}

// Returns the value that marks a draft, which may be one of a list; nullptr if none does.
const Value* FindMarkOfDraft(absl::string_view key, const Value& value) {
  if (MarksDraft(key, value.text)) return &value;
  for (const Value& part : value.list) {
    if (const Value* const mark = FindMarkOfDraft(key, part); mark != nullptr) return mark;
  }
  return nullptr;
}

// Finds out whether a site generator would leave the file out, or show it to few. Any mark counts,
// should a key be there twice.
void ReadDraft(MapReader& map) {
  std::string& draft = map.file().draft;
  const auto mark = [&draft](absl::string_view key, const Value& value) {
    if (!draft.empty()) return;
    const std::string line = value.line == 0 ? "" : absl::StrCat("line ", value.line, ": ");
    // Nobody wants to read a password in a report.
    const bool is_password = key == "password";
    draft = absl::StrCat(line, key, " is ", is_password ? "set" : value.text);
  };
  map.TakeAll(SpeaksOfDraft, [&mark](absl::string_view key, const Value& value) {
    const Value* const found = FindMarkOfDraft(key, value);
    if (found != nullptr) mark(Folded(key), *found);
  });
  if (const Value* const build = map.TakeMap("build"); build != nullptr) {
    MapReader inner(*build, "build.", map.file());
    const Value* const render = inner.Take({"render"});
    if (render != nullptr && IsNo(render->text)) mark("build.render", *render);
  }
  // Hugo no longer shows a page that has expired.
  if (const Value* const expiry = map.Take({"expirydate", "unpublishdate"}); expiry != nullptr) {
    const auto time = ParseDate(expiry->text);
    if (time && !IsZeroDate(expiry->text) && *time < absl::Now()) mark("expiryDate", *expiry);
  }
}

void ReadMap(const Value& front_matter, ParsedFile& file) {
  MapReader map(front_matter, "", file);
  ReadDraft(map);
  file.article.set_title(map.TakeText({"title"}, "title"));
  ReadAuthors(map);
  ReadDate(map);
  ReadTimeOfRelease(map);
  ReadUpdateTime(map);
  ReadAddress(map);
  ReadFormerNames(map);
  ReadTags(map);
  if (const Value* const taxonomies = map.TakeMap("taxonomies"); taxonomies != nullptr) {
    MapReader inner(*taxonomies, "taxonomies.", file);
    if (file.article.authors().empty()) ReadAuthors(inner);
    ReadTags(inner);
    inner.ListIgnoredKeys();
  }
  // Hugo's place for keys of its themes.
  if (const Value* const params = map.TakeMap("params"); params != nullptr) {
    MapReader inner(*params, "params.", file);
    if (file.article.authors().empty()) ReadAuthors(inner);
    inner.ListIgnoredKeys();
  }
  file.article.set_summary(map.TakeText({"summary", "description", "excerpt"}, "summary"));
  ReadLanguage(map);
  ReadCommentPolicy(map);
  map.Take({"renderwithliquid"});  // the text is taken as it is, whatever it says
  map.ListIgnoredKeys();
}

// ---- The text ----

std::string WithoutBlankLinesAround(absl::string_view body) {
  body = absl::StripTrailingAsciiWhitespace(body);
  for (absl::string_view rest = body; !rest.empty() && TakeLine(rest).empty();) body = rest;
  return std::string(body);
}

// Removes attributes at the end of a heading, `{#id .class}` or `{: #id}`, which are no CommonMark.
std::string WithoutAttributes(const std::string& heading) {
  const size_t brace = heading.rfind(" {");
  if (brace == std::string::npos || !absl::EndsWith(heading, "}")) return heading;
  absl::string_view inner = absl::string_view(heading).substr(brace + 2);
  absl::ConsumePrefix(&inner, ":");
  inner = absl::StripLeadingAsciiWhitespace(inner);
  const bool are_attributes = absl::StartsWith(inner, "#") || absl::StartsWith(inner, ".");
  return are_attributes ? OneLine(heading.substr(0, brace)) : heading;
}

// Returns the text of a heading, without its markup.
std::string TextOf(cmark_node* heading) {
  std::string text;
  const std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> iterator(cmark_iter_new(heading),
                                                                         &cmark_iter_free);
  while (cmark_iter_next(iterator.get()) != CMARK_EVENT_DONE) {
    cmark_node* const node = cmark_iter_get_node(iterator.get());
    const cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) text += cmark_node_get_literal(node);
    if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK) text += ' ';
  }
  return WithoutAttributes(OneLine(text));
}

// Returns the first heading with text; empty if there is none.
std::string FirstHeading(const std::string& body) {
  const std::unique_ptr<cmark_node, decltype(&cmark_node_free)> document(
      cmark_parse_document(body.data(), body.size(), CMARK_OPT_DEFAULT), &cmark_node_free);
  for (cmark_node* block = cmark_node_first_child(document.get()); block != nullptr;
       block = cmark_node_next(block)) {
    if (cmark_node_get_type(block) != CMARK_NODE_HEADING) continue;
    if (std::string text = TextOf(block); !text.empty()) return text;
  }
  return "";
}

}  // namespace

absl::StatusOr<ParsedFile> ParseMarkdown(absl::string_view content) {
  const absl::StatusOr<FrontMatter> front_matter = ReadFrontMatter(content);
  if (!front_matter.ok()) return front_matter.status();
  ParsedFile file;
  ReadMap(front_matter->values, file);
  file.article.set_body(WithoutBlankLinesAround(front_matter->body));
  if (!file.places.contains("title")) file.article.set_title(FirstHeading(file.article.body()));
  return file;
}

}  // namespace content::transfer
