#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "content/text.h"
#include "transfer/markdown/front_matter.h"

namespace content::transfer {
namespace {

template <class Scalar>
std::string TextOf(const Scalar& scalar) {
  std::ostringstream text;
  text << scalar;  // dates as in RFC 3339
  return text.str();
}

std::string ScalarText(const toml::node& node) {
  if (const auto text = node.as_string()) {
    return std::string(absl::StripAsciiWhitespace(text->get()));
  }
  if (const auto boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  if (const auto integer = node.as_integer()) return absl::StrCat(integer->get());
  if (const auto number = node.as_floating_point()) return absl::StrCat(number->get());
  if (const auto date = node.as_date()) return TextOf(date->get());
  if (const auto time = node.as_time()) return TextOf(time->get());
  if (const auto date_time = node.as_date_time()) return TextOf(date_time->get());
  return "";
}

// Returns the length of the quoted text that `text` begins with, or of what is there of it.
size_t LengthOfQuote(absl::string_view text) {
  const char quote = text[0];
  const std::string triple(3, quote);
  const bool is_long = absl::StartsWith(text, triple);
  for (size_t i = is_long ? 3 : 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (is_long ? absl::StartsWith(text.substr(i), triple) : text[i] == quote) {
      return i + (is_long ? 3 : 1);
    } else if (!is_long && text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

// The parser makes a table of each part of a key such as `a.b.c`, and frees tables recursively.
constexpr int kMaxKeyParts = 20;

// Returns whether a key has more parts. Numbers and dates have a dot, too, but not many.
bool HasLongKey(absl::string_view text) {
  int parts = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i += LengthOfQuote(text.substr(i)) - 1;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (c == '.') {
      if (++parts > kMaxKeyParts) return true;
    } else if (absl::StrContains("=,{}[]\n", c)) {
      parts = 1;
    }
  }
  return false;
}

// Copies a document into values.
class TomlConverter {
 public:
  explicit TomlConverter(int first_line) : first_line_(first_line) {}

  // Returns false if there are too many values.
  bool Convert(const toml::node& node, int depth, Value& value) {
    if (++count_ > kMaxValues || depth > kMaxDepth) return false;
    value.line = first_line_ + static_cast<int>(node.source().begin.line) - 1;
    if (const auto* const table = node.as_table()) {
      value.kind = Value::Kind::kMap;
      for (const auto& [key, entry] : *table) {
        Value& added = value.map.emplace_back(std::string(key.str()), Value()).second;
        if (!Convert(entry, depth + 1, added)) return false;
      }
    } else if (const auto* const array = node.as_array()) {
      value.kind = Value::Kind::kList;
      for (const toml::node& entry : *array) {
        if (!Convert(entry, depth + 1, value.list.emplace_back())) return false;
      }
    } else {
      value.kind = Value::Kind::kText;
      value.text = ScalarText(node);
    }
    return true;
  }

 private:
  const int first_line_;
  int count_ = 0;
};

}  // namespace

absl::StatusOr<Value> ReadToml(absl::string_view text, int first_line) {
  if (HasLongKey(text)) return ErrorInLine(first_line, kTooManyValues);
  try {
    const toml::table table = toml::parse(std::string_view(text.data(), text.size()));
    Value value;
    if (TomlConverter(first_line).Convert(table, 0, value)) return value;
    return ErrorInLine(first_line, kTooManyValues);
  } catch (const toml::parse_error& error) {
    const int line = first_line + static_cast<int>(error.source().begin.line) - 1;
    const std::string_view description = error.description();
    return ErrorInLine(
        line, absl::StrCat("the front matter is not TOML: ",
                           OneLine(absl::string_view(description.data(), description.size()))));
  }
}

}  // namespace content::transfer
