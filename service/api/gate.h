#pragma once

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace content::api {

/// The door that every call goes through, so that a server that stops knows when the last one is
/// done. (gRPC's own shutdown also waits for streams that never end, such as a client's watch on
/// health.) Thread-safe.
class Gate {
 public:
  /// False once the gate is closed; otherwise Leave must follow.
  bool Enter();
  void Leave();

  /// Lets no more calls in, and waits until those inside have left or the deadline has passed.
  void Close(absl::Duration timeout);

  /// Waits until the last call has left, after which nobody touches the gate. For the time between
  /// Close and destruction.
  void AwaitEmpty();

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  bool closed_ = false;
  int inside_ = 0;
};

}  // namespace content::api
