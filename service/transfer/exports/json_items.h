#pragma once

#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export_file.h"

// Exports in JSON: large files of small items.
namespace content::transfer {

using JsonValue = nlohmann::json;

/// Where a value of a document stands: an element for each object and list around it, from the
/// outside in. The element of an object is the key of the value in it, and that of a list is empty.
using JsonPath = std::vector<std::string>;

/// Returns whether a value stands exactly there.
bool StandsAt(const JsonPath& path, std::initializer_list<absl::string_view> place);

/// What to do with a value of a document.
enum class JsonUse {
  kItem,  ///< Hand it over, without the items in it.
  kPart,  ///< Keep it as part of the item around it. Skip it if there is none.
  kSkip,  ///< Skip it, except for items in it.
};

struct JsonItem {
  const JsonPath& path;
  JsonValue value;    ///< The last value of a key that an object has twice.
  bool is_too_large;  ///< If so, `value` is null.
};

/// Items, and single texts anywhere in a document, may have these sizes. A value counts as 64 bytes
/// and those of its text.
inline constexpr size_t kMaxItemBytes = size_t{16} << 20;
inline constexpr size_t kMaxTextBytes = size_t{8} << 20;

/// Reads JSON values that follow one another, mostly just one, and calls `take` for each item,
/// until it returns false. `use` says what the items are. Memory is that of the largest item,
/// whatever the file contains.
///
/// An error, which says where, if the file cannot be read, or has something else than JSON, a text
/// of more than kMaxTextBytes, or more than 1,000 values within one another. The items before it
/// have been handed over.
absl::Status ReadJsonItems(ExportFile& file, absl::FunctionRef<JsonUse(const JsonPath&)> use,
                           absl::FunctionRef<bool(JsonItem)> take);

/// Returns the JSON document in `text`. Discarded (is_discarded) if it is not one,
/// or has more than kMaxItemBytes as an item has, or is nested more deeply than 1,000 values.
JsonValue ParseJsonDocument(absl::string_view text);

/// Returns whether one of the values at the beginning of a file, which may be cut anywhere, stands
/// where `is_telling` says.
bool BeginsWithJson(absl::string_view head, absl::FunctionRef<bool(const JsonPath&)> is_telling);

/// Return the member of an object, if it has one of the type: text, a text or an integer as text, a
/// list, an object. Otherwise something empty.
std::string TextIn(const JsonValue& object, absl::string_view key);
std::string IdIn(const JsonValue& object, absl::string_view key);
const JsonValue& ListIn(const JsonValue& object, absl::string_view key);
const JsonValue& ObjectIn(const JsonValue& object, absl::string_view key);

/// Returns whether the member is true, or a number other than 0: databases have no booleans.
bool IsTrueIn(const JsonValue& object, absl::string_view key);

}  // namespace content::transfer
