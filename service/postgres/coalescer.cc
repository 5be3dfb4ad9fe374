#include "postgres/coalescer.h"

#include <cstdlib>

#include "telemetry/log.h"

namespace content::postgres {

void FailInvariant(absl::string_view what) {
  log::Error("invariant broken", {{"what", what}});
  std::abort();
}

}  // namespace content::postgres
