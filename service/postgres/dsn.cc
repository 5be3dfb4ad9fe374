#include "postgres/dsn.h"

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <regex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace content::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// Returns nullptr if `dsn` cannot be parsed. libpq's error message is dropped, because it may quote
// a password.
Options Parse(absl::string_view dsn) {
  return {PQconninfoParse(std::string(dsn).c_str(), nullptr), &PQconninfoFree};
}

std::string Quoted(absl::string_view value) {
  return absl::StrCat("'", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// Keywords whose values are not secret, and the values that may be shown. Any other value is
// suspect: in `postgresql://me:pass@word@db/x`, libpq takes `word@db` for the host.
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

absl::StatusOr<std::string> CompleteDsn(absl::string_view dsn) {
  std::map<std::string, std::string> keywords = {
      {"application_name", "contentd"}, {"client_encoding", "UTF8"},  {"connect_timeout", "3"},
      {"keepalives_idle", "10"},        {"keepalives_interval", "5"}, {"keepalives_count", "3"},
      {"tcp_user_timeout", "20000"},
  };
  const Options options = Parse(dsn);
  if (!options) {
    return absl::FailedPreconditionError("the database URL is not a valid connection string");
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) keywords[option->keyword] = option->val;
  }
  std::string complete;
  for (const auto& [keyword, value] : keywords) {
    absl::StrAppend(&complete, keyword, "=", Quoted(value), " ");
  }
  return complete;
}

std::string RedactedDsn(absl::string_view dsn) {
  const Options options = Parse(dsn);
  std::vector<std::string> parts;
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr && IsHarmless(option->keyword, option->val)) {
      parts.push_back(absl::StrCat(option->keyword, "=", option->val));
    }
  }
  return absl::StrJoin(parts, " ");
}

}  // namespace content::postgres
