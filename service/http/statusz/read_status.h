#pragma once

#include "absl/time/time.h"
#include "http/statusz/numbers.h"
#include "http/statusz/status.h"

namespace content::statusz {

/// Returns what the numbers tell. The host, phase, events, history and problems are left to be
/// filled in.
Status ReadStatus(const Numbers& numbers, absl::Time now);

}  // namespace content::statusz
