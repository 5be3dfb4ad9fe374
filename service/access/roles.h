#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "access/methods.h"

namespace content::access {

/// What those who have it may do.
struct Role {
  std::string name;
  MethodSet methods;
  /// The maximum for a caller; nullopt: there is none.
  std::optional<int> calls_per_second = std::nullopt;
  /// The maximum for an author of comments, through such a caller; nullopt: there is none.
  std::optional<int> comments_per_minute = std::nullopt;
  /// Whether it is only for writing as the author whom the call's token names.
  bool writes_only_as_person = false;
};

/// The roles that every policy has, without limits: health, reflection, reader, commenter,
/// moderator, publisher and operator. All of them may check health.
const std::vector<Role>& BuiltInRoles();

}  // namespace content::access
