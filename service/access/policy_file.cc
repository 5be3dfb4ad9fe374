#include "access/policy_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "access/identity.h"
#include "access/methods.h"
#include "access/roles.h"
#include "content/text.h"

namespace content::access {
namespace {

constexpr int kMaxLimit = 1'000'000;
// Of the file's own. Each caller may have all of them, and the file many callers.
constexpr size_t kMaxRoles = 100;

// Says what is wrong at a place of the file. Like the parser's errors, it ends in ParsePolicy.
[[noreturn]] void Fail(const YAML::Node& node, const std::string& what) {
  throw YAML::Exception(node.Mark(), what);
}

using Entries = std::vector<std::pair<YAML::Node, YAML::Node>>;

// `where` is the key of the map. A value that is missing would have the line of what follows.
Entries EntriesOf(const YAML::Node& where, const YAML::Node& map, absl::string_view what) {
  if (!map.IsMap()) Fail(where, absl::StrCat(what, " must be a map"));
  Entries entries;
  std::set<std::string> keys;
  for (const auto& entry : map) {
    const YAML::Node& key = entry.first;
    if (!key.IsScalar()) Fail(key, absl::StrCat("a key of ", what, " must be a text"));
    if (!keys.insert(key.Scalar()).second) Fail(key, absl::StrCat(key.Scalar(), " is here twice"));
    entries.emplace_back(key, entry.second);
  }
  return entries;
}

std::vector<YAML::Node> TextsOf(const YAML::Node& where, const YAML::Node& list,
                                absl::string_view what) {
  if (!list.IsSequence()) Fail(where, absl::StrCat(what, " must be a list"));
  std::vector<YAML::Node> texts;
  std::set<std::string> seen;
  for (const YAML::Node& text : list) {
    if (!text.IsScalar()) Fail(text, absl::StrCat(what, " must be a list of texts"));
    if (!seen.insert(text.Scalar()).second) {
      Fail(text, absl::StrCat(text.Scalar(), " is here twice"));
    }
    texts.push_back(text);
  }
  return texts;
}

MethodSet ReadMethods(const YAML::Node& key, const YAML::Node& list) {
  MethodSet methods;
  for (const YAML::Node& pattern : TextsOf(key, list, "methods")) {
    const MethodSet matched = MatchMethods(pattern.Scalar());
    if (matched.none()) {
      Fail(pattern, absl::StrCat("there is no method ", pattern.Scalar(),
                                 "; methods are like content.v1.ContentService/GetArticle or "
                                 "content.v1.ContentService/*"));
    }
    methods |= matched;
  }
  return methods;
}

int ReadLimit(const YAML::Node& key, const YAML::Node& value) {
  int limit = 0;
  if (!value.IsScalar() || !absl::SimpleAtoi(value.Scalar(), &limit) || limit < 1 ||
      limit > kMaxLimit) {
    Fail(key, absl::StrCat(key.Scalar(), " must be a whole number from 1 to ", kMaxLimit));
  }
  return limit;
}

bool ReadWritesAs(const YAML::Node& key, const YAML::Node& value) {
  const bool is_person = value.IsScalar() && value.Scalar() == "person";
  const bool is_anyone = value.IsScalar() && value.Scalar() == "anyone";
  if (!is_person && !is_anyone) Fail(key, "writes_as must be `person` or `anyone`");
  return is_person;
}

Role ReadRole(const YAML::Node& name, const YAML::Node& value) {
  Role role{.name = name.Scalar(), .methods = {}};
  for (const auto& [key, setting] : EntriesOf(name, value, absl::StrCat("the role ", role.name))) {
    if (key.Scalar() == "methods") {
      role.methods = ReadMethods(key, setting);
    } else if (key.Scalar() == "calls_per_second") {
      role.calls_per_second = ReadLimit(key, setting);
    } else if (key.Scalar() == "comments_per_minute") {
      role.comments_per_minute = ReadLimit(key, setting);
    } else if (key.Scalar() == "writes_as") {
      role.writes_only_as_person = ReadWritesAs(key, setting);
    } else {
      Fail(key, absl::StrCat("a role has no key ", key.Scalar(),
                             "; it has methods, calls_per_second, comments_per_minute and "
                             "writes_as"));
    }
  }
  if (role.methods.none()) Fail(name, absl::StrCat("the role ", role.name, " has no methods"));
  return role;
}

using Roles = std::map<std::string, Role>;

void ReadRoles(const YAML::Node& key, const YAML::Node& map, Roles& roles) {
  const Entries entries = EntriesOf(key, map, "roles");
  if (entries.size() > kMaxRoles) Fail(key, absl::StrCat("more than ", kMaxRoles, " roles"));
  for (const auto& [name, value] : entries) {
    if (roles.contains(name.Scalar())) {
      Fail(name, absl::StrCat("the role ", name.Scalar(), " is built in; choose another name"));
    }
    roles.emplace(name.Scalar(), ReadRole(name, value));
  }
}

std::vector<Role> RolesIn(const YAML::Node& caller, const YAML::Node& list, const Roles& roles) {
  std::vector<Role> found;
  for (const YAML::Node& name : TextsOf(caller, list, "the roles of a caller")) {
    const auto role = roles.find(name.Scalar());
    if (role == roles.end()) Fail(name, absl::StrCat("there is no role ", name.Scalar()));
    found.push_back(role->second);
  }
  return found;
}

std::vector<CallerRoles> ReadCallers(const YAML::Node& key, const YAML::Node& map,
                                     const Roles& roles) {
  std::vector<CallerRoles> callers;
  std::set<std::string> names;
  for (const auto& [caller, list] : EntriesOf(key, map, "callers")) {
    const absl::StatusOr<std::string> name = ParseCallerName(caller.Scalar());
    if (!name.ok()) Fail(caller, std::string(name.status().message()));
    if (!names.insert(*name).second) Fail(caller, absl::StrCat(*name, " is here twice"));
    callers.emplace_back(*name, RolesIn(caller, list, roles));
  }
  if (callers.empty()) Fail(key, "callers names nobody");
  return callers;
}

Policy ReadPolicy(const YAML::Node& document) {
  Roles roles;
  for (const Role& role : BuiltInRoles()) roles.emplace(role.name, role);
  std::optional<std::pair<YAML::Node, YAML::Node>> callers;
  for (const auto& entry : EntriesOf(document, document, "a policy")) {
    const std::string& key = entry.first.Scalar();
    if (key == "roles") {
      ReadRoles(entry.first, entry.second, roles);
    } else if (key == "callers") {
      callers = entry;  // once all roles are known
    } else {
      Fail(entry.first, absl::StrCat("a policy has no key ", key, "; it has roles and callers"));
    }
  }
  if (!callers) Fail(document, "callers are missing");
  return Policy(ReadCallers(callers->first, callers->second, roles));
}

YAML::Node LoadOneDocument(const std::string& text) {
  // The dots end the document. Without them, a quote that is not closed would end with the file.
  const std::vector<YAML::Node> documents = YAML::LoadAll(absl::StrCat(text, "\n...\n"));
  if (documents.empty() || documents.front().IsNull()) Fail(YAML::Node(), "the policy is empty");
  if (documents.size() > 1) Fail(documents[1], "a policy is one YAML document");
  return documents.front();
}

// Says what is wrong with what follows the prefix of a name; empty if nothing is.
absl::string_view ProblemOf(absl::string_view prefix, absl::string_view body, bool is_pattern) {
  if (body.empty() && !is_pattern) return "names nobody";
  if (absl::StrContains(body, '*')) return "may have a `*` only at the end";
  // Otherwise spiffe://example.org* would let in spiffe://example.org.evil.example/web.
  if (prefix == "spiffe://" && is_pattern && !body.empty() && !absl::StrContains(body, '/')) {
    return "must name a whole trust domain before the `*`: spiffe://example.org/*";
  }
  // Domains grow to the left: dns:cms.* would let in cms.evil.example.
  if (prefix == "dns:" && is_pattern && !body.empty()) {
    return "must be a whole DNS name, or dns:* for all";
  }
  if (prefix != "jwt:" && !body.empty() && !(prefix == "cn:" ? IsCommonName(body) : IsName(body))) {
    return "has characters that do not count in a certificate's names, or too many";
  }
  const auto is_control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  if (std::any_of(body.begin(), body.end(), is_control)) return "has control characters";
  return "";
}

}  // namespace

absl::StatusOr<std::string> ParseCallerName(absl::string_view text) {
  if (text == kAnonymous) return std::string(text);
  for (const absl::string_view prefix : {"spiffe://", "dns:", "cn:", "jwt:"}) {
    absl::string_view body = text;
    if (!absl::ConsumePrefix(&body, prefix)) continue;
    const bool is_pattern = absl::ConsumeSuffix(&body, "*");
    if (const absl::string_view problem = ProblemOf(prefix, body, is_pattern); !problem.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(text, " ", problem));
    }
    return prefix == "dns:" ? absl::AsciiStrToLower(text) : ToNfc(text);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      text, " is no caller: these are `anonymous`, spiffe://..., dns:..., cn:... and jwt:..."));
}

absl::StatusOr<Policy> ParsePolicy(absl::string_view path, const std::string& text) {
  try {
    return ReadPolicy(LoadOneDocument(text));
  } catch (const YAML::Exception& error) {
    // Nothing has a mark of its own only if the file is empty.
    const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
    return absl::InvalidArgumentError(absl::StrCat(path, ":", line, ": ", error.msg));
  }
}

}  // namespace content::access
