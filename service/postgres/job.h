#pragma once

#include "absl/status/status.h"
#include "base/call.h"

// Jobs that an executor (a Pool, or a substitute in tests) runs on its connections.
namespace content::postgres {

/// Whether a job may use the connections that are reserved for short jobs.
enum class Pace {
  /// Short. Waits for no locks, unless an earlier attempt is in doubt.
  kPrompt,
  /// May take until its statement timeout. Does not use the reserved connections.
  kAny,
};

/// Work for a connection. An executor calls Begin once, then Run, possibly several times, unless
/// the callers have given up or there is no connection, and then Finish once: one after the other,
/// on any threads. When the executor ends, it calls only Finish. Begin and Finish must not throw.
template <class Connection>
class BasicJob {
 public:
  virtual ~BasicJob() = default;

  /// Called when a connection is free. Returns how long the callers wait. The returned context may
  /// refer to the job.
  virtual CallContext Begin() = 0;

  /// Does the work. May throw the exceptions of Connection; the executor may then call Run again. A
  /// returned status is final. If `in_doubt`, an earlier attempt may have been committed: a write
  /// must wait for that attempt to end and find out whether it was committed.
  virtual absl::Status Run(Connection& connection, bool in_doubt) = 0;

  /// Receives the outcome. Must not block.
  virtual void Finish(absl::Status status) = 0;
};

}  // namespace content::postgres
