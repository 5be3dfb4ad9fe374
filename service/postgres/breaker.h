#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace content::postgres {

/// Tells a database that answers nobody, because it or its host hangs, from one that is slow, or
/// that makes some statements wait for locks. While it hangs, calls are refused at once: nobody
/// waits for a deadline to learn it.
///
/// Whoever asks the database has a Question meanwhile. A thread calls Look every kLookInterval, and
/// sends a probe, any short question on a connection of its own, when Look says so. If the probe is
/// answered, those who still wait do so for another reason.
///
///   breaker opens:  some wait, and nobody had an answer for kSuspicion before the probe and for
///                   kPatience after it
///   breaker closes: the first answer, whoever gets it
///
/// Commits that wait for a standby while reads are answered do not open it.
///
/// Thread-safe.
class Breaker {
 public:
  static constexpr absl::Duration kLookInterval = absl::Milliseconds(250);
  static constexpr absl::Duration kSuspicion = absl::Milliseconds(500);
  static constexpr absl::Duration kPatience = absl::Seconds(1);

  /// Lives from before the database is asked until its answer is there, or is no longer waited for.
  class Question {
   public:
    /// `breaker` must outlive the question. nullptr: nobody is told.
    explicit Question(Breaker* breaker) : breaker_(breaker) {
      if (breaker_ != nullptr) breaker_->waiting_.fetch_add(1, std::memory_order_relaxed);
    }
    ~Question() {
      if (breaker_ != nullptr) breaker_->waiting_.fetch_sub(1, std::memory_order_relaxed);
    }

    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;

    /// The database has answered, be it with an error.
    void NoteAnswer() {
      if (breaker_ != nullptr) breaker_->answers_.fetch_add(1, std::memory_order_relaxed);
    }

   private:
    Breaker* const breaker_;
  };

  Breaker() = default;

  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  /// Opens or closes the breaker, and logs that. Returns whether the database should be probed,
  /// unless a probe is under way. Time in which this process did not run does not count.
  bool Look(SteadyTime now);

  /// Returns whether the database hangs. Costs an atomic load.
  bool is_open() const { return is_open_.load(std::memory_order_relaxed); }

 private:
  // Requires mutex_. `silent`: nobody had an answer since the last look, and some wait.
  void Measure(bool silent, SteadyTime now);

  std::atomic<int> waiting_ = 0;
  std::atomic<uint64_t> answers_ = 0;
  std::atomic<bool> is_open_ = false;

  std::mutex mutex_;
  uint64_t seen_answers_ = 0;                             // Guarded by mutex_.
  SteadyTime last_look_ = SteadyTime::InfinitePast();     // Guarded by mutex_.
  std::optional<absl::Duration> silence_;                 // nullopt: none. Guarded by mutex_.
  SteadyTime silent_since_ = SteadyTime::InfinitePast();  // Guarded by mutex_.
};

/// UNAVAILABLE with RetryInfo: the breaker is open.
absl::Status DoesNotAnswer();

}  // namespace content::postgres
