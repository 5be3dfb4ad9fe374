#include "transfer/exports/json_items.h"

#include <algorithm>
#include <array>
#include <deque>
#include <istream>
#include <sstream>
#include <streambuf>
#include <utility>

#include "absl/strings/str_cat.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxJsonDepth = 1'000;
constexpr size_t kBytesOfValue = 64;

// A file as the parser reads it. Ends early if it gets nothing out of many bytes.
class JsonInput : public std::streambuf {
 public:
  explicit JsonInput(ExportFile& file) : file_(file) {}

  /// To be called for each value and key that was read.
  void Progress() { without_progress_ = 0; }

  /// Says why the parser could not go on.
  absl::Status Problem() const {
    if (!status_.ok()) return status_;
    if (is_text_too_long()) return ErrorAt("has a text of too many bytes");
    return is_at_end_ ? absl::InvalidArgumentError("ends too early") : ErrorAt("is not JSON");
  }

  absl::Status ErrorAt(absl::string_view problem) const {
    return absl::InvalidArgumentError(
        absl::StrCat(problem, " at byte ", taken_ - static_cast<size_t>(egptr() - gptr())));
  }

 protected:
  int_type underflow() override {
    const size_t count = is_text_too_long() ? 0 : Fill();
    without_progress_ += count;
    taken_ += count;
    setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
    if (count > 0) return traits_type::to_int_type(buffer_[0]);
    is_at_end_ = true;
    return traits_type::eof();
  }

 private:
  bool is_text_too_long() const { return without_progress_ > kMaxTextBytes; }

  size_t Fill() {
    const absl::StatusOr<size_t> count = file_.Read(buffer_.data(), buffer_.size());
    status_.Update(count.status());
    return count.ok() ? *count : 0;
  }

  ExportFile& file_;
  std::array<char, size_t{64} << 10> buffer_;
  absl::Status status_;
  size_t taken_ = 0;
  size_t without_progress_ = 0;
  bool is_at_end_ = false;
};

// Makes items of what the parser reports.
class JsonCollector : public nlohmann::json_sax<JsonValue> {
 public:
  JsonCollector(absl::FunctionRef<void(const JsonPath&)> progress,
                absl::FunctionRef<JsonUse(const JsonPath&)> use,
                absl::FunctionRef<bool(JsonItem)> take)
      : progress_(progress), use_(use), take_(take) {}

  bool is_stopped() const { return is_stopped_; }
  bool is_too_deep() const { return path_.size() > kMaxJsonDepth; }

