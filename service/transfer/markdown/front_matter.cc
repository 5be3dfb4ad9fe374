#include "transfer/markdown/front_matter.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

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

// Returns the key of a line such as `key: value`; empty if it is none.
absl::string_view KeyOf(absl::string_view line) {
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos || colon == 0) return "";
  if (colon + 1 < line.size() && line[colon + 1] != ' ' && line[colon + 1] != '\t') return "";
  const absl::string_view key = line.substr(0, colon);
  const bool is_key = std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  return is_key ? key : "";
}

// Returns whether a file is likely to begin with this key, although nothing marks the front matter.
bool IsTellingKey(absl::string_view key) {
  static constexpr absl::string_view kKeys[] = {"title", "date", "layout", "slug"};
  return std::any_of(std::begin(kKeys), std::end(kKeys), [&](absl::string_view telling) {
    return absl::EqualsIgnoreCase(key, telling);
  });
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
  return line == "json" ? ReadJsonPart : nullptr;
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

// Hexo's posts may lack the first delimiter. A line of hyphens below a paragraph would also make it
// a heading, so the paragraph must look like keys.
std::optional<Delimited> WithoutOpening(absl::string_view content, absl::string_view text) {
  bool is_map = true;
  absl::string_view lines = text;
  if (!IsTellingKey(KeyOf(TakeLine(lines)))) return std::nullopt;
  const auto delimited = UpTo(content, text, [&](absl::string_view line) {
    if (ConsistsOf(line, '-')) return true;
    is_map = is_map && !line.empty();
    return false;
  });
  return is_map ? delimited : std::nullopt;
}

// Reads lines of keys and values up to a blank line. An indented line continues the one before.
// nullopt if any line is something else.
std::optional<FrontMatter> ReadLinesOfKeys(absl::string_view content, absl::string_view text) {
  FrontMatter front_matter{{.kind = Value::Kind::kMap}, ""};
  auto& map = front_matter.values.map;
  absl::string_view rest = text;
  for (int number = LineAt(content, text.data()); !rest.empty(); ++number) {
    const absl::string_view line = TakeLine(rest);
    if (line.empty()) break;
    if (text.size() - rest.size() > kMaxFrontMatterBytes) return std::nullopt;
    const absl::string_view key = KeyOf(line);
    const bool is_indented = absl::StartsWith(line, "    ");
    if (map.empty() ? !IsTellingKey(key) : key.empty() && !is_indented) return std::nullopt;
    if (is_indented) {
      absl::StrAppend(&map.back().second.text, " ", absl::StripAsciiWhitespace(line));
    } else {
      const absl::string_view value = absl::StripAsciiWhitespace(line.substr(key.size() + 1));
      map.emplace_back(
          std::string(key),
          Value{.kind = Value::Kind::kText, .line = number, .text = std::string(value)});
    }
  }
  if (map.empty()) return std::nullopt;
  front_matter.body = rest;
  return front_matter;
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
  absl::string_view rest = WithoutComments(head);
  if (IsObject(rest)) return true;
  const PartReader reader = ReaderFor(absl::StripLeadingAsciiWhitespace(TakeLine(rest)));
  return reader == ReadYamlPart ? !KeyOf(TakeLine(rest)).empty() : reader != nullptr;
}

absl::StatusOr<FrontMatter> ReadFrontMatter(absl::string_view content) {
  const absl::string_view text = WithoutComments(content);
  if (IsObject(text)) return ReadObject(content, text);
  absl::string_view rest = text;
  const absl::string_view line = absl::StripLeadingAsciiWhitespace(TakeLine(rest));
  if (const PartReader reader = ReaderFor(line); reader != nullptr) {
    // A thematic break is followed by a blank line.
    const bool is_break = reader == ReadYamlPart && !rest.empty() && rest.front() == '\n';
    if (!is_break) return ReadBetweenDelimiters(content, text, reader);
  }
  if (const auto delimited = WithoutOpening(content, text)) return Read(*delimited, ReadYamlPart);
  if (auto front_matter = ReadLinesOfKeys(content, text)) return *std::move(front_matter);
  return FrontMatter{{}, content};
}

}  // namespace content::transfer
