#include "transfer/markdown/front_matter.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "transfer/markdown/keys.h"

namespace content::transfer {
namespace {

// A part of a file, and the number of its first line.
struct Part {
  absl::string_view text;
  int first_line;
};

using PartReader = absl::StatusOr<Value> (*)(const Part& part);

absl::StatusOr<Value> ReadYamlPart(const Part& part) {
  return ReadYaml(std::string(part.text), part.first_line);
}

absl::StatusOr<Value> ReadTomlPart(const Part& part) {
  return ReadToml(part.text, part.first_line);
}

// Eleventy can run front matter in JavaScript and other languages.
absl::StatusOr<Value> RefusePart(const Part& part) {
  return ErrorInLine(part.first_line - 1, "the front matter is neither YAML, TOML nor JSON");
}

absl::StatusOr<Value> ReadJsonPart(const Part& part) {
  return ReadJson(part.text, part.first_line);
}

// Hexo's JSON has no braces.
absl::StatusOr<Value> ReadEntriesPart(const Part& part) {
  return ReadJson(absl::StrCat("{", part.text, "}"), part.first_line);
}

int LineAt(absl::string_view content, const char* place) {
  return 1 + static_cast<int>(std::count(content.data(), place, '\n'));
}

absl::string_view WithoutBlankLines(absl::string_view text) {
  for (absl::string_view rest = text; !rest.empty() && TakeLine(rest).empty();) text = rest;
  return text;
}

// Removes blank lines and comments, which some put before the front matter.
absl::string_view WithoutComments(absl::string_view text) {
  while (true) {
    text = WithoutBlankLines(text);
    const absl::string_view comment = absl::StripLeadingAsciiWhitespace(text);
    const size_t end = comment.find("-->");
    if (!absl::StartsWith(comment, "<!--") || end == absl::string_view::npos) return text;
    text = comment.substr(end + 3);
  }
}

bool ConsistsOf(absl::string_view line, char character) {
  return line.size() >= 3 && line.find_first_not_of(character) == absl::string_view::npos;
}

// Returns the key of a line such as `key: value`; empty if it is none. Keys may have spaces, and
// need none after the colon, as in MultiMarkdown.
absl::string_view KeyOf(absl::string_view line) {
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos || absl::StartsWith(line.substr(colon + 1), "//")) return "";
  const absl::string_view key = absl::StripTrailingAsciiWhitespace(line.substr(0, colon));
  const bool is_key = std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == ' ';
  });
  return is_key && absl::StripLeadingAsciiWhitespace(key) == key ? key : "";
}

// Returns the value of a line that has a key.
absl::string_view ValueAfterKey(absl::string_view line) {
  return absl::StripAsciiWhitespace(line.substr(line.find(':') + 1));
}

// Tells front matter that nothing marks as such from text with colons: recipes, minutes, epigraphs.
class KeyCounter {
 public:
  void Add(absl::string_view line) {
    static constexpr absl::string_view kKnown[] = {
        "author", "authors", "baseheaderlevel", "category", "categories", "date",
        "lang",   "layout",  "permalink",       "slug",     "tags",       "title"};
    const std::string key = Folded(KeyOf(line));
    if (key.empty()) return;
    ++keys_;
    if (std::find(std::begin(kKnown), std::end(kKnown), key) != std::end(kKnown)) ++known_;
    is_sure_ = is_sure_ || key == "title" || MarksDraft(key, ValueAfterKey(line));
  }

  bool AreOfFrontMatter() const {
    return is_sure_ || known_ >= 2 || (known_ > 0 && known_ == keys_);
  }

 private:
  int keys_ = 0;
  int known_ = 0;
  bool is_sure_ = false;
};

// Returns whether each paragraph begins with a key, and has those of front matter.
bool ConsistsOfKeys(absl::string_view text) {
  for (text = WithoutBlankLines(text); !text.empty(); text = WithoutBlankLines(text)) {
    absl::string_view line = TakeLine(text);
    if (KeyOf(line).empty()) return false;
    KeyCounter keys;
    for (; !line.empty(); line = TakeLine(text)) keys.Add(line);
    if (!keys.AreOfFrontMatter()) return false;
  }
  return true;
}

