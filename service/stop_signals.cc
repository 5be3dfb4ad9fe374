#include "stop_signals.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <initializer_list>
#include <stop_token>

#include "base/clock.h"
#include "telemetry/log.h"

namespace content {
namespace {

sigset_t SetOf(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

// Takes the default action. The kernel does not take it in the first process of a container.
void EndProcess(int signal) {
  std::signal(signal, SIG_DFL);
  const sigset_t signals = SetOf({signal});
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  raise(signal);
  _exit(128 + signal);
}

std::jthread StartUndefendedThread() {
  return std::jthread([](const std::stop_token& stop) {
    const sigset_t signals = SetOf({SIGTERM, SIGINT});
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    SteadyClock::System().SleepUntil(SteadyTime::InfiniteFuture(), stop);
  });
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t signals = SetOf({SIGTERM, SIGINT, SIGHUP});
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, EndProcess);
  undefended_ = StartUndefendedThread();
}

void StopSignals::Hold() { undefended_ = std::jthread(); }

std::optional<int> StopSignals::Await(absl::Duration timeout) {
  const sigset_t signals = SetOf({SIGTERM, SIGINT, SIGHUP});
  const SteadyTime end = SteadyNow() + timeout;
  while (true) {
    // Any finite time will do, because the loop goes on until the end.
    const timespec left =
        absl::ToTimespec(std::clamp(end - SteadyNow(), absl::ZeroDuration(), absl::Hours(1)));
    const int signal = sigtimedwait(&signals, nullptr, &left);
    if (signal == SIGHUP) {
      log::Info("signal ignored", {{"signal", "SIGHUP"}});
    } else if (signal > 0) {
      return signal;
    } else if (SteadyNow() >= end) {
      return std::nullopt;
    }
  }
}

void StopSignals::Release() { undefended_ = StartUndefendedThread(); }

}  // namespace content
