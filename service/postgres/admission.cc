#include "postgres/admission.h"

#include "base/errors.h"

namespace content::postgres {

absl::StatusOr<Admission::Ticket> Admission::Admit(Account account, bool confirms) {
  if (breaker_ != nullptr && breaker_->is_open()) return Refuse(Refusal::kBreaker, DoesNotAnswer());
  const bool needs_memory = account != kOwnWork && !confirms;
  if (needs_memory && memory_ != nullptr && memory_->is_short()) {
    return Refuse(Refusal::kMemory, MemoryShort());
  }
  const std::lock_guard lock(mutex_);
  if (places_.HasRoom(account)) {
    places_.Take(account);
    return Ticket(this, account);
  }
  if (places_.is_full()) return Refuse(Refusal::kFull, Overloaded(kAdmissionRetryDelay));
  return Refuse(Refusal::kAccount,
                Overloaded(kAdmissionRetryDelay,
                           "too many calls of this client are waiting for the database"));
}

absl::Status Admission::Refuse(Refusal refusal, absl::Status status) {
  CountRefusal(refusal);
  return status;
}

Admission::Ticket Admission::Readmit(Account account) {
  const std::lock_guard lock(mutex_);
  places_.Take(account);
  return {this, account};
}

void Admission::Release(const Ticket& ticket) {
  numbers_.waits.Observe(SteadyNow() - ticket.begin_);
  const std::lock_guard lock(mutex_);
  places_.GiveBack(ticket.account_);
}

size_t Admission::waiting() const {
  const std::lock_guard lock(mutex_);
  return places_.taken();
}

}  // namespace content::postgres
