#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "content/store.h"

namespace content::server {

/// Makes the store forget requests that are older than they are kept, from time to time. Several
/// servers may do so side by side.
class Janitor {
 public:
  /// The store must outlive the janitor.
  Janitor(Store& store, absl::Duration request_retention);

  /// Stops at once, whatever it waits for.
  ~Janitor() = default;

  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

 private:
  void Work(const std::stop_token& stop);
  void ForgetRequests(const std::stop_token& stop);

  Store& store_;
  const absl::Duration request_retention_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace content::server