  bool null() override { return AddScalar(nullptr); }
  bool boolean(bool value) override { return AddScalar(value); }
  bool number_integer(number_integer_t value) override { return AddScalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return AddScalar(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return AddScalar(value);
  }
  bool string(string_t& value) override {
    const size_t size = value.size();
    return AddScalar(std::exchange(value, {}), size);
  }
  bool binary(binary_t& /*value*/) override { return false; }  // not in JSON

  bool start_object(size_t /*size*/) override { return Open(JsonValue::object()); }
  bool key(string_t& value) override {
    path_.back() = std::move(value);
    progress_(path_);
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(size_t /*size*/) override { return Open(JsonValue::array()); }
  bool end_array() override { return Close(); }

  bool parse_error(size_t /*at*/, const std::string& /*token*/,
                   const JsonValue::exception& /*error*/) override {
    return false;
  }

 private:
  struct OpenJsonItem {
    JsonValue value;
    size_t bytes = 0;
    size_t depth;
  };

  // Puts a value where it belongs and returns where it is then; nullptr if it is left out.
  JsonValue* Add(JsonValue value, size_t bytes) {
    switch (use_(path_)) {
      case JsonUse::kSkip:
        return nullptr;
      case JsonUse::kItem:
        items_.push_back({std::move(value), bytes, path_.size()});
        return &items_.back().value;
      case JsonUse::kPart:
        break;
    }
    JsonValue* const parent = open_.empty() ? nullptr : open_.back();
    if (parent == nullptr) return nullptr;
    OpenJsonItem& item = items_.back();
    item.bytes += bytes + kBytesOfValue;
    if (item.bytes > kMaxItemBytes) return nullptr;
    if (parent->is_array()) {
      parent->push_back(std::move(value));
      return &parent->back();
    }
    item.bytes += path_.back().size();
    JsonValue& member = (*parent)[path_.back()];
    member = std::move(value);
    return &member;
  }

  bool AddScalar(JsonValue value, size_t bytes = 0) {
    progress_(path_);
    const JsonValue* const added = Add(std::move(value), bytes);
    return !IsItem(added) || HandOver();
  }

  bool Open(JsonValue value) {
    progress_(path_);
    open_.push_back(Add(std::move(value), 0));
    path_.emplace_back();
    return !is_too_deep();
  }

  bool Close() {
    progress_(path_);
    path_.pop_back();
    const JsonValue* const closed = open_.back();
    open_.pop_back();
    return !IsItem(closed) || HandOver();
  }

  // Returns whether the value is the whole of the innermost item.
  bool IsItem(const JsonValue* value) const {
    return value != nullptr && !items_.empty() && value == &items_.back().value;
  }

  bool HandOver() {
    OpenJsonItem item = std::move(items_.back());
    items_.pop_back();
    const bool is_too_large = item.bytes > kMaxItemBytes;
    is_stopped_ = !take_({path_, is_too_large ? JsonValue() : std::move(item.value), is_too_large});
    return !is_stopped_;
  }

  const absl::FunctionRef<void(const JsonPath&)> progress_;
  const absl::FunctionRef<JsonUse(const JsonPath&)> use_;
  const absl::FunctionRef<bool(JsonItem)> take_;
  JsonPath path_;
  std::vector<JsonValue*> open_;    // by depth; nullptr: skipped
  std::deque<OpenJsonItem> items_;  // does not move what open_ refers to
  bool is_stopped_ = false;
};

// Returns the member of an object; nullptr if there is none.
const JsonValue* FindMember(const JsonValue& object, absl::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(key));
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

bool StandsAt(const JsonPath& path, std::initializer_list<absl::string_view> place) {
  return std::equal(path.begin(), path.end(), place.begin(), place.end());
}

absl::Status ReadJsonItems(ExportFile& file, absl::FunctionRef<JsonUse(const JsonPath&)> use,
                           absl::FunctionRef<bool(JsonItem)> take) {
  JsonInput input(file);
  const auto progress = [&input](const JsonPath&) { input.Progress(); };
  std::istream stream(&input);
  while (!(stream >> std::ws).eof()) {
    JsonCollector items(progress, use, take);
    if (JsonValue::sax_parse(stream, &items, JsonValue::input_format_t::json, /*strict=*/false))
      continue;
    if (items.is_stopped()) return absl::OkStatus();
    return items.is_too_deep() ? input.ErrorAt("has too many values within one another")
                               : input.Problem();
  }
  return absl::OkStatus();
}

JsonValue ParseJsonDocument(absl::string_view text) {
  JsonValue document(JsonValue::value_t::discarded);
  const auto use = [](const JsonPath& path) {
    return path.empty() ? JsonUse::kItem : JsonUse::kPart;
  };
  const auto take = [&document](JsonItem item) {
    if (!item.is_too_large) document = std::move(item.value);
    return true;
  };
  const auto progress = [](const JsonPath&) {};
  JsonCollector items(progress, use, take);
  const bool is_whole = JsonValue::sax_parse(text.begin(), text.end(), &items);
  return is_whole ? document : JsonValue(JsonValue::value_t::discarded);
}

bool BeginsWithJson(absl::string_view head, absl::FunctionRef<bool(const JsonPath&)> is_telling) {
  bool is_found = false;
  const auto progress = [&](const JsonPath& path) { is_found = is_found || is_telling(path); };
  const auto use = [](const JsonPath&) { return JsonUse::kSkip; };
  const auto take = [](const JsonItem&) { return true; };
  std::istringstream stream{std::string(head)};
  while (!is_found && !(stream >> std::ws).eof()) {
    JsonCollector values(progress, use, take);
    if (!JsonValue::sax_parse(stream, &values, JsonValue::input_format_t::json, /*strict=*/false))
      break;
  }
  return is_found;
}

std::string TextIn(const JsonValue& object, absl::string_view key) {
  const JsonValue* const value = FindMember(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::string IdIn(const JsonValue& object, absl::string_view key) {
  const JsonValue* const value = FindMember(object, key);
  if (value != nullptr && value->is_number_integer()) return value->dump();
  return TextIn(object, key);
}

const JsonValue& ListIn(const JsonValue& object, absl::string_view key) {
  static const JsonValue empty = JsonValue::array();
  const JsonValue* const value = FindMember(object, key);
  return value != nullptr && value->is_array() ? *value : empty;
}

const JsonValue& ObjectIn(const JsonValue& object, absl::string_view key) {
  static const JsonValue empty = JsonValue::object();
  const JsonValue* const value = FindMember(object, key);
  return value != nullptr && value->is_object() ? *value : empty;
}

bool IsTrueIn(const JsonValue& object, absl::string_view key) {
  const JsonValue* const value = FindMember(object, key);
  if (value == nullptr) return false;
  return value->is_boolean() ? value->get<bool>() : value->is_number() && *value != 0;
}

}  // namespace content::transfer