struct Delimited {
  Part inner;
  absl::string_view body;
};

// Returns the lines up to one of `closing`; nullopt if there is none.
template <class IsClosing>
std::optional<Delimited> UpTo(absl::string_view content, absl::string_view rest,
                              IsClosing is_closing) {
  const absl::string_view inner = rest;
  while (!rest.empty()) {
    const size_t length = inner.size() - rest.size();
    if (is_closing(TakeLine(rest))) {
      return Delimited{{inner.substr(0, length), LineAt(content, inner.data())}, rest};
    }
  }
  return std::nullopt;
}

absl::StatusOr<FrontMatter> Read(const Delimited& delimited, PartReader reader) {
  if (delimited.inner.text.size() > kMaxFrontMatterBytes) {
    return ErrorInLine(delimited.inner.first_line, absl::StrCat("the front matter has more than ",
                                                                kMaxFrontMatterBytes, " bytes"));
  }
  absl::StatusOr<Value> values = reader(delimited.inner);
  if (!values.ok()) return values.status();
  if (values->kind != Value::Kind::kMap && values->kind != Value::Kind::kNull) {
    return ErrorInLine(std::max(values->line, 1),
                       "the front matter must be a map of keys to values");
  }
  return FrontMatter{*std::move(values), delimited.body};
}

// Returns the reader for front matter that begins with this line; nullptr if it is no delimiter.
PartReader ReaderFor(absl::string_view line) {
  if (ConsistsOf(line, '-')) return ReadYamlPart;
  if (ConsistsOf(line, '+') && line.size() == 3) return ReadTomlPart;
  if (line == ";;;") return ReadEntriesPart;
  if (!absl::ConsumePrefix(&line, "---")) return nullptr;
  if (line == "yaml" || line == "yml") return ReadYamlPart;
  if (line == "toml") return ReadTomlPart;
  if (line == "json") return ReadJsonPart;
  const bool is_word = !line.empty() && std::all_of(line.begin(), line.end(), [](char c) {
    return absl::ascii_isalpha(static_cast<unsigned char>(c));
  });
  return is_word ? RefusePart : nullptr;
}

absl::StatusOr<FrontMatter> ReadBetweenDelimiters(absl::string_view content, absl::string_view text,
                                                  PartReader reader) {
  absl::string_view rest = text;
  const absl::string_view opening = absl::StripLeadingAsciiWhitespace(TakeLine(rest));
  const size_t length = std::min(opening.find_first_not_of(opening.substr(0, 1)), opening.size());
  const absl::string_view closing = opening.substr(0, length);
  const auto delimited = UpTo(content, rest, [&](absl::string_view line) {
    return line == closing || (reader == ReadYamlPart && line == "...");
  });
  if (delimited) return Read(*delimited, reader);
  return ErrorInLine(LineAt(content, text.data()),
                     absl::StrCat("the front matter is not closed by a second line of ", closing));
}

// Returns the length of the JSON object that `text` begins with; 0 if it does not end.
size_t LengthOfObject(absl::string_view text) {
  int depth = 0;
  bool is_quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quoted) {
      if (c == '\\') ++i;
      if (c == '"') is_quoted = false;
    } else if (c == '"') {
      is_quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return i + 1;
    }
  }
  return 0;
}

// Templates also begin with a brace.
bool IsObject(absl::string_view text) {
  return absl::ConsumePrefix(&text, "{") &&
         absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "\"");
}

absl::StatusOr<FrontMatter> ReadObject(absl::string_view content, absl::string_view text) {
  const int line = LineAt(content, text.data());
  const size_t length = LengthOfObject(text);
  if (length == 0) return ErrorInLine(line, "the front matter is not closed by a brace");
  return Read({{text.substr(0, length), line}, text.substr(length)}, ReadJsonPart);
}

