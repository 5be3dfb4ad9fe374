#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "stop_signals.h"

namespace content {

/// Waits for a signal that stops a command, on a thread of its own. The second one ends the
/// process.
class Interruption {
 public:
  /// `signals` must hold (StopSignals::Hold). Calls `announce` on that thread when one has come.
  Interruption(StopSignals& signals, std::function<void()> announce)
      : signals_(signals),
        announce_(std::move(announce)),
        thread_([this](const std::stop_token& stop) { Await(stop); }) {}

  bool has_come() const { return has_come_; }

 private:
  static constexpr absl::Duration kInterval = absl::Milliseconds(20);

  void Await(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!signals_.Await(kInterval)) continue;
      has_come_ = true;
      signals_.Release();
      return announce_();
    }
  }

  StopSignals& signals_;
  const std::function<void()> announce_;
  std::atomic<bool> has_come_ = false;
  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content
