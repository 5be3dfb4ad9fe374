#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace content {

/// Returns the variable for a flag: CONTENT_LOG_LEVEL for --log-level.
std::string VariableOf(absl::string_view flag);

/// A variable that looks like a setting but is none.
struct UnknownVariable {
  std::string name;
  std::string suggestion;  ///< The setting that was probably meant; empty if none is similar.
};

/// Returns the variables of this process, by name, that begin with CONTENT_ or CONTENTD_ and are
/// not in `known`. Leaves out those of docker-compose.yml, and those that Kubernetes sets for a
/// service named `content` or `contentd`.
std::vector<UnknownVariable> FindUnknownVariables(const std::set<std::string>& known);

}  // namespace content
