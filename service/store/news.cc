#include "store/news.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "store/rows.h"
#include "telemetry/log.h"

namespace content::store {
namespace {

// More than so many articles do not wait to be told of.
constexpr size_t kMostGathered = 10'000;
// What a busy instance has to tell costs the database this many statements and no more.
constexpr absl::Duration kStatementInterval = absl::Milliseconds(5);
constexpr std::chrono::milliseconds kReconnectPause{500};
constexpr absl::Duration kComplaintInterval = absl::Seconds(10);

// PostgreSQL takes no more in one notification.
constexpr size_t kMaxPayload = 7999;

// Nobody waits until a hint is on disk. By the name operators, and tests, know the session.
constexpr char kBegin[] = R"sql(
SET synchronous_commit = off;
SELECT set_config('application_name', current_setting('application_name') || ' news', false);
LISTEN content_articles
)sql";

// $1 payloads (array).
constexpr char kNotify[] =
    "SELECT count(pg_notify('content_articles', payload)) FROM unnest($1::text[]) AS payload";

// ---- Payloads: a line for each article ----

std::string Line(const ArticleNews& news) {
  const ArticleState& state = news.state;
  return absl::StrCat(state.revision, " ", state.comment_count, " ", state.version, " ",
                      state.article_id, " ", news.name);
}

// Nothing if it is not of this kind: others may use the channel too, or a newer version of this.
std::optional<ArticleNews> ReadLine(absl::string_view line) {
  const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ');
  ArticleNews news;
  ArticleState& state = news.state;
  if (parts.size() != 5 || !absl::SimpleAtoi(parts[0], &state.revision) ||
      !absl::SimpleAtoi(parts[1], &state.comment_count) ||
      !absl::SimpleAtoi(parts[2], &state.version) || !IsArticleId(parts[3]) ||
      !IsArticleId(parts[4])) {
    return std::nullopt;
  }
  state.article_id = std::string(parts[3]);
  news.name = std::string(parts[4]);
  return news;
}

using Gathered = std::unordered_map<std::string, ArticleNews>;  // by article

std::vector<std::string> Payloads(const Gathered& gathered) {
  std::vector<std::string> payloads;
  for (const auto& [id, news] : gathered) {
    const std::string line = Line(news);
    if (payloads.empty() || payloads.back().size() + 1 + line.size() > kMaxPayload) {
      payloads.push_back(line);
    } else {
      absl::StrAppend(&payloads.back(), "\n", line);
    }
  }
  return payloads;
}

// ---- What the thread waits for ----

// Can be rung by any thread, and waited for together with a socket.
class Bell {
 public:
  Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Bell() { close(fd_); }

  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  int fd() const { return fd_; }
  void Ring() const { eventfd_write(fd_, 1); }
  void Silence() const {
    eventfd_t count = 0;
    eventfd_read(fd_, &count);
  }

 private:
  const int fd_;
};

// A connection on which nothing waits for the database but opening it. By libpq itself: libpqxx
// waits for notifications only without being disturbed, and in every version by another interface.
class Session {
 public:
  explicit Session(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    if (PQstatus(connection_.get()) == CONNECTION_OK) {
      PQsetnonblocking(connection_.get(), 1);
      Started(PQsendQuery(connection_.get(), kBegin));
    } else {
      Fail();
    }
  }

  // Why it is of no use any more; nothing as long as it is.
  const std::optional<std::string>& failure() const { return failure_; }

  // Whether the statement before is done.
  bool is_idle() const { return !busy_; }

  // Starts a statement with one parameter.
  void Send(const char* statement, const std::string& parameter) {
    const std::array<const char*, 1> values = {parameter.c_str()};
    Started(PQsendQueryParams(connection_.get(), statement, values.size(), nullptr, values.data(),
                              nullptr, nullptr, 0));
  }

  // Waits until there is something to receive or to send, the bell rings, or the time is up.
  void Wait(const Bell& bell, absl::Duration timeout) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) return Fail();
    const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    std::array<pollfd, 2> polled = {pollfd{PQsocket(connection_.get()), events, 0},
                                    pollfd{bell.fd(), POLLIN, 0}};
    const bool forever = timeout == absl::InfiniteDuration();
    poll(polled.data(), polled.size(),
         forever ? -1 : static_cast<int>(absl::ToInt64Milliseconds(timeout)) + 1);
  }

  // Takes what has come, and gives `hear` the payloads that others sent.
  void Receive(const std::function<void(absl::string_view)>& hear) {
    if (PQconsumeInput(connection_.get()) == 0) return Fail();
    while (busy_ && PQisBusy(connection_.get()) == 0) TakeResult();
    while (const auto notification = Own(PQnotifies(connection_.get()), &PQfreemem)) {
      if (notification->be_pid != PQbackendPID(connection_.get())) hear(notification->extra);
    }
  }

 private:
  template <class T, class Free>
  static std::unique_ptr<T, Free> Own(T* pointer, Free free) {
    return {pointer, free};
  }

  void Started(int sent) {
    busy_ = true;
    if (sent == 0) Fail();
  }

  void TakeResult() {
    const auto result = Own(PQgetResult(connection_.get()), &PQclear);
    busy_ = result != nullptr;
    const ExecStatusType status = busy_ ? PQresultStatus(result.get()) : PGRES_COMMAND_OK;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) Fail();
  }

  void Fail() {
    if (!failure_) failure_ = PQerrorMessage(connection_.get());
  }

  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  bool busy_ = false;
  std::optional<std::string> failure_;
};

}  // namespace

