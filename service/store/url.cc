#include "store/url.h"

#include <libpq-fe.h>

#include <memory>
#include <regex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace content::store {
namespace {

// Keywords whose values are no secrets, and what such a value looks like. Any other is suspect: in
// `postgresql://me:pass@word@db/x` libpq takes `word@db` for the host.
constexpr struct {
  const char* keyword;
  const char* value;
} kHarmless[] = {
    {"host", "[A-Za-z0-9._,:/-]+"}, {"hostaddr", "[0-9a-f.,:]+"},        {"port", "[0-9,]+"},
    {"dbname", "[A-Za-z0-9._-]+"},  {"user", "[A-Za-z0-9._-]+"},         {"sslmode", "[a-z-]+"},
    {"connect_timeout", "[0-9]+"},  {"target_session_attrs", "[a-z-]+"},
};

bool IsHarmless(absl::string_view keyword, const char* value) {
  for (const auto& harmless : kHarmless) {
    if (harmless.keyword == keyword) return std::regex_match(value, std::regex(harmless.value));
  }
  return false;
}

}  // namespace

std::string HarmlessPartOf(absl::string_view url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(std::string(url).c_str(), nullptr), &PQconninfoFree);
  std::vector<std::string> parts;
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr && IsHarmless(option->keyword, option->val)) {
      parts.push_back(absl::StrCat(option->keyword, "=", option->val));
    }
  }
  return absl::StrJoin(parts, " ");
}

}  // namespace content::store
