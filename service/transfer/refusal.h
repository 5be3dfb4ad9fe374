#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Why an article is not taken in.
namespace content::transfer {

/// The reason of articles that are not meant for readers yet.
inline constexpr absl::string_view kReasonDraft = "draft";

/// INVALID_ARGUMENT. `reason` is one of few, by which refusals are counted. `problems` is for
/// people, and has a line for each.
absl::Status Refuse(absl::string_view reason, absl::string_view problems);

/// Returns the reason of such a status; "other" for any other one.
std::string ReasonOfRefusal(const absl::Status& status);

}  // namespace content::transfer
