#pragma once

#include <optional>
#include <thread>

#include "absl/time/time.h"

namespace content {

/// The signals that stop a server: SIGTERM and SIGINT. At first, and after Release, they end the
/// process at once. SIGHUP, which programs get when their terminal goes away, never does.
///
///   StopSignals signals;    // before any other thread starts
///   ...                     // whatever the start takes, a signal ends it
///   signals.Hold();
///   signals.Await();        // serves meanwhile
///   signals.Release();
class StopSignals {
 public:
  /// Blocks the signals in the calling thread, and so in all threads that it starts later.
  StopSignals();

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// From now on, signals wait for Await.
  void Hold();

  /// Blocks until one of the signals arrives, and returns it. nullopt if none does within
  /// `timeout`. Logs every SIGHUP that arrives meanwhile.
  std::optional<int> Await(absl::Duration timeout = absl::InfiniteDuration());

  /// From now on, signals end the process again, whichever thread has called this.
  void Release();

 private:
  // While it runs, it is the only thread that does not block the signals, so the kernel delivers
  // them there, whatever the others wait for.
  std::jthread undefended_;
};

}  // namespace content
