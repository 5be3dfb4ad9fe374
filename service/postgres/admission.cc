#include "postgres/admission.h"

#include "absl/time/time.h"
#include "base/errors.h"

namespace content::postgres {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(100);

}  // namespace

absl::StatusOr<Admission::Ticket> Admission::Admit(size_t same_key_calls) {
  const bool has_room = waiting_.fetch_add(1, std::memory_order_relaxed) < limit_;
  Ticket ticket(this);
  if (!has_room || 2 * same_key_calls >= limit_) return Overloaded(kRetryDelay);
  return ticket;
}

Admission::Ticket Admission::Readmit() {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  return Ticket(this);
}

}  // namespace content::postgres
