#include "telemetry/event_log.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <climits>
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

// Joins lines to texts that a pipe takes whole, so that they never mix with what other processes
// write there (pipe(7), PIPE_BUF). A longer line is a text alone.
std::vector<std::string> Join(const std::deque<std::string>& lines) {
  std::vector<std::string> texts;
  for (const std::string& line : lines) {
    if (texts.empty() || texts.back().size() + line.size() > PIPE_BUF) texts.emplace_back();
    texts.back() += line;
  }
  return texts;
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
  Append(std::move(line), {options_.max_lines / 2, options_.max_bytes / 2}, /*is_urgent=*/false);
}

void EventLog::RecordAct(Event event, Fields fields) {
  events_.Add(Level::kInfo);
  std::string line = EventLine(style_, Level::kInfo, event, fields, /*suppressed=*/0);
  const std::lock_guard lock(mutex_);
  Append(std::move(line), {options_.max_lines * 2, options_.max_bytes * 2}, /*is_urgent=*/true);
}

void EventLog::Print(absl::string_view line) {
  const std::lock_guard lock(mutex_);
  Append(absl::StrCat(line, "\n"));
}

void EventLog::Flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  AppendUntold(KindLimiter::Time::max());
  is_urgent_ = true;
  work_.notify_one();
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

void EventLog::Append(std::string line, Room room, bool is_urgent) {
  if (!is_in_background_) {
    WriteText(std::move(line));
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
  is_urgent_ = is_urgent_ || is_urgent;
  if (is_urgent || lines_.size() == 1) work_.notify_one();
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
  if (lines_.empty()) return;
  work_.wait_for(lock, options_.gather_for, [this] { return is_urgent_ || is_stopping_; });
}

void EventLog::WriteUntilStopped() {
  uint64_t lost = 0;  // dropped, or not written, and not told yet
  std::unique_lock lock(mutex_);
  while (true) {
    AwaitWork(lock);
    AppendUntold(options_.now());
    if (is_stopping_ && lines_.empty() && dropped_ == 0) return;
    const std::deque<std::string> lines = std::exchange(lines_, {});
    is_urgent_ = false;
    // `lines` count as waiting until all of them are written, so what was dropped came after them.
    const uint64_t dropped = dropped_;
    lock.unlock();

    size_t bytes = 0;
    uint64_t unwritten = 0;
    for (std::string& text : Join(lines)) {
      bytes += text.size();
      unwritten += WriteText(std::move(text));
    }
    all_dropped_.Add(unwritten);
    lost += dropped + unwritten;
    if (lost > 0 && WriteText(EventLine(style_, Level::kWarning, "log events dropped",
                                        {{"count", lost}}, 0)) == 0) {
      lost = 0;
    }

    lock.lock();
    waiting_lines_ -= lines.size();
    waiting_bytes_ -= bytes;
    dropped_ -= dropped;
    written_.notify_all();
  }
}

size_t EventLog::WriteText(std::string text) {
  const size_t begin = is_line_torn_ ? 1 : 0;
  text.insert(0, begin, '\n');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(options_.fd, text.data() + done, text.size() - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      AwaitWritable(options_.fd);
    } else if (errno != EINTR) {
      break;
    }
  }
  if (done > 0) is_line_torn_ = text[done - 1] != '\n';
  const absl::string_view left = absl::string_view(text).substr(std::max(begin, done));
  return static_cast<size_t>(std::count(left.begin(), left.end(), '\n'));
}

}  // namespace content::log
