#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "content/store.h"
#include "content/v1/admin_service.pb.h"
#include "store/connection.h"

namespace content::store {

/// Connections, each on a thread of its own that takes work from one bounded queue.
///
/// A job that loses its connection or collides with others is run again within its caller's
/// deadline; a job whose caller's time is up, or who has gone, is not run. A connection that broke
/// is replaced when the next job needs it; one on which a job hangs past every limit (a database
/// that stopped answering) is cut.
class Pool {
 public:
  struct Options {
    /// Of the pool, for those who look at it.
    std::string name;
    std::string url;
    int connections = 1;
    size_t queue_limit = 1000;
    /// No statement runs longer, whatever the caller's deadline.
    absl::Duration statement_timeout = absl::Seconds(10);
  };

  /// What is done on a connection. May throw pqxx exceptions; the status it returns is final.
  /// `attempt` counts from 1. What changes something must, from its second attempt on, first look
  /// whether an earlier one was committed after all.
  using Work = absl::AnyInvocable<absl::Status(Connection&, int attempt)>;
  using Finish = absl::AnyInvocable<void(absl::Status) &&>;

  explicit Pool(Options options);

  /// Answers what still waits with UNAVAILABLE and waits for what runs.
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs `work` and then `finish` with its status, on a thread of the pool. A full queue calls
  /// `finish` at once, on the calling thread, with RESOURCE_EXHAUSTED. Thread-safe.
  void Run(CallContext context, Work work, Finish finish);

  /// How busy it is. Never waits for the database. Thread-safe.
  v1::PoolInfo Info();

  /// Version of the database it is connected to; empty if it is not. Never waits for the database.
  /// Thread-safe.
  std::string DatabaseVersion();

 private:
  struct Job {
    CallContext context;
    Work work;
    Finish finish;
  };

  /// A thread's connection.
  class Lane;

  void Serve(const std::stop_token& stop, Lane& lane);
  void Watch(const std::stop_token& stop);

  const Options options_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> queue_;
  int busy_ = 0;  // lanes that have a job
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::mutex watch_mutex_;
  std::condition_variable_any watch_wake_;
  std::jthread watch_;  // outlives the workers: one that hangs is cut, or it would never end
  std::vector<std::jthread> workers_;
};

}  // namespace content::store
