#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "transfer/markdown/front_matter.h"

namespace content::transfer {
namespace {

using Json = nlohmann::json;

// Makes values of what the parser finds, one after the other. Each function returns whether to go
// on.
class JsonReader {
 public:
  explicit JsonReader(Value& root) : root_(root) {}

  bool null() { return Add({}) != nullptr; }
  bool boolean(bool value) { return AddText(value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) { return AddText(std::to_string(value)); }
  bool number_unsigned(Json::number_unsigned_t value) { return AddText(std::to_string(value)); }
  bool number_float(Json::number_float_t /*value*/, const std::string& text) {
    return AddText(text);
  }
  bool string(const std::string& text) { return AddText(text); }
  bool binary(const Json::binary_t& /*value*/) { return false; }  // JSON has none.

  bool start_object(size_t /*count*/) { return Open(Value::Kind::kMap); }
  bool start_array(size_t /*count*/) { return Open(Value::Kind::kList); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(std::string& name) {
    key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t at, const std::string& /*token*/, const Json::exception& /*error*/) {
    error_at_ = at;
    is_json_ = false;
    return false;
  }

  bool is_json() const { return is_json_; }
  size_t error_at() const { return error_at_; }

 private:
  // Returns where the value is now; nullptr if there are too many.
  Value* Add(Value value) {
    if (++count_ > kMaxValues) return nullptr;
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Value& parent = *open_.back();
    if (parent.kind == Value::Kind::kList) return &parent.list.emplace_back(std::move(value));
    return &parent.map.emplace_back(std::move(key_), std::move(value)).second;
  }

  bool AddText(absl::string_view text) {
    return Add({.kind = Value::Kind::kText,
                .text = std::string(absl::StripAsciiWhitespace(text))}) != nullptr;
  }

  bool Open(Value::Kind kind) {
    if (open_.size() == kMaxDepth) return false;
    Value* const value = Add({.kind = kind});
    open_.push_back(value);
    return value != nullptr;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  Value& root_;
  std::vector<Value*> open_;  // Nothing is added to a parent while its child is open.
  std::string key_;
  int count_ = 0;
  bool is_json_ = true;
  size_t error_at_ = 0;
};

}  // namespace

absl::StatusOr<Value> ReadJson(absl::string_view text, int first_line) {
  Value value;
  JsonReader reader(value);
  if (Json::sax_parse(text.begin(), text.end(), &reader, Json::input_format_t::json,
                      /*strict=*/true, /*ignore_comments=*/true)) {
    return value;
  }
  if (reader.is_json()) return ErrorInLine(first_line, kTooManyValues);
  const auto* const at = text.begin() + std::min(reader.error_at(), text.size());
  const auto line = first_line + std::count(text.begin(), at, '\n');
  return ErrorInLine(static_cast<int>(line), "the front matter is not JSON");
}

}  // namespace content::transfer
