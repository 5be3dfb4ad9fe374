#include "postgres/bulk.h"

namespace content::postgres {

void AppendToArray(absl::string_view value, std::string& array) {
  array += array.empty() ? "{\"" : ",\"";  // quoted, because an unquoted null means NULL
  while (true) {
    const size_t special = value.find_first_of("\"\\");
    absl::StrAppend(&array, value.substr(0, special));
    if (special == absl::string_view::npos) break;
    absl::StrAppend(&array, "\\", value.substr(special, 1));
    value.remove_prefix(special + 1);
  }
  array += '"';
}

}  // namespace content::postgres
