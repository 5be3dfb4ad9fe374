#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "transfer/markdown/front_matter.h"

namespace content::transfer {
namespace {

using Json = nlohmann::ordered_json;

// Copies a document into values. Returns false if there are too many.
bool Convert(const Json& json, int depth, int& count, Value& value) {
  if (++count > kMaxValues || depth > kMaxDepth) return false;
  if (json.is_object()) {
    value.kind = Value::Kind::kMap;
    for (const auto& [key, entry] : json.items()) {
      if (!Convert(entry, depth + 1, count, value.map.emplace_back(key, Value()).second))
        return false;
    }
  } else if (json.is_array()) {
    value.kind = Value::Kind::kList;
    for (const Json& entry : json) {
      if (!Convert(entry, depth + 1, count, value.list.emplace_back())) return false;
    }
  } else if (!json.is_null()) {
    value.kind = Value::Kind::kText;
    const std::string text = json.is_string() ? json.get<std::string>() : json.dump();
    value.text = std::string(absl::StripAsciiWhitespace(text));
  }
  return true;
}

}  // namespace

absl::StatusOr<Value> ReadJson(absl::string_view text, int first_line) {
  Json json;
  try {
    json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/true,
                       /*ignore_comments=*/true);
  } catch (const Json::parse_error& error) {
    const auto at = std::min<size_t>(error.byte, text.size());
    const auto line = first_line + std::count(text.begin(), text.begin() + at, '\n');
    return ErrorInLine(static_cast<int>(line), "the front matter is not JSON");
  } catch (const Json::exception&) {  // a number that is too large
    return ErrorInLine(first_line, "the front matter is not JSON");
  }
  Value value;
  int count = 0;
  if (Convert(json, 0, count, value)) return value;
  return ErrorInLine(first_line, "the front matter has too many values");
}

}  // namespace content::transfer
