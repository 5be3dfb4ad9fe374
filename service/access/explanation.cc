#include "access/explanation.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "access/methods.h"
#include "access/roles.h"

namespace content::access {
namespace {

std::string NamesOf(const std::vector<Role>& roles) {
  if (roles.empty()) return "none";
  return absl::StrJoin(roles, ", ",
                       [](std::string* out, const Role& role) { out->append(role.name); });
}

std::vector<Role> RolesWith(absl::string_view method, std::vector<Role> roles) {
  const std::optional<size_t> place = FindMethod(method);
  std::erase_if(roles, [place](const Role& role) { return !place || !role.methods[*place]; });
  return roles;
}

std::string Describe(std::optional<int> limit) { return limit ? absl::StrCat(*limit) : "no limit"; }

std::string Describe(const Grant& grant) {
  return absl::StrCat("calls_per_second: ", Describe(grant.calls_per_second),
                      "\ncomments_per_minute: ", Describe(grant.comments_per_minute),
                      "\nwrites_as: ", grant.writes_only_as_person ? "person" : "anyone", "\n");
}

}  // namespace

Explanation Explain(const Policy& policy, absl::string_view caller, absl::string_view method) {
  const CallerRoles* const entry = policy.Find(caller);
  const Grant* const grant = entry != nullptr ? entry->Find(method) : nullptr;
  std::string text =
      absl::StrCat(grant != nullptr ? "allowed: " : "denied: ", caller, " ", method,
                   "\nin callers: ", entry != nullptr ? entry->name() : "nothing", "\n");
  if (entry != nullptr) {
    absl::StrAppend(&text, "its roles: ", NamesOf(entry->roles()),
                    "\nthose with the method: ", NamesOf(RolesWith(method, entry->roles())), "\n");
  }
  if (grant != nullptr) absl::StrAppend(&text, Describe(*grant));
  return {.is_allowed = grant != nullptr, .text = std::move(text)};
}

}  // namespace content::access
