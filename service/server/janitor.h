#pragma once

#include <stop_token>
#include <thread>

#include "absl/time/time.h"
#include "base/clock.h"
#include "content/upkeep.h"

namespace content::server {

/// Makes the store forget old requests, about once a minute. Several servers may do so
/// concurrently.
class Janitor {
 public:
  /// Requests are forgotten once their day ended longer ago than `request_retention`, unless
  /// another server keeps them for longer. `upkeep` and `clock` must outlive the janitor.
  Janitor(Upkeep& upkeep, absl::Duration request_retention,
          SteadyClock& clock = SteadyClock::System());

  /// Stops without waiting for a deletion under way.
  ~Janitor() = default;

  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

 private:
  void Run(const std::stop_token& stop);
  void ForgetRequests(const std::stop_token& stop);

  Upkeep& upkeep_;
  const absl::Duration request_retention_;
  SteadyClock& clock_;
  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content::server
