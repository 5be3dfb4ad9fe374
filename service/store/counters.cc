#include "store/counters.h"

#include "content/errors.h"

namespace content::store {

absl::StatusOr<VerifiedCounters> VerifyCounters(Connection&, const VerifyQuery&) {
  return Internal();  // HELPER
}

}  // namespace content::store