// ---- With the other instances ----

class News::Exchange {
 public:
  Exchange(std::string url, ArticleSource::NewsSink tell)
      : url_(std::move(url)),
        tell_(std::move(tell)),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  void Gather(const std::vector<ArticleNews>& news) {
    const std::lock_guard lock(mutex_);
    if (gathered_.empty()) bell_.Ring();
    if (gathered_.size() > kMostGathered) gathered_.clear();
    for (const ArticleNews& item : news) {
      ArticleNews& latest = gathered_[item.state.article_id];
      if (latest.state.revision < item.state.revision) latest = item;
    }
  }

 private:
  void Run(const std::stop_token& stop) {
    const std::stop_callback ring(stop, [this] { bell_.Ring(); });
    absl::Time next_complaint = absl::InfinitePast();
    while (!stop.stop_requested()) {
      const std::string failure = Converse(stop);
      if (stop.stop_requested()) return;
      if (absl::Now() >= next_complaint) {
        next_complaint = absl::Now() + kComplaintInterval;
        log::Warning("news connection lost", {{"message", absl::StripAsciiWhitespace(failure)}});
      }
      std::unique_lock lock(mutex_);
      pause_.wait_for(lock, stop, kReconnectPause, [] { return false; });
    }
  }

  // Sends and listens until the connection is lost, and says why it was.
  std::string Converse(const std::stop_token& stop) {
    Session session(url_);
    absl::Time next_statement = absl::InfinitePast();
    while (!stop.stop_requested() && !session.failure()) {
      absl::Duration timeout = absl::InfiniteDuration();
      if (session.is_idle()) {
        const absl::Time now = absl::Now();
        if (now < next_statement) {
          timeout = next_statement - now;
        } else if (const Gathered news = Take(); !news.empty()) {
          session.Send(kNotify, ArrayParameter(Payloads(news)));
          next_statement = now + kStatementInterval;
        }
      }
      session.Wait(bell_, timeout);
      bell_.Silence();
      session.Receive([this](absl::string_view payload) { Hear(payload); });
    }
    return session.failure().value_or("");
  }

  Gathered Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(gathered_, {});
  }

  void Hear(absl::string_view payload) {
    for (const absl::string_view line : absl::StrSplit(payload, '\n')) {
      if (const std::optional<ArticleNews> news = ReadLine(line)) {
        tell_(*news);
      } else if (!std::exchange(complained_, true)) {
        log::Debug("notification not understood", {{"bytes", payload.size()}});
      }
    }
  }

  const std::string url_;
  const ArticleSource::NewsSink tell_;
  const Bell bell_;
  std::mutex mutex_;
  std::condition_variable_any pause_;
  Gathered gathered_;
  bool complained_ = false;  // of what is not understood; the thread's own
  std::jthread thread_;
};

News::News(const std::string& url, bool notifications) {
  if (!notifications) return;
  exchange_ = std::make_unique<Exchange>(url, [this](const ArticleNews& news) { Tell(news); });
}

News::~News() = default;

class News::Subscriber final : public Subscription {
 public:
  Subscriber(News& news, ArticleSource::NewsSink sink_) : sink(std::move(sink_)), news_(news) {
    const std::lock_guard lock(news_.mutex_);
    news_.subscribers_.push_back(this);
  }

  ~Subscriber() override {
    const std::lock_guard lock(news_.mutex_);
    std::erase(news_.subscribers_, this);
  }

  const ArticleSource::NewsSink sink;

 private:
  News& news_;
};

std::unique_ptr<Subscription> News::Subscribe(ArticleSource::NewsSink sink) {
  return std::make_unique<Subscriber>(*this, std::move(sink));
}

void News::Announce(const std::vector<ArticleNews>& news) noexcept {
  for (const ArticleNews& item : news) Tell(item);
  if (exchange_) exchange_->Gather(news);
}

void News::Tell(const ArticleNews& news) {
  const std::lock_guard lock(mutex_);
  for (const Subscriber* subscriber : subscribers_) subscriber->sink(news);
}

}  // namespace content::store
