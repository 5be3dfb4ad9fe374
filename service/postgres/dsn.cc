#include "postgres/dsn.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "postgres/connect_error.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// Returns nullptr if `dsn` cannot be parsed. libpq's error message is dropped, because it may quote
// a password.
Options Parse(absl::string_view dsn) {
  return {PQconninfoParse(std::string(dsn).c_str(), nullptr), &PQconninfoFree};
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

// libpq checks these late or never.
bool IsNumber(absl::string_view text) {
  int number = 0;
  return text.empty() || absl::SimpleAtoi(text, &number);
}

// libpq truncates longer ones, and says so on standard error.
bool IsKeyPassword(absl::string_view password) { return password.size() < 1024; }

// Returns what each part of a value must fulfil; nullptr for most keywords.
bool (*CheckOf(absl::string_view keyword))(absl::string_view) {
  // If a password contains @, / or a colon, libpq takes a part of it for a host or a port, and
  // would report it.
  if (keyword == "port") return IsPort;
  if (keyword == "host") return IsHost;
  if (keyword == "sslpassword") return IsKeyPassword;
  for (const absl::string_view number :
       {"connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout"}) {
    if (keyword == number) return IsNumber;
  }
  return nullptr;
}

absl::Status Check(const PQconninfoOption& option) {
  const absl::string_view keyword = option.keyword;
  const auto is_valid = CheckOf(keyword);
  if (is_valid == nullptr || option.val == nullptr) return absl::OkStatus();
  const bool is_list = keyword == "port" || keyword == "host";
  const std::vector<absl::string_view> parts =
      is_list ? absl::StrSplit(option.val, ',') : std::vector<absl::string_view>{option.val};
  for (const absl::string_view part : parts) {
    if (!is_valid(part)) return Invalid(absl::StrCat("the database URL has no valid ", keyword));
  }
  return absl::OkStatus();
}

// ---- Password files ----

// libpq says nothing about a file that is not there, and this one cannot be.
constexpr char kNoPassfile[] = "/dev/null/none";

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string HomeDirectory() {
  if (std::string home = Variable("HOME"); !home.empty()) return home;
  const passwd* const user = getpwuid(geteuid());
  return user == nullptr ? "" : user->pw_dir;
}

// Returns the file where libpq looks for a password.
std::string PassfileOf(const std::map<std::string, std::string>& keywords) {
  if (const auto given = keywords.find("passfile");
      given != keywords.end() && !given->second.empty()) {
    return given->second;
  }
  if (std::string path = Variable("PGPASSFILE"); !path.empty()) return path;
  return absl::StrCat(HomeDirectory(), "/.pgpass");
}

// Returns why libpq ignores the file, with a warning; nullptr if it does not.
const char* WhyIgnored(const std::string& passfile) {
  struct stat file = {};
  if (stat(passfile.c_str(), &file) != 0) return nullptr;
  if (!S_ISREG(file.st_mode)) return "it is not a plain file";
  if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return "its group or everybody has access to it: chmod it to 0600";
  }
  return nullptr;
}

bool IsGiven(const std::map<std::string, std::string>& keywords, const char* keyword,
             const char* variable) {
  const auto given = keywords.find(keyword);
  return (given != keywords.end() && !given->second.empty()) || !Variable(variable).empty();
}

// A service may name another file.
void AvoidIgnoredPassfile(std::map<std::string, std::string>& keywords) {
  if (IsGiven(keywords, "service", "PGSERVICE")) return;
  const char* const why = WhyIgnored(PassfileOf(keywords));
  if (why == nullptr) return;
  keywords["passfile"] = kNoPassfile;
  if (IsGiven(keywords, "password", "PGPASSWORD")) return;  // the file is not needed
  static std::once_flag logged;
  std::call_once(logged, [why] { log::Warning("password file ignored", {{"message", why}}); });
}

// ---- Hosts ----

// Returns the parts of a setting that is a list with a part for each host; one empty part if it is
// not set.
std::vector<std::string> ListOf(const Options& options, absl::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->keyword == keyword && option->val != nullptr) {
      return absl::StrSplit(option->val, ',');
    }
  }
  return {""};
}

// Returns a part of a list. A single part belongs to all hosts.
const std::string& At(const std::vector<std::string>& list, size_t i) {
  return list[std::min(i, list.size() - 1)];
}

std::vector<std::string> Rotated(std::vector<std::string> list, size_t first) {
  std::rotate(list.begin(), list.begin() + static_cast<ptrdiff_t>(first % list.size()), list.end());
  return list;
}

}  // namespace

absl::StatusOr<std::string> CompleteDsn(absl::string_view dsn) {
  std::map<std::string, std::string> keywords = {
      {"application_name", "contentd"}, {"connect_timeout", "2"},  {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},     {"keepalives_count", "3"}, {"tcp_user_timeout", "20000"},
  };
  const Options options = Parse(dsn);
  if (!options) return Invalid("the database URL is not a valid connection string");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (absl::Status status = Check(*option); !status.ok()) return status;
    if (option->val != nullptr) keywords[option->keyword] = option->val;
  }
  keywords["client_encoding"] = "UTF8";
  AvoidIgnoredPassfile(keywords);
  std::string complete;
  for (const auto& [keyword, value] : keywords) {
    absl::StrAppend(&complete, keyword, "=", QuoteDsnValue(value), " ");
  }
  return complete;
}

std::string QuoteDsnValue(absl::string_view value) {
  return absl::StrCat("'", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

bool IsNamedInDsn(absl::string_view name, absl::string_view dsn) {
  const Options options = Parse(dsn);
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const bool is_list = absl::string_view(option->keyword) == "options";
    if (is_list ? absl::StrContains(option->val, name) : name == option->val) return true;
  }
  return false;
}

std::vector<HostDsn> DsnsByHost(const std::string& dsn) {
  const Options options = Parse(dsn);
  const std::vector<std::string> names = ListOf(options, "host");
  const std::vector<std::string> addresses = ListOf(options, "hostaddr");
  const std::vector<std::string> ports = ListOf(options, "port");
  std::vector<HostDsn> hosts;
  for (size_t i = 0; i < std::max(names.size(), addresses.size()); ++i) {
    hosts.push_back({.host = names.size() > i && !names[i].empty() ? names[i] : At(addresses, i),
                     .port = At(ports, i),
                     .dsn = dsn});
    if (hosts.back().port.empty()) hosts.back().port = kDefaultPort;
    // Of two settings of one keyword, the last counts.
    for (const auto& [keyword, list] :
         {std::pair("host", names), std::pair("hostaddr", addresses), std::pair("port", ports)}) {
      if (list.size() < 2) continue;
      absl::StrAppend(&hosts.back().dsn, keyword, "=",
                      QuoteDsnValue(absl::StrJoin(Rotated(list, i), ",")), " ");
    }
  }
  return hosts;
}

}  // namespace content::postgres
