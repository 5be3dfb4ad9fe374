#pragma once

#include <string>
#include <vector>

namespace content::testing {

/// What a finished run of the binary left behind.
struct Finished {
  int status;  // exit status; of a run ended by a signal, minus the signal
  std::string out;
  std::string err;
};

/// Runs `contentd` with these arguments to its end. `environment` is added to this process's.
Finished RunContentd(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& environment = {});

/// A running `contentd serve`, on a free port, with JSON logs.
class ContentdServer {
 public:
  /// Starts it and waits until it serves; fails the test if it ends before that.
  explicit ContentdServer(std::vector<std::string> arguments);

  /// Kills it if it still runs.
  ~ContentdServer();

  ContentdServer(const ContentdServer&) = delete;
  ContentdServer& operator=(const ContentdServer&) = delete;

  /// HOST:PORT.
  const std::string& address() const { return address_; }

  void Signal(int signal) const;

  /// Waits for its end; see Finished::status.
  int Wait();

  /// Waits for a log line whose event is this, among those not yet waited for, and returns it.
  std::string WaitForEvent(const std::string& event);

 private:
  int pid_ = -1;
  int log_ = -1;
  std::string unread_;
  std::string address_;
};

}  // namespace content::testing
