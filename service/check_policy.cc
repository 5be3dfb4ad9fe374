#include "check_policy.h"

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "access/methods.h"
#include "access/policy.h"
#include "access/policy_file.h"
#include "access/roles.h"
#include "base/small_file.h"
#include "telemetry/log.h"

namespace content {
namespace {

constexpr int kAllowed = 0;
constexpr int kBrokenFile = 1;
constexpr int kWrongArgument = 2;
constexpr int kDenied = 3;

int Fail(const absl::Status& status, int exit_status) {
  log::Print(absl::StrCat("contentd: ", status.message()));
  return exit_status;
}

absl::StatusOr<access::Policy> ReadPolicy(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (!text.ok()) return text.status();
  return access::ParsePolicy(path, *text);
}

absl::StatusOr<std::string> ParseCaller(const std::string& text) {
  if (!absl::EndsWith(text, "*")) return access::ParseCallerName(text);
  return absl::InvalidArgumentError(absl::StrCat(text, " is a pattern, not a caller"));
}

std::string NamesOf(const std::vector<access::Role>& roles) {
  if (roles.empty()) return "none";
  const auto name = [](std::string* out, const access::Role& role) { out->append(role.name); };
  return absl::StrJoin(roles, ", ", name);
}

std::vector<access::Role> RolesWith(absl::string_view method, std::vector<access::Role> roles) {
  std::erase_if(roles, [place = access::FindMethod(method)](const access::Role& role) {
    return !role.methods[*place];
  });
  return roles;
}

std::string Describe(std::optional<int> limit) { return limit ? absl::StrCat(*limit) : "no limit"; }

int Explain(const access::CallerRoles* entry, absl::string_view method) {
  if (entry == nullptr) {
    std::cout << "denied\n  caller: the policy does not name it\n";
    return kDenied;
  }
  const access::Grant* const grant = entry->Find(method);
  std::cout << (grant != nullptr ? "allowed" : "denied") << "\n  caller: " << entry->name()
            << "\n  roles: " << NamesOf(entry->roles())
            << "\n  of these with the method: " << NamesOf(RolesWith(method, entry->roles()))
            << "\n";
  if (grant == nullptr) return kDenied;
  std::cout << "  calls_per_second: " << Describe(grant->calls_per_second)
            << "\n  comments_per_minute: " << Describe(grant->comments_per_minute)
            << "\n  writes_as: " << (grant->writes_only_as_person ? "person" : "anyone") << "\n";
  return kAllowed;
}

}  // namespace

int CheckPolicy(const PolicyQuestion& question) {
  const absl::StatusOr<std::string> caller = ParseCaller(question.caller);
  if (!caller.ok()) return Fail(caller.status(), kWrongArgument);
  const absl::StatusOr<absl::string_view> method = access::ResolveMethod(question.method);
  if (!method.ok()) return Fail(method.status(), kWrongArgument);
  const absl::StatusOr<access::Policy> policy = ReadPolicy(question.file);
  if (!policy.ok()) return Fail(policy.status(), kBrokenFile);
  std::cout << *caller << " " << *method << ": ";
  return Explain(policy->Find(*caller), *method);
}

}  // namespace content
