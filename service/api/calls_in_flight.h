#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace content::api {

/// Counts the calls that are being answered, so that a stopping server knows when the last one has
/// been. (gRPC's own shutdown also waits for streams that never end, such as a client's watch on
/// health.) Can hold answers back for a moment. Thread-safe.
class CallsInFlight {
 public:
  /// Represents one call, which is in flight until the token is destroyed. Move-only; a moved-from
  /// token represents no call. The counter must outlive its tokens.
  class Token {
   private:
    friend class CallsInFlight;

    struct Remove {
      void operator()(CallsInFlight* calls) const { calls->Remove(); }
    };

    explicit Token(CallsInFlight* calls) : calls_(calls) {}

    std::unique_ptr<CallsInFlight, Remove> calls_;
  };

  /// Returns a token for one call.
  Token Add();

  /// Gives an answer by calling `give()`: now, or at ReleaseAnswers if answers are held.
  template <class Give>
  void Answer(Give give) {
    is_holding_ ? Keep(std::move(give)) : give();
  }

  /// From now on, Answer waits. Clients that call again once they have an answer soon make no more
  /// calls.
  void HoldAnswers();

  /// Gives all answers that were held.
  void ReleaseAnswers();

  /// Blocks until no call is in flight or `timeout` has passed. Returns the number of calls left.
  /// If that is 0 and no call begins any more, the counter is no longer accessed and may be
  /// destroyed.
  int AwaitNone(absl::Duration timeout = absl::InfiniteDuration());

 private:
  using HeldAnswer = absl::AnyInvocable<void()>;

  void Keep(HeldAnswer answer);
  void Remove();

  std::atomic<bool> is_holding_ = false;  // Changes under mutex_.

  std::mutex mutex_;
  std::vector<HeldAnswer> held_;  // Guarded by mutex_.
  std::condition_variable none_;
  int count_ = 0;  // Guarded by mutex_.
};

}  // namespace content::api
