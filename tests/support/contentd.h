#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace content::testing {

/// The result of a finished run.
struct Finished {
  int status;  // exit status; of a run ended by a signal, minus the signal
  std::string out;
  std::string err;
};

// Every contentd started here is killed when the thread that started it ends, so a killed test
// leaves none behind. Its environment is this process's, without the settings of the service and of
// PostgreSQL's clients (CONTENT_*, PG*), so that tests never touch another database.

// They show their pages on free ports.

/// A run that goes on.
struct Running {
  int pid;

  /// Blocks until standard error has `text`, or has ended.
  std::function<void(absl::string_view text)> await_message;
};

/// Runs `contentd` with these arguments until it exits. `environment` is added to the environment
/// above. `on_start` is called when the process has started; nothing else reads its output
/// meanwhile.
Finished RunContentd(
    const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
    const std::function<void(const Running& running)>& on_start = [](const Running&) {});

/// A running `contentd serve`, unless told otherwise on a free port and without a drain delay. Its
/// JSON log is read continuously.
class ContentdServer {
 public:
  enum class Until { kStarted, kServing };

  /// Starts the server and, unless told otherwise, waits until it serves. Fails the test if it
  /// exits first.
  explicit ContentdServer(std::vector<std::string> arguments,
                          std::vector<std::string> environment = {}, Until until = Until::kServing);

  /// Kills the server if it is still running.
  ~ContentdServer();

  ContentdServer(const ContentdServer&) = delete;
  ContentdServer& operator=(const ContentdServer&) = delete;

  /// HOST:PORT.
  const std::string& address() const { return address_; }

  /// HOST:PORT of the pages for operators, which every server here has on a free port, unless it is
  /// told otherwise.
  const std::string& http_address() const { return http_address_; }

  int pid() const { return pid_; }

  void Signal(int signal) const;

  /// Waits until the server has exited; see Finished::status.
  int Wait();

  /// Waits for the next log line with this event, and returns it.
  std::string WaitForEvent(const std::string& event);

  /// Closes the log, so that the server can no longer write to it.
  void HangUp() const;

  /// Leaves the log open and reads no more. It holds only a few lines, and writing more blocks.
  void StopReadingLog();

 private:
  void ReadLog();

  int pid_ = -1;
  int log_ = -1;
  int stop_reading_ = -1;  // an eventfd
  std::string address_;
  std::string http_address_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string unread_;          // Guarded by mutex_.
  bool log_has_ended_ = false;  // Guarded by mutex_.
  std::jthread reader_;
};

}  // namespace content::testing