bool IsClosing(absl::string_view line) { return ConsistsOf(line, '-') || line == "..."; }

// Returns whether a line of hyphens opens front matter, by what follows it. It may also be a
// thematic break, if a blank line does.
bool IsOpening(absl::string_view rest) {
  if (rest.empty() || WithoutBlankLines(rest).data() == rest.data()) return true;
  rest = WithoutBlankLines(rest);
  if (KeyOf(rest.substr(0, rest.find('\n'))).empty()) return false;
  KeyCounter keys;
  while (!rest.empty()) {
    const absl::string_view line = TakeLine(rest);
    if (IsClosing(line)) return keys.AreOfFrontMatter();
    keys.Add(absl::StripLeadingAsciiWhitespace(line));
  }
  return false;
}

// Hexo's posts may lack the first delimiter. A line of hyphens below a paragraph would also make it
// a heading, so the paragraphs must look like keys. nullopt if they do not.
std::optional<absl::StatusOr<FrontMatter>> ReadWithoutOpening(absl::string_view content,
                                                              absl::string_view text) {
  if (absl::StartsWith(text, "\"")) {
    const auto entries = UpTo(content, text, [](absl::string_view line) { return line == ";;;"; });
    if (entries) return Read(*entries, ReadEntriesPart);
  }
  const auto keys =
      UpTo(content, text, [](absl::string_view line) { return ConsistsOf(line, '-'); });
  if (!keys || keys->inner.text.empty() || !ConsistsOfKeys(keys->inner.text)) return std::nullopt;
  return Read(*keys, ReadYamlPart);
}

// Separates the tags in a line, in which spaces do not.
void SeparateTags(Value& tags) {
  tags.kind = Value::Kind::kList;
  const char separator = absl::StrContains(tags.text, ';') ? ';' : ',';
  for (const absl::string_view tag : absl::StrSplit(tags.text, separator)) {
    tags.list.push_back({.kind = Value::Kind::kText,
                         .line = tags.line,
                         .text = std::string(absl::StripAsciiWhitespace(tag))});
  }
}

// Reads lines of keys and values up to a blank line. An indented line continues the one before.
// nullopt if any line is something else, or they are rather text. But a draft may end without a
// blank line, as Pelican reads it.
std::optional<FrontMatter> ReadLinesOfKeys(absl::string_view content, absl::string_view text) {
  FrontMatter front_matter{{.kind = Value::Kind::kMap}, ""};
  auto& map = front_matter.values.map;
  KeyCounter keys;
  bool is_draft = false;
  absl::string_view rest = text;
  for (int number = LineAt(content, text.data()); !rest.empty(); ++number) {
    const absl::string_view from_here = rest;
    const absl::string_view line = TakeLine(rest);
    if (line.empty() || line == "...") break;
    if (text.size() - rest.size() > kMaxFrontMatterBytes) return std::nullopt;
    if (absl::StartsWith(line, "    ") && !map.empty()) {
      absl::StrAppend(&map.back().second.text, " ", absl::StripAsciiWhitespace(line));
      continue;
    }
    const absl::string_view key = KeyOf(line);
    if (key.empty() && !is_draft) return std::nullopt;
    if (key.empty()) {
      rest = from_here;
      break;
    }
    const absl::string_view value = ValueAfterKey(line);
    keys.Add(line);
    is_draft = is_draft || MarksDraft(key, value);
    map.emplace_back(std::string(key),
                     Value{.kind = Value::Kind::kText, .line = number, .text = std::string(value)});
  }
  if (!keys.AreOfFrontMatter()) return std::nullopt;
  for (auto& [key, value] : map) {
    if (absl::EqualsIgnoreCase(key, "tags") && !value.text.empty()) SeparateTags(value);
  }
  front_matter.body = rest;
  return front_matter;
}

