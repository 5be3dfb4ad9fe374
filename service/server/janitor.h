#pragma once

#include <stop_token>
#include <thread>

#include "absl/time/time.h"
#include "base/call.h"
#include "base/clock.h"
#include "content/upkeep.h"

namespace content::server {

/// Makes the store forget old requests and old events of the audit trail, about once a minute.
/// Several servers may do so concurrently.
class Janitor {
 public:
  struct Retentions {
    /// Requests are forgotten once their day ended longer ago than this, unless another server
    /// keeps them for longer.
    absl::Duration requests;
    /// Events of the audit trail are forgotten once they are older than this, unless another server
    /// that runs, or ran within the last day, keeps them for longer. InfiniteDuration: never.
    absl::Duration audit_events = absl::InfiniteDuration();
  };

  /// `upkeep` and `clock` must outlive the janitor.
  Janitor(Upkeep& upkeep, Retentions retentions, SteadyClock& clock = SteadyClock::System());

  /// Stops without waiting for a deletion under way.
  ~Janitor() = default;

  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

 private:
  void Run(const std::stop_token& stop);
  void ForgetAuditEvents(const std::stop_token& stop);
  void ForgetRequests(const std::stop_token& stop);

  // Returns the context of a call of the store.
  CallContext Context(const std::stop_token& stop) const;

  Upkeep& upkeep_;
  const Retentions retentions_;
  SteadyClock& clock_;
  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content::server
