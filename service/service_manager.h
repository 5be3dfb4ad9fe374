#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace content {

/// Who started the server and wants to know how far it is: systemd, with Type=notify.
class ServiceManager {
 public:
  /// Takes the manager's address out of the environment, so that no child process answers in the
  /// server's place (PostgreSQL would). Call it before any other thread starts.
  ServiceManager();

  /// Calls are served. Does nothing if nobody asked.
  void Ready() const { Tell("READY=1"); }

  /// The server is about to stop.
  void Stopping() const { Tell("STOPPING=1"); }

 private:
  void Tell(absl::string_view state) const;

  std::string socket_;  // empty if nobody asked
};

}  // namespace content
