#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "transfer/markdown/front_matter.h"

namespace content::transfer {
namespace {

std::string Describe(const YAML::Exception& error) {
  // What yaml-cpp says about `title: "one" two`, about a quote that the next quote closes, and
  // about one in a list.
  const bool may_be_quotes =
      error.msg == YAML::ErrorMsg::END_OF_MAP || error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  return absl::StrCat("the front matter is not YAML: ", error.msg,
                      may_be_quotes ? " (is a quote not closed, or does text follow it?)" : "");
}

// Copies a document into values.
class YamlConverter {
 public:
  explicit YamlConverter(int first_line) : first_line_(first_line) {}

  // INVALID_ARGUMENT if there are too many: an anchor that is used often enough makes millions, or
  // an endless value.
  absl::StatusOr<Value> Convert(const YAML::Node& node) {
    Value value;
    if (Add(node, 0, value)) return value;
    return ErrorInLine(first_line_, kTooManyValues);
  }

  // The line of the last scalar of what was converted.
  int last_line() const { return last_line_; }

 private:
  bool Add(const YAML::Node& node, int depth, Value& value) {
    if (++count_ > kMaxValues || depth > kMaxDepth) return false;
    value.line = first_line_ + node.Mark().line;
    if (node.IsScalar()) {
      value.kind = Value::Kind::kText;
      value.text = std::string(absl::StripAsciiWhitespace(node.Scalar()));
      last_line_ = std::max(last_line_, value.line);
      return HasRoom(value.text);
    }
    if (node.IsSequence()) {
      value.kind = Value::Kind::kList;
      return std::all_of(node.begin(), node.end(), [&](const YAML::Node& entry) {
        return Add(entry, depth + 1, value.list.emplace_back());
      });
    }
    if (node.IsMap()) {
      value.kind = Value::Kind::kMap;
      return AddEntries(node, depth, value);
    }
    return true;
  }

  bool AddEntries(const YAML::Node& node, int depth, Value& map) {
    std::vector<std::pair<std::string, Value>> merged;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : kOddKey;
      Value value;
      if (!HasRoom(key) || !Add(entry.second, depth + 1, value)) return false;
      if (key == "<<" && value.kind == Value::Kind::kMap) {
        std::move(value.map.begin(), value.map.end(), std::back_inserter(merged));
      } else {
        map.map.emplace_back(key, std::move(value));
      }
    }
    // What a merge key brings comes last, because the first of two entries counts.
    std::move(merged.begin(), merged.end(), std::back_inserter(map.map));
    return true;
  }

  // Counts a text that was copied. All of them are no longer than the front matter, unless an
  // anchor is used often.
  bool HasRoom(absl::string_view text) {
    bytes_ += text.size();
    return bytes_ <= kMaxFrontMatterBytes;
  }

  // Stands for a key that is a list or a map.
  static constexpr const char* kOddKey = "?";

  const int first_line_;
  int last_line_ = 0;
  int count_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

// A parser that reaches the end of its input takes it for the end of a quoted text. At a line of
// `...`, where a document ends, it finds that the quote is not closed.
absl::StatusOr<Value> ReadYaml(const std::string& text, int first_line) {
  try {
    try {
      return YamlConverter(first_line).Convert(YAML::Load(absl::StrCat(text, "...\n")));
    } catch (const YAML::Exception& error) {
      if (error.msg != YAML::ErrorMsg::DOC_IN_SCALAR) throw;
    }
    YamlConverter converter(first_line);
    (void)converter.Convert(YAML::Load(text));  // Only where it ends matters.
    return ErrorInLine(std::max(converter.last_line(), first_line), "a quoted text is not closed");
  } catch (const YAML::DeepRecursion&) {
    return ErrorInLine(first_line, kTooManyValues);
  } catch (const YAML::Exception& error) {
    return ErrorInLine(first_line + std::max(error.mark.line, 0), Describe(error));
  }
}

}  // namespace content::transfer
