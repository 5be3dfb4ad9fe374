#include "postgres/dsn.h"

#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "postgres/connect_error.h"

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

absl::Status Invalid(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(what, "; ", kPercentEncodeHint));
}

bool IsPort(absl::string_view port) {
  int number = 0;
  return port.empty() || (absl::SimpleAtoi(port, &number) && number > 0 && number <= 65535);
}

// A host name, an address, or the directory or abstract name of a socket.
bool IsHost(absl::string_view host) {
  if (absl::StartsWith(host, "/") || absl::StartsWith(host, "@")) return true;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("._-:%", c) ||
           !absl::ascii_isascii(static_cast<unsigned char>(c));
  });
}

// Checks what libpq takes for a host or a port if a password contains @, / or a colon, because it
// would report the part of the password that it took.
absl::Status Check(const PQconninfoOption& option) {
  const absl::string_view keyword = option.keyword;
  const auto is_valid = keyword == "port" ? IsPort : keyword == "host" ? IsHost : nullptr;
  if (is_valid == nullptr || option.val == nullptr) return absl::OkStatus();
  for (const absl::string_view part : absl::StrSplit(option.val, ',')) {
    if (!is_valid(part)) return Invalid(absl::StrCat("the database URL has no valid ", keyword));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CompleteDsn(absl::string_view dsn) {
  std::map<std::string, std::string> keywords = {
      {"application_name", "contentd"}, {"connect_timeout", "3"},  {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},     {"keepalives_count", "3"}, {"tcp_user_timeout", "20000"},
  };
  const Options options = Parse(dsn);
  if (!options) return Invalid("the database URL is not a valid connection string");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (absl::Status status = Check(*option); !status.ok()) return status;
    if (option->val != nullptr) keywords[option->keyword] = option->val;
  }
  keywords["client_encoding"] = "UTF8";
  std::string complete;
  for (const auto& [keyword, value] : keywords) {
    absl::StrAppend(&complete, keyword, "=", Quoted(value), " ");
  }
  return complete;
}

}  // namespace content::postgres
