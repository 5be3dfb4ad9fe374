#include "postgres/admission.h"

#include "base/errors.h"

namespace content::postgres {

absl::StatusOr<Admission::Ticket> Admission::Admit() {
  if (breaker_ != nullptr && breaker_->is_open()) return DoesNotAnswer();
  const bool has_room = waiting_.fetch_add(1, std::memory_order_relaxed) < limit_;
  Ticket ticket(this);
  if (!has_room) return Overloaded(kAdmissionRetryDelay);
  return ticket;
}

Admission::Ticket Admission::Readmit() {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  return Ticket(this);
}

}  // namespace content::postgres
