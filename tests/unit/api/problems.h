#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace content::api {

/// What a check found wrong with a request; empty if nothing.
template <class Checked>
std::string Problems(const absl::StatusOr<Checked>& checked) {
  return std::string(checked.status().message());
}

}  // namespace content::api
