#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "postgres/breaker.h"

namespace content::postgres {

/// When a call that was refused for lack of a place may be repeated.
inline constexpr absl::Duration kAdmissionRetryDelay = absl::Milliseconds(100);

/// Limits the number of calls that wait for a connection. An overloaded server refuses calls at
/// once instead of letting all of them wait past their deadlines, and so does one whose database
/// hangs.
///
///   absl::StatusOr<Admission::Ticket> ticket = admission.Admit();
///   if (!ticket.ok()) return std::move(done)(ticket.status());
///   waiting.push_back({std::move(request), *std::move(ticket)});
///
/// Thread-safe. Lock-free.
class Admission {
 public:
  /// One place in the queue, which is released when the ticket is destroyed or replaced. Move-only.
  /// A default-constructed or moved-from ticket holds no place. Must not outlive the Admission.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept : admission_(std::exchange(other.admission_, nullptr)) {}
    Ticket& operator=(Ticket&& other) noexcept {
      const Ticket replaced(std::exchange(admission_, std::exchange(other.admission_, nullptr)));
      return *this;
    }
    ~Ticket() {
      if (admission_ != nullptr) admission_->waiting_.fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    friend class Admission;
    explicit Ticket(Admission* admission) : admission_(admission) {}

    Admission* admission_ = nullptr;
  };

  /// At most `limit` calls wait, and none comes in while `breaker` is open. It must outlive the
  /// Admission. nullptr: there is none.
  explicit Admission(size_t limit, const Breaker* breaker = nullptr)
      : limit_(limit), breaker_(breaker) {}

  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// Takes a place. RESOURCE_EXHAUSTED if all places are taken, UNAVAILABLE if the database hangs.
  absl::StatusOr<Ticket> Admit();

  /// Takes a place even if none is free, for a call that was admitted before and has to wait again.
  Ticket Readmit();

  /// Returns the number of calls with one key that may wait, half of all: one hot key leaves room
  /// for the others.
  size_t limit_per_key() const { return (limit_ + 1) / 2; }

  /// Returns the number of waiting calls.
  size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  const size_t limit_;
  const Breaker* const breaker_;
  std::atomic<size_t> waiting_ = 0;
};

}  // namespace content::postgres
