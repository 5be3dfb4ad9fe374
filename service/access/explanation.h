#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "access/policy.h"

namespace content::access {

/// Why a policy allows or denies a call, for people.
struct Explanation {
  bool is_allowed;
  std::string text;  // lines
};

/// Explains what the policy says about a caller, an identity or `anonymous`, that calls a method of
/// kMethods.
Explanation Explain(const Policy& policy, absl::string_view caller, absl::string_view method);

}  // namespace content::access
