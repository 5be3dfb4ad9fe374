#pragma once

#include <atomic>
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
#include "base/call.h"
#include "postgres/connection.h"

namespace content::postgres {

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
    /// So many of the connections are left to prompt jobs.
    int prompt_connections = 0;
  };

  /// What is done on a connection. May throw pqxx exceptions; the status it returns is final.
  /// `in_doubt`: an earlier attempt may have been committed. What changes something must look
  /// whether it was, and for that wait until it has ended.
  using Work = absl::AnyInvocable<absl::Status(Connection&, bool in_doubt)>;
  using Finish = Callback<void>;

  /// Tells, when a connection is free for it, for whom the job is done.
  using Begin = absl::AnyInvocable<CallContext() &&>;

  /// A prompt job waits for nobody's locks, unless it is in doubt.
  enum class Pace { kAny, kPrompt };

  explicit Pool(Options options);

  /// Answers what still waits with UNAVAILABLE and waits for what runs.
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs `work` and then `finish` with its status, on a thread of the pool. A full queue calls
  /// `finish` at once, on the calling thread, with RESOURCE_EXHAUSTED. Thread-safe.
  void Run(CallContext context, Work work, Finish finish);

  /// The same for a job of many calls, which wait elsewhere until `begin` is called, and have been
  /// counted one by one. It is not refused.
  void RunLater(Begin begin, Work work, Finish finish, Pace pace = Pace::kAny);

  /// Counts a call that waits elsewhere. RESOURCE_EXHAUSTED, and it is not counted, if too many
  /// wait, or half of that for the same (`alike`). Thread-safe, like the next ones.
  absl::Status Enter(size_t alike = 0);

  /// Counts calls that wait again, however many there are.
  void EnterAgain(size_t calls);

  /// They do not wait any more.
  void Leave(size_t calls);

  struct Stats {
    int open_connections = 0;
    int busy_connections = 0;
    size_t waiting_calls = 0;
  };

  /// How busy it is. Never waits for the database. Thread-safe.
  Stats GetStats();

  /// When the oldest of the jobs that run was given to its connection; InfiniteFuture if none runs.
  /// Never waits for the database. Thread-safe.
  SteadyTime OldestJobStart();

  const Options& options() const { return options_; }

  /// Version of the database it is connected to; empty if it is not. Never waits for the database.
  /// Thread-safe.
  std::string DatabaseVersion();

 private:
  struct Job {
    Begin begin;
    Work work;
    Finish finish;
    Pace pace;
  };

  /// A thread's connection.
  class Worker;

  // Where the next job is that a free connection may begin; nullptr if there is none. With the
  // mutex held.
  std::deque<Job>* NextQueue();

  void Serve(const std::stop_token& stop, Worker& lane);
  void Rest(std::unique_lock<std::mutex>& lock, const std::stop_token& stop, Worker& lane);
  void Watch(const std::stop_token& stop);

  const Options options_;
  std::atomic<size_t> waiting_ = 0;  // calls, here and elsewhere
  std::mutex mutex_;
  std::deque<Job> queue_;
  std::deque<Job> prompt_queue_;
  // Those that have no job. The last is the first to get one: its memory, and that of its
  // PostgreSQL process, is likelier to be in the processor's cache.
  std::vector<Worker*> resting_;
  int busy_ = 0;         // lanes that have a job
  int busy_slowly_ = 0;  // of these, with one that is not prompt
  std::vector<std::unique_ptr<Worker>> lanes_;
  std::mutex watch_mutex_;
  std::condition_variable_any watch_wake_;
  std::jthread watch_;  // outlives the workers: one that hangs is cut, or it would never end
  std::vector<std::jthread> workers_;
};

}  // namespace content::postgres
