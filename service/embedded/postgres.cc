#include "embedded/postgres.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "embedded/cluster.h"
#include "embedded/data_dir.h"
#include "embedded/process.h"
#include "telemetry/log.h"

namespace content::embedded {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// Time for a fast shutdown, which writes a checkpoint. An immediate one follows, after which the
// next start has to recover.
constexpr seconds kFastShutdownTimeout{60};
// Time during which a failed first start is retried.
constexpr seconds kFirstStartTimeout{5};
// The same if a backend of a killed database still uses its shared memory. It does so until it has
// finished its statement.
constexpr seconds kFirstStartAfterKillTimeout{30};
// Time to wait for a database that another process starts.
constexpr seconds kOtherProcessStartTimeout{30};
constexpr milliseconds kMinRestartDelay{100};
constexpr milliseconds kMaxRestartDelay{5000};
// A database that ran for at least this long is restarted after the minimum delay.
constexpr seconds kHealthyRunTime{60};
// Interval for polling things that send no events: a status file, a process that is not a child.
constexpr milliseconds kPollInterval{10};

// Waits for the server `pid` of the cluster to end. Returns false after `limit`.
bool AwaitEnd(seconds limit, pid_t pid, const Layout& layout) {
  for (const auto end = Clock::now() + limit; Clock::now() < end;
       std::this_thread::sleep_for(kPollInterval)) {
    const std::optional<Postmaster> running = FindPostmaster(layout);
    if (!running || running->pid != pid) return true;
  }
  return false;
}

// Removes remains of a killed owner or database that would keep the next one from starting.
absl::Status CleanUpAfterKill(const Layout& layout) {
  absl::Status stopped = StopOrphan(layout);
  return stopped.ok() ? ClaimLockFiles(layout) : stopped;
}

seconds FirstStartTimeout(const std::string& failure) {
  return absl::StrContains(failure, "shared memory block") ? kFirstStartAfterKillTimeout
                                                           : kFirstStartTimeout;
}

// Returns whether a stop signal is pending that the caller has blocked to receive it later.
bool IsStopPending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

}  // namespace

// Keeps the server process running. The supervisor thread starts it, because the process dies with
// the thread that started it.
class Postgres::Impl {
 public:
  Impl(Layout layout, Command server)
      : layout_(std::move(layout)),
        server_(std::move(server)),
        url_(UrlOf(layout_)),
        supervisor_([this] { Supervise(); }) {}

  ~Impl() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    for (const int signal : {SIGINT, SIGQUIT}) {
      if (running_) kill(pid_, signal);
      if (changed_.wait_for(lock, kFastShutdownTimeout, [this] { return finished_; })) return;
    }
  }

  absl::Status AwaitReady() {
    std::unique_lock lock(mutex_);
    while (!finished_) {
      if (IsStopPending()) return absl::CancelledError("stopped while the database was starting");
      const std::optional<Postmaster> postmaster = FindPostmaster(layout_);
      if (running_ && postmaster && postmaster->pid == pid_ && postmaster->is_ready) {
        was_ready_ = true;
        return absl::OkStatus();
      }
      changed_.wait_for(lock, kPollInterval);
    }
    return failure_;
  }

  const std::string& url() const { return url_; }

  int pid() const {
    std::lock_guard lock(mutex_);
    return pid_;
  }

 private:
  void Supervise() {
    absl::Status failure = ServeUntilStopped();
    std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
    finished_ = true;
    changed_.notify_all();
  }

  // Returns OK once it has been told to stop, or an error if the database never became ready.
  absl::Status ServeUntilStopped() {
    const auto first_start = Clock::now();
    milliseconds delay = kMinRestartDelay;
    while (true) {
      const auto start = Clock::now();
      const off_t log_size = FileSize(layout_.log);
      const std::string end = absl::StrCat(ServeOnce(), NoteOfFullDisk(layout_.log));
      std::unique_lock lock(mutex_);
      if (stopping_) {
        log::Info("database stopped", {{"cause", end}});
        return absl::OkStatus();
      }
      if (!was_ready_) {
        const std::string words = LastLines(layout_.log, log_size);
        if (Clock::now() - first_start > FirstStartTimeout(words)) {
          return absl::InternalError(absl::StrCat("PostgreSQL does not start: ", end, "\n", words));
        }
      }
      if (Clock::now() - start > kHealthyRunTime) delay = kMinRestartDelay;
      log::Warning("database ended, starting it again",
                   {{"cause", end}, {"delay_ms", delay.count()}, {"log", layout_.log}});
      changed_.wait_for(lock, delay, [this] { return stopping_; });
      delay = std::min(delay * 2, kMaxRestartDelay);
    }
  }

  // Runs the server until it ends, and returns how it ended.
  std::string ServeOnce() {
    if (absl::Status ready = CleanUpAfterKill(layout_); !ready.ok()) {
      return std::string(ready.message());
    }
    const absl::StatusOr<pid_t> pid = StartServer();
    if (!pid.ok()) return std::string(pid.status().message());
    log::Info("database starting", {{"pid", *pid}, {"log", layout_.log}});
    AwaitExit(*pid);
    std::lock_guard lock(mutex_);  // the destructor may signal the process until it is reaped
    running_ = false;
    return DescribeWaitStatus(Reap(*pid));
  }

  absl::StatusOr<pid_t> StartServer() {
    std::lock_guard lock(mutex_);
    if (stopping_) return absl::CancelledError("stopping");
    absl::StatusOr<pid_t> pid = Spawn(server_, SIGINT);
    if (pid.ok()) {
      pid_ = *pid;
      running_ = true;
    }
    return pid;
  }

  const Layout layout_;
  const Command server_;
  const std::string url_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // Notified when stopping_ or finished_ is set.
  pid_t pid_ = 0;                    // Of the latest server process. Guarded by mutex_.
  bool running_ = false;             // The process has not been reaped. Guarded by mutex_.
  bool was_ready_ = false;           // The database has accepted connections. Guarded by mutex_.
  bool stopping_ = false;            // The destructor has begun. Guarded by mutex_.
  bool finished_ = false;            // The supervisor is done. Guarded by mutex_.
  absl::Status failure_;             // Result of the supervisor. Guarded by mutex_.

  std::jthread supervisor_;  // Last, so that it is joined before the members that it uses go.
};

