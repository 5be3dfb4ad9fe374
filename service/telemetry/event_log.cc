#include "telemetry/event_log.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace content::log {
namespace {

// How often the thread looks for events that were suppressed, while there are any.
constexpr std::chrono::seconds kLookInterval{1};

Style StyleFor(Format format, int fd) {
  const bool is_terminal = isatty(fd) != 0;
  if (format == Format::kJson || (format == Format::kAuto && !is_terminal)) return Style::kJson;
  const char* const terminal = std::getenv("TERM");
  const bool has_colours =
      is_terminal && terminal != nullptr && absl::string_view(terminal) != "dumb";
  return has_colours ? Style::kColouredText : Style::kText;
}

void AwaitWritable(int fd) {
  pollfd polled = {.fd = fd, .events = POLLOUT, .revents = 0};
  poll(&polled, 1, -1);
}

// Starts a thread that receives no signals: they are for the threads that wait for them.
template <class Action>
std::thread ThreadWithoutSignals(Action action) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(action));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

EventLog::EventLog(Options options) : options_(std::move(options)) {
  Configure(Level::kInfo, Format::kAuto);
}

EventLog::~EventLog() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    work_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void EventLog::Configure(Level level, Format format) {
  level_ = level;
  style_ = StyleFor(format, options_.fd);
}

void EventLog::OverrideLevel(Level level, std::chrono::nanoseconds duration) {
  const std::lock_guard lock(mutex_);
  override_ = {.level = level, .until = options_.now() + duration};
  is_overridden_ = true;
}

CurrentLevel EventLog::GetLevel() {
  const std::lock_guard lock(mutex_);
  DropExpiredOverride();
  if (!override_) return {.level = level_, .left = std::nullopt};
  return {.level = override_->level, .left = override_->until - options_.now()};
}

void EventLog::WriteInBackground() {
  const std::lock_guard lock(mutex_);
  is_in_background_ = true;
  thread_ = ThreadWithoutSignals([this] { WriteUntilStopped(); });
}

void EventLog::LimitEachKind() { is_limited_ = true; }

void EventLog::Write(Level level, Event event, Fields fields) {
  if (level >= Level::kWarning) recent_.Add(level, event, absl::Now());
  if (!IsWanted(level)) return;
  events_.Add(level);
  const std::optional<uint64_t> suppressed = Admit(level, event);
  if (!suppressed) return;
  std::string line = EventLine(style_, level, event, fields, *suppressed);
  const std::lock_guard lock(mutex_);
  Append(std::move(line));
}

void EventLog::Record(Event event, Fields fields) {
  events_.Add(Level::kInfo);
  std::string line = EventLine(style_, Level::kInfo, event, fields, /*suppressed=*/0);
  const std::lock_guard lock(mutex_);
  Append(std::move(line), {options_.max_lines / 2, options_.max_bytes / 2});
}

void EventLog::RecordAct(Event event, Fields fields) {
  events_.Add(Level::kInfo);
  std::string line = EventLine(style_, Level::kInfo, event, fields, /*suppressed=*/0);
  const std::lock_guard lock(mutex_);
  Append(std::move(line), {options_.max_lines * 2, options_.max_bytes * 2});
}

void EventLog::Print(absl::string_view line) {
  const std::lock_guard lock(mutex_);
  Append(absl::StrCat(line, "\n"));
}

void EventLog::Flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  AppendUntold(KindLimiter::Time::max());
  written_.wait_for(lock, timeout, [this] { return waiting_lines_ == 0 && dropped_ == 0; });
}

bool EventLog::IsWanted(Level level) {
  if (is_overridden_) {
    const std::lock_guard lock(mutex_);
    DropExpiredOverride();
    if (override_) return level >= override_->level;
  }
  return level >= level_;
}

void EventLog::DropExpiredOverride() {
  if (!override_ || options_.now() < override_->until) return;
  override_.reset();
  is_overridden_ = false;
}

std::optional<uint64_t> EventLog::Admit(Level level, Event event) {
  if (!is_limited_) return 0;
  const std::lock_guard lock(mutex_);
  const bool had_suppressed = limiter_.HasSuppressed();
  std::optional<uint64_t> suppressed = limiter_.Admit(level, event, options_.now());
  if (!had_suppressed && limiter_.HasSuppressed()) work_.notify_one();
  return suppressed;
}

void EventLog::Append(std::string line, Room room) {
  if (!is_in_background_) {
    WriteLine(std::move(line));
    return;
  }
  if (waiting_lines_ >= room.lines || waiting_bytes_ + line.size() > room.bytes) {
    ++dropped_;
    all_dropped_.Add();
    return;
  }
  ++waiting_lines_;
  waiting_bytes_ += line.size();
  lines_.push_back(std::move(line));
  work_.notify_one();
}

void EventLog::AppendUntold(KindLimiter::Time now) {
  for (const KindLimiter::Suppressed& untold : limiter_.TakeUntold(now)) {
    const Event event(untold.name, untold.kind);
    Append(SuppressedLine(style_, untold.level, event, untold.count));
  }
}

void EventLog::AwaitWork(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return !lines_.empty() || dropped_ > 0 || is_stopping_; };
  work_.wait(lock, [&] { return has_work() || limiter_.HasSuppressed(); });
  if (limiter_.HasSuppressed()) work_.wait_for(lock, kLookInterval, has_work);
}

void EventLog::WriteUntilStopped() {
  uint64_t lost = 0;  // dropped, or not written, and not told yet
  std::unique_lock lock(mutex_);
  while (true) {
    AwaitWork(lock);
    AppendUntold(options_.now());
    if (is_stopping_ && lines_.empty() && dropped_ == 0) return;
    std::deque<std::string> lines = std::exchange(lines_, {});
    // `lines` count as waiting until all of them are written, so what was dropped came after them.
    const uint64_t dropped = dropped_;
    lock.unlock();

    lost += dropped;
    size_t bytes = 0;
    for (std::string& line : lines) {
      bytes += line.size();
      if (WriteLine(std::move(line))) continue;
      ++lost;
      all_dropped_.Add();
    }
    if (lost > 0 &&
        WriteLine(EventLine(style_, Level::kWarning, "log events dropped", {{"count", lost}}, 0))) {
      lost = 0;
    }

    lock.lock();
    waiting_lines_ -= lines.size();
    waiting_bytes_ -= bytes;
    dropped_ -= dropped;
    written_.notify_all();
  }
}

bool EventLog::WriteLine(std::string line) {
  if (is_line_torn_) line.insert(0, 1, '\n');
  for (size_t done = 0; done < line.size();) {
    const ssize_t count = write(options_.fd, line.data() + done, line.size() - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      AwaitWritable(options_.fd);
    } else if (errno != EINTR) {
      is_line_torn_ = is_line_torn_ || done > 0;
      return false;
    }
  }
  is_line_torn_ = false;
  return true;
}

}  // namespace content::log
