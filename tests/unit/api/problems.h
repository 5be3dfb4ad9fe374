#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace content::api {

/// Returns the problems that a check found in a request; empty if there are none.
template <class Checked>
std::string Problems(const absl::StatusOr<Checked>& checked) {
  return std::string(checked.status().message());
}
inline std::string Problems(const absl::Status& checked) { return std::string(checked.message()); }

}  // namespace content::api