absl::StatusOr<std::unique_ptr<Postgres>> Postgres::Start(const Options& options) {
  const absl::StatusOr<Layout> layout = LayoutOf(options.data_dir);
  if (!layout.ok()) return layout.status();
  if (!options.create) {
    if (absl::Status exists = CheckClusterExists(*layout); !exists.ok()) return exists;
  }
  absl::StatusOr<Lock> lock = Lock::Take(*layout);
  if (!lock.ok()) return lock.status();
  const absl::StatusOr<User> user = DatabaseUser(*layout);
  if (!user.ok()) return user.status();
  absl::StatusOr<std::unique_ptr<Postgres>> postgres = StartOwned(*layout, *user, options.durable);
  if (postgres.ok()) (*postgres)->lock_.emplace(*std::move(lock));
  return postgres;
}

absl::StatusOr<std::unique_ptr<Postgres>> Postgres::StartOwned(const Layout& layout,
                                                               const User& user, bool durable) {
  const absl::StatusOr<std::string> programs = FindPrograms(layout);
  if (!programs.ok()) return programs.status();
  absl::Status made = MakeCluster(layout, *programs, user, durable);
  if (!made.ok()) return made;
  made = MakePrivateDirectory(layout.socket, user);
  if (!made.ok()) return made;

  auto impl = std::make_unique<Impl>(layout, ServerCommand(layout, *programs, user, durable));
  const absl::Status ready = impl->AwaitReady();
  if (!ready.ok()) return ready;
  return std::unique_ptr<Postgres>(new Postgres(std::move(impl)));
}

Postgres::Postgres(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Postgres::~Postgres() = default;

const std::string& Postgres::url() const { return impl_->url(); }

int Postgres::pid() const { return impl_->pid(); }

absl::StatusOr<std::string> RunningUrl(const std::string& data_dir) {
  const absl::StatusOr<Layout> layout = LayoutOf(data_dir);
  if (!layout.ok()) return layout.status();
  for (const auto end = Clock::now() + kOtherProcessStartTimeout;
       IsLocked(*layout) && Clock::now() < end; std::this_thread::sleep_for(kPollInterval)) {
    const std::optional<Postmaster> postmaster = FindPostmaster(*layout);
    if (postmaster && postmaster->is_ready) return UrlOf(*layout);
  }
  return absl::NotFoundError(absl::StrCat("no database runs on ", layout->root));
}

absl::Status StopOrphan(const Layout& layout) {
  const std::optional<Postmaster> orphan = FindPostmaster(layout);
  if (!orphan) return absl::OkStatus();
  log::Warning("stopping the database of a killed server", {{"pid", orphan->pid}});
  for (const int signal : {SIGINT, SIGQUIT}) {
    kill(orphan->pid, signal);
    if (AwaitEnd(kFastShutdownTimeout, orphan->pid, layout)) return absl::OkStatus();
  }
  return absl::FailedPreconditionError("the previous database does not stop");
}

}  // namespace content::embedded
