#include "store/articles/json.h"

#include <simdjson.h>

#include <cstdint>
#include <stdexcept>

#include "google/protobuf/util/json_util.h"

namespace content::store {
namespace {

using JsonValue = simdjson::simdjson_result<simdjson::dom::element>;

template <class Read>
void ForEachOf(absl::string_view json, Read read) {
  thread_local simdjson::dom::parser parser;  // keeps its memory from call to call
  for (const JsonValue element : parser.parse(json.data(), json.size()).get_array()) read(element);
}

// A field that is missing stays empty.
void ReadText(const JsonValue& json, std::string* text) {
  if (json.error() == simdjson::NO_SUCH_FIELD) return;
  const auto value = json.get_string().value();
  text->assign(value.data(), value.size());
}

int32_t ReadNumber(const JsonValue& json) {
  if (json.error() == simdjson::NO_SUCH_FIELD) return 0;
  return static_cast<int32_t>(json.get_int64().value());
}

}  // namespace

std::string ArticleStructure(const v1::Article& article) {
  v1::Article structure;
  *structure.mutable_authors() = article.authors();
  *structure.mutable_sections() = article.sections();
  *structure.mutable_tags() = article.tags();
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(structure, &json, options);
  if (!printed.ok()) throw std::runtime_error(printed.ToString());
  return json;
}

void ReadAuthors(absl::string_view json, v1::Article& article) {
  ForEachOf(json, [&article](const JsonValue& element) {
    v1::Author& author = *article.add_authors();
    ReadText(element["display_name"], author.mutable_display_name());
    ReadText(element["id"], author.mutable_id());
    ReadText(element["uri"], author.mutable_uri());
  });
}

void ReadSections(absl::string_view json, v1::Article& article) {
  ForEachOf(json, [&article](const JsonValue& element) {
    v1::Section& section = *article.add_sections();
    ReadText(element["anchor"], section.mutable_anchor());
    ReadText(element["heading"], section.mutable_heading());
    section.set_byte_offset(ReadNumber(element["byte_offset"]));
    section.set_byte_length(ReadNumber(element["byte_length"]));
    section.set_word_count(ReadNumber(element["word_count"]));
  });
}

void ReadTags(absl::string_view json, v1::Article& article) {
  ForEachOf(json, [&article](const JsonValue& element) { ReadText(element, article.add_tags()); });
}

}  // namespace content::store
