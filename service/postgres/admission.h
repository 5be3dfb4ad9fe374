#pragma once

#include <cstddef>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "base/memory_guard.h"
#include "base/shares.h"
#include "postgres/breaker.h"

namespace content::postgres {

/// When a call that was refused for lack of a place may be repeated.
inline constexpr absl::Duration kAdmissionRetryDelay = absl::Milliseconds(100);

/// Limits the calls that wait for a connection, in all and of each account (see Shares). An
/// overloaded server refuses calls at once instead of letting all of them wait past their
/// deadlines, and so does one whose database hangs or whose memory is short.
///
///   const Account account = context.account();
///   absl::StatusOr<Admission::Ticket> ticket = admission.Admit(account, context.confirms);
///   if (!ticket.ok()) return std::move(done)(ticket.status());
///   waiting.push_back({std::move(request), *std::move(ticket)});
///
/// Thread-safe.
class Admission {
 public:
  /// One place in the queue, which is released when the ticket is destroyed or replaced. Move-only.
  /// A default-constructed or moved-from ticket holds no place. Must not outlive the Admission.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)), account_(other.account_) {}
    Ticket& operator=(Ticket&& other) noexcept {
      Ticket replaced(std::move(other));
      std::swap(admission_, replaced.admission_);
      std::swap(account_, replaced.account_);
      return *this;
    }
    ~Ticket() {
      if (admission_ != nullptr) admission_->Release(account_);
    }

   private:
    friend class Admission;
    Ticket(Admission* admission, Account account) : admission_(admission), account_(account) {}

    Admission* admission_ = nullptr;
    Account account_ = kOwnWork;
  };

  /// At most `limit` calls wait. None comes in while `breaker` is open, and only the server's own
  /// and those that confirm while `memory` is short. Both must outlive the Admission. nullptr:
  /// there is none.
  explicit Admission(size_t limit, const Breaker* breaker = nullptr,
                     const MemoryGuard* memory = nullptr)
      : limit_(limit), breaker_(breaker), memory_(memory), places_(limit) {}

  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// Takes a place for a call of `account`; `confirms` as in CallContext. RESOURCE_EXHAUSTED if
  /// there is none for it or memory is short, UNAVAILABLE if the database hangs.
  absl::StatusOr<Ticket> Admit(Account account, bool confirms = false);

  /// Takes a place even if none is free, for a call that was admitted before and has to wait again.
  Ticket Readmit(Account account);

  /// Returns the number of calls with one key that may wait, three quarters of all: one hot key
  /// leaves room for the others. Accounts share these places (Shares), so none keeps others from a
  /// key.
  size_t limit_per_key() const { return limit_ - limit_ / 4; }

  /// Returns the number of waiting calls.
  size_t waiting() const;

 private:
  void Release(Account account);

  const size_t limit_;
  const Breaker* const breaker_;
  const MemoryGuard* const memory_;
  mutable std::mutex mutex_;
  Shares places_;  // Guarded by mutex_.
};

}  // namespace content::postgres
