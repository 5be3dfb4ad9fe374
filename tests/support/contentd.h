#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace content::testing {

/// The result of a finished run.
struct Finished {
  int status;  // exit status; of a run ended by a signal, minus the signal
  std::string out;
  std::string err;
};

// Every contentd started here is killed when the thread that started it ends, so that a test that
// is killed leaves none behind. Its environment is this process's without the settings of the
// service and of PostgreSQL's clients (CONTENT_*, PG*): tests must not work on whatever these lead
// to.

/// Runs `contentd` with these arguments to its end. `environment` is added to the above.
Finished RunContentd(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& environment = {});

/// A running `contentd serve`, on a free port, with JSON logs, which are read all the time.
class ContentdServer {
 public:
  /// Starts it and waits until it serves; fails the test if it ends before that.
  explicit ContentdServer(std::vector<std::string> arguments,
                          std::vector<std::string> environment = {});

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

  /// Stops reading its log: from now on it cannot write there.
  void HangUp() const;

 private:
  void ReadLog();

  int pid_ = -1;
  int log_ = -1;
  std::string address_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string unread_;          // Guarded by mutex_.
  bool log_has_ended_ = false;  // Guarded by mutex_.
  std::jthread reader_;
};

}  // namespace content::testing
