#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/kind_limiter.h"
#include "telemetry/line.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/recent_events.h"

namespace content::log {

/// The log behind the functions of log.h, which say what it does. Thread-safe.
class EventLog {
 public:
  struct Options {
    int fd = STDERR_FILENO;  ///< Not owned; may be non-blocking.
    // What may wait for the thread that writes.
    size_t max_lines = 8'192;
    size_t max_bytes = size_t{4} << 20;
    /// How long records wait for more. To wake a thread and to write cost more than the call that a
    /// record is about.
    std::chrono::nanoseconds gather_for = std::chrono::milliseconds(10);
    std::function<KindLimiter::Time()> now = &std::chrono::steady_clock::now;
  };

  explicit EventLog(Options options);

  /// Waits until everything is written.
  ~EventLog();

  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void Configure(Level level, Format format);
  void OverrideLevel(Level level, std::chrono::nanoseconds duration);
  CurrentLevel GetLevel();
  void WriteInBackground();
  void LimitEachKind();
  void Write(Level level, Event event, Fields fields);
  void Record(Event event, Fields fields);
  void RecordAct(Event event, Fields fields);
  void Print(absl::string_view line);
  void Flush(std::chrono::milliseconds timeout);
  uint64_t event_count(Level level) const { return events_.Read(level); }
  uint64_t dropped_count() const { return all_dropped_.Read(); }
  std::vector<RecentEvent> Recent() const { return recent_.List(); }

 private:
  // What may wait for the thread that writes.
  struct Room {
    size_t lines;
    size_t bytes;
  };

  Room WholeRoom() const { return {options_.max_lines, options_.max_bytes}; }

  // Another minimum level, and until when it holds.
  struct Override {
    Level level;
    KindLimiter::Time until;
  };

  bool IsWanted(Level level);
  std::optional<uint64_t> Admit(Level level, Event event);

  // These require mutex_.
  void DropExpiredOverride();
  // Drops the line if more than so many lines or bytes would wait. One that is not urgent may wait
  // for more.
  void Append(std::string line, Room room, bool is_urgent);
  void Append(std::string line) { Append(std::move(line), WholeRoom(), /*is_urgent=*/true); }
  void AppendUntold(KindLimiter::Time now);
  void AwaitWork(std::unique_lock<std::mutex>& lock);

  // What the thread does.
  void WriteUntilStopped();

  // Writes whole lines. Returns how many of them could not be written, or only in part. One thread
  // at a time.
  size_t WriteText(std::string text);

  const Options options_;
  std::atomic<Level> level_ = Level::kInfo;
  std::atomic<bool> is_overridden_ = false;  // Changes under mutex_.
  std::atomic<Style> style_ = Style::kJson;
  std::atomic<bool> is_limited_ = false;
  metrics::Counters<Level, 4> events_;
  metrics::Counter all_dropped_;
  RecentEvents recent_;
  bool is_line_torn_ = false;  // The last line ended halfway. Belongs to whoever writes.

  std::mutex mutex_;
  std::condition_variable work_;     // Wakes the thread, when it has something to do.
  std::condition_variable written_;  // Notified when the thread has written what it took.
  // Guarded by mutex_:
  std::optional<Override> override_;  // if is_overridden_
  KindLimiter limiter_;
  std::deque<std::string> lines_;  // not yet taken by the thread
  size_t waiting_lines_ = 0;       // with those that the thread is writing
  size_t waiting_bytes_ = 0;
  uint64_t dropped_ = 0;    // since the last time that this was told
  bool is_urgent_ = false;  // Some of `lines_` must be written at once.
  bool is_in_background_ = false;
  bool is_stopping_ = false;

  std::thread thread_;  // Runs while is_in_background_.
};

}  // namespace content::log
