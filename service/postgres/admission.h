#pragma once

#include <cstddef>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/memory_guard.h"
#include "base/shares.h"
#include "postgres/breaker.h"
#include "telemetry/metrics.h"

namespace content::postgres {

/// When a call that was refused for lack of a place may be repeated.
inline constexpr absl::Duration kAdmissionRetryDelay = absl::Milliseconds(100);

/// Why a call gets no place.
enum class Refusal {
  kFull,     // all are taken
  kAccount,  // the account has its share, or more
  kKey,      // too many calls with the same key wait
  kMemory,   // memory is short
  kBreaker,  // the database hangs
};

struct AdmissionNumbers {
  metrics::Counters<Refusal, 5> refused;
  /// How long calls held their places: until they were begun, or were answered without that.
  metrics::Histogram waits{metrics::kSeconds};
};

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
        : admission_(std::exchange(other.admission_, nullptr)),
          account_(other.account_),
          begin_(other.begin_) {}
    Ticket& operator=(Ticket&& other) noexcept {
      Ticket replaced(std::move(other));
      std::swap(admission_, replaced.admission_);
      std::swap(account_, replaced.account_);
      std::swap(begin_, replaced.begin_);
      return *this;
    }
    ~Ticket() {
      if (admission_ != nullptr) admission_->Release(*this);
    }

   private:
    friend class Admission;
    Ticket(Admission* admission, Account account)
        : admission_(admission), account_(account), begin_(SteadyNow()) {}

    Admission* admission_ = nullptr;
    Account account_ = kOwnWork;
    SteadyTime begin_;
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

  /// Counts a call that its queue refused before it asked for a place.
  void CountRefusal(Refusal refusal) { numbers_.refused.Add(refusal); }

  const AdmissionNumbers& numbers() const { return numbers_; }

 private:
  absl::Status Refuse(Refusal refusal, absl::Status status);
  void Release(const Ticket& ticket);

  const size_t limit_;
  const Breaker* const breaker_;
  const MemoryGuard* const memory_;
  mutable std::mutex mutex_;
  Shares places_;  // Guarded by mutex_.
  AdmissionNumbers numbers_;
};

}  // namespace content::postgres
