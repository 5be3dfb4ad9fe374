#pragma once

#include <memory>

#include "base/call.h"

namespace content::store {

/// A write and who makes it. Writes that share a transaction keep their own callers.
template <class Write>
struct Called {
  Write write;
  /// See CallContext::caller.
  std::shared_ptr<const Caller> caller = nullptr;
};

}  // namespace content::store
