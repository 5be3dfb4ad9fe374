#include "postgres/admission.h"

#include "base/errors.h"

namespace content::postgres {

absl::StatusOr<Admission::Ticket> Admission::Admit(Account account, bool confirms) {
  if (breaker_ != nullptr && breaker_->is_open()) return DoesNotAnswer();
  const bool needs_memory = account != kOwnWork && !confirms;
  if (needs_memory && memory_ != nullptr && memory_->is_short()) return MemoryShort();
  const std::lock_guard lock(mutex_);
  if (places_.HasRoom(account)) {
    places_.Take(account);
    return Ticket(this, account);
  }
  if (places_.is_full()) return Overloaded(kAdmissionRetryDelay);
  return Overloaded(kAdmissionRetryDelay,
                    "too many calls of this client are waiting for the database");
}

Admission::Ticket Admission::Readmit(Account account) {
  const std::lock_guard lock(mutex_);
  places_.Take(account);
  return {this, account};
}

void Admission::Release(Account account) {
  const std::lock_guard lock(mutex_);
  places_.GiveBack(account);
}

size_t Admission::waiting() const {
  const std::lock_guard lock(mutex_);
  return places_.taken();
}

}  // namespace content::postgres
