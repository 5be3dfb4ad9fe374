#pragma once

#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace content::embedded {

/// FAILED_PRECONDITION with the message "cannot ACTION: REASON". The reason is that of
/// `error_number`, a value of errno.
inline absl::Status FileError(absl::string_view action, int error_number) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot ", action, ": ", std::generic_category().message(error_number)));
}

}  // namespace content::embedded