bool IsDraftInLinesOfKeys(absl::string_view content, absl::string_view text) {
  const auto front_matter = ReadLinesOfKeys(content, text);
  if (!front_matter) return false;
  const auto& map = front_matter->values.map;
  return std::any_of(map.begin(), map.end(),
                     [](const auto& entry) { return MarksDraft(entry.first, entry.second.text); });
}

absl::Status UnknownDraft(int line) {
  return ErrorInLine(line,
                     "this marks a draft, but the file does not begin with front matter of a known "
                     "form");
}

// Refuses a file with the mark of a draft in the comments before its front matter or its text,
// where Nikola has its keys.
absl::Status CheckComments(absl::string_view content) {
  absl::string_view comments = content;
  comments.remove_suffix(WithoutComments(content).size());
  for (int number = 1; !comments.empty(); ++number) {
    absl::string_view line = absl::StripAsciiWhitespace(TakeLine(comments));
    absl::ConsumePrefix(&line, "<!--");
    absl::ConsumeSuffix(&line, "-->");
    if (IsMarkOfDraft(line)) return UnknownDraft(number);
  }
  return absl::OkStatus();
}

// Refuses a text whose first paragraph, perhaps below a title, marks a draft, or what stands
// between its first line and another one of hyphens. Front matter in a shape that is not known is
// rather refused than published.
absl::Status CheckIsNoDraft(absl::string_view content, absl::string_view text) {
  absl::string_view rest = WithoutComments(text);
  const absl::string_view first = rest.substr(0, rest.find('\n'));
  const bool is_delimiter = ReaderFor(absl::StripAsciiWhitespace(first)) != nullptr;
  if (is_delimiter || absl::StartsWith(first, "# ")) TakeLine(rest);
  const bool is_closed = is_delimiter && UpTo(content, rest, IsClosing).has_value();
  rest = WithoutBlankLines(rest);
  for (int number = LineAt(content, rest.data()); !rest.empty(); ++number) {
    const absl::string_view line = TakeLine(rest);
    if (is_closed ? IsClosing(line) : line.empty()) break;
    if (absl::StartsWith(line, "```")) break;
    if (IsMarkOfDraft(line)) return UnknownDraft(number);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ErrorInLine(int line, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", problem));
}

absl::string_view TakeLine(absl::string_view& text) {
  const size_t length = std::min(text.find('\n'), text.size());
  const absl::string_view line = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return absl::StripTrailingAsciiWhitespace(line);
}

bool BeginsWithFrontMatter(absl::string_view head) {
  if (!CheckComments(head).ok()) return true;
  const absl::string_view text = WithoutComments(head);
  if (IsObject(text)) return true;
  absl::string_view rest = text;
  const PartReader reader = ReaderFor(absl::StripLeadingAsciiWhitespace(TakeLine(rest)));
  if (reader == nullptr) return IsDraftInLinesOfKeys(head, text);
  if (reader != ReadYamlPart) return true;
  const absl::string_view keys = WithoutBlankLines(rest);
  return !KeyOf(keys.substr(0, keys.find('\n'))).empty() && IsOpening(rest);
}

absl::StatusOr<FrontMatter> ReadFrontMatter(absl::string_view content) {
  if (absl::Status status = CheckComments(content); !status.ok()) return status;
  const absl::string_view text = WithoutComments(content);
  if (IsObject(text)) return ReadObject(content, text);
  absl::string_view rest = text;
  const absl::string_view line = absl::StripLeadingAsciiWhitespace(TakeLine(rest));
  if (const PartReader reader = ReaderFor(line); reader != nullptr) {
    if (reader != ReadYamlPart || IsOpening(rest)) {
      return ReadBetweenDelimiters(content, text, reader);
    }
  }
  if (auto front_matter = ReadWithoutOpening(content, text)) return *std::move(front_matter);
  FrontMatter front_matter =
      ReadLinesOfKeys(content, text).value_or(FrontMatter{.values = {}, .body = content});
  if (absl::Status status = CheckIsNoDraft(content, front_matter.body); !status.ok()) return status;
  return front_matter;
}

}  // namespace content::transfer
