#include "access/policy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace content::access {
namespace {

// The larger of two maxima.
std::optional<int> Larger(std::optional<int> a, std::optional<int> b) {
  if (!a || !b) return std::nullopt;
  return std::max(*a, *b);
}

Grant Unite(const std::optional<Grant>& granted, const Role& role) {
  if (!granted) {
    return {.writes_only_as_person = role.writes_only_as_person,
            .calls_per_second = role.calls_per_second,
            .comments_per_minute = role.comments_per_minute};
  }
  return {
      .writes_only_as_person = granted->writes_only_as_person && role.writes_only_as_person,
      .calls_per_second = Larger(granted->calls_per_second, role.calls_per_second),
      .comments_per_minute = Larger(granted->comments_per_minute, role.comments_per_minute),
  };
}

bool IsPattern(absl::string_view name) { return absl::EndsWith(name, "*"); }

}  // namespace

CallerRoles::CallerRoles(std::string name, std::vector<Role> roles)
    : name_(std::move(name)), roles_(std::move(roles)) {
  for (const Role& role : roles_) {
    for (size_t method = 0; method < kMethods.size(); ++method) {
      if (role.methods[method]) grants_[method] = Unite(grants_[method], role);
    }
  }
}

const Grant* CallerRoles::Find(absl::string_view method) const {
  const std::optional<size_t> place = FindMethod(method);
  return place && grants_[*place] ? &*grants_[*place] : nullptr;
}

Policy::Policy(std::vector<CallerRoles> callers) {
  for (CallerRoles& caller : callers) {
    if (IsPattern(caller.name())) {
      patterns_.push_back(std::move(caller));
    } else {
      std::string name = caller.name();
      exact_.emplace(std::move(name), std::move(caller));
    }
  }
  std::sort(patterns_.begin(), patterns_.end(), [](const CallerRoles& a, const CallerRoles& b) {
    return a.name().size() > b.name().size();
  });
}

const CallerRoles* Policy::Find(absl::string_view identity) const {
  if (identity.empty()) identity = kAnonymous;
  if (const auto own = exact_.find(identity); own != exact_.end()) return &own->second;
  const auto matches = [identity](const CallerRoles& pattern) {
    return absl::StartsWith(identity, absl::StripSuffix(pattern.name(), "*"));
  };
  const auto found = std::find_if(patterns_.begin(), patterns_.end(), matches);
  return found != patterns_.end() ? &*found : nullptr;
}

}  // namespace content::access
