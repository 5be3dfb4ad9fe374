#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "access/methods.h"
#include "access/roles.h"

namespace content::access {

/// How callers without an identity are named in policies and messages.
inline constexpr absl::string_view kAnonymous = "anonymous";

/// On which terms a caller may call a method.
struct Grant {
  bool writes_only_as_person = false;
  /// nullopt: no maximum.
  std::optional<int> calls_per_second = std::nullopt;
  std::optional<int> comments_per_minute = std::nullopt;
};

/// The roles of a caller, or of all whose identities begin alike.
class CallerRoles {
 public:
  /// `name` is an identity, `anonymous`, or a beginning of identities followed by `*`.
  CallerRoles(std::string name, std::vector<Role> roles);

  const std::string& name() const { return name_; }
  const std::vector<Role>& roles() const { return roles_; }

  /// Returns the terms on which the method may be called, the most generous of all roles that have
  /// it; nullptr if none has.
  const Grant* Find(absl::string_view method) const;

 private:
  std::string name_;
  std::vector<Role> roles_;
  std::array<std::optional<Grant>, kMethods.size()> grants_;
};

/// Who may do what. Immutable.
class Policy {
 public:
  /// The names of `callers` must differ.
  explicit Policy(std::vector<CallerRoles> callers);

  /// Returns the roles of a caller; nullptr if the policy does not name it. Its own entry comes
  /// first, then the pattern with the longest beginning. `identity` is empty for a caller whom
  /// nothing identifies. The answer lives as long as the policy.
  const CallerRoles* Find(absl::string_view identity) const;

 private:
  absl::flat_hash_map<std::string, CallerRoles> exact_;
  std::vector<CallerRoles> patterns_;  // the longest first
};

}  // namespace content::access
