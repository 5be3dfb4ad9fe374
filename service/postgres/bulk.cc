#include "postgres/bulk.h"

#include <algorithm>

namespace content::postgres {

void AppendToArray(absl::string_view value, std::string& array) {
  array += array.empty() ? "{\"" : ",\"";  // quoted, because an unquoted null means NULL
  const auto is_special = [](char character) { return character == '"' || character == '\\'; };
  for (auto from = value.begin();;) {
    const auto special = std::find_if(from, value.end(), is_special);
    array.append(from, special);
    if (special == value.end()) break;
    array += '\\';
    array += *special;
    from = special + 1;
  }
  array += '"';
}

}  // namespace content::postgres
