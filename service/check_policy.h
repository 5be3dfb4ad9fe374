#pragma once

#include "config.h"

namespace content {

/// Prints whether a policy allows a call, and why. Returns the process's exit status: 0 if it does,
/// 3 if not, 1 if the policy cannot be read, 2 if there is no such caller or method.
int CheckPolicy(const PolicyQuestion& question);

}  // namespace content
