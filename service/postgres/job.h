#pragma once

#include "absl/status/status.h"
#include "base/call.h"

// What an executor (a Pool, or a test's substitute) runs on its connections.
namespace content::postgres {

/// Whether a job may use the connections that are reserved for short jobs.
enum class Pace {
  /// Short. It waits for nobody's locks, unless an earlier attempt is in doubt.
  kPrompt,
  /// May take until its statement timeout. Keeps off the reserved connections.
  kAny,
};

/// Work for a connection. An executor calls Begin once, Run at least once if callers still wait,
/// and then Finish once, one after the other, on the thread of the connection or of a caller. An
/// executor that ends calls Finish alone, on any thread.
template <class Connection>
class BasicJob {
 public:
  virtual ~BasicJob() = default;

  /// Called when a connection is free. Returns how long the callers wait. The context may refer to
  /// the job.
  virtual CallContext Begin() = 0;

  /// Does the work. May throw the exceptions of Connection: the executor may then call Run again.
  /// A status that it returns is final. `in_doubt`: an earlier attempt may have been committed; a
  /// write must find out whether it was, and must wait for that attempt to end.
  virtual absl::Status Run(Connection& connection, bool in_doubt) = 0;

  /// Takes the outcome. Must not block.
  virtual void Finish(absl::Status status) = 0;
};

}  // namespace content::postgres
