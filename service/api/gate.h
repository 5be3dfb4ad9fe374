#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "absl/time/time.h"

namespace content::api {

/// Counts the calls that are being answered, so that a stopping server knows when the last one has
/// been. (gRPC's own shutdown also waits for streams that never end, such as a client's watch on
/// health.) Thread-safe.
///
///   Gate::Pass pass = gate.Enter();
///   if (!pass) return ServerStopping();
class Gate {
 public:
  /// Represents one call inside the gate. The call leaves when the pass is destroyed. Move-only; a
  /// moved-from pass is empty. The gate must outlive its passes.
  class Pass {
   public:
    /// An empty pass.
    Pass() = default;

    /// True unless the pass is empty.
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Gate;

    struct Leave {
      void operator()(Gate* gate) const { gate->Leave(); }
    };

    explicit Pass(Gate* gate) : gate_(gate) {}

    std::unique_ptr<Gate, Leave> gate_;
  };

  /// Returns a pass for one call; an empty pass once the gate is closed.
  Pass Enter();

  /// Lets no more calls in, and blocks until all calls have left or `timeout` has passed.
  void Close(absl::Duration timeout);

  /// Blocks until the last call has left. After Close and AwaitEmpty, the gate is no longer
  /// accessed and may be destroyed.
  void AwaitEmpty();

 private:
  void Leave();

  std::mutex mutex_;
  std::condition_variable left_;
  bool closed_ = false;  // Guarded by mutex_.
  int inside_ = 0;       // Guarded by mutex_.
};

}  // namespace content::api
