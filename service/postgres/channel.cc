#include "postgres/channel.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "postgres/bulk.h"
#include "postgres/connect.h"
#include "postgres/connect_error.h"
#include "postgres/server_error.h"
#include "postgres/session.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

// A busy sender costs the database at most one statement per interval.
constexpr absl::Duration kStatementInterval = absl::Milliseconds(5);
constexpr absl::Duration kReconnectDelay = absl::Milliseconds(500);
// After a connection that has reached its lifetime could not be replaced.
constexpr absl::Duration kRenewalDelay = absl::Minutes(1);
// For a new session to listen, once it is connected.
constexpr absl::Duration kListenTimeout = absl::Seconds(5);
constexpr absl::Duration kFailureLogInterval = absl::Seconds(10);

// An eventfd: any thread can signal it, and one thread polls it together with a socket.
class WakeupFd {
 public:
  WakeupFd() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an eventfd");
  }
  ~WakeupFd() { close(fd_); }

  WakeupFd(const WakeupFd&) = delete;
  WakeupFd& operator=(const WakeupFd&) = delete;

  int fd() const { return fd_; }
  void Signal() const { eventfd_write(fd_, 1); }
  void Clear() const {
    eventfd_t count = 0;
    eventfd_read(fd_, &count);
  }

 private:
  const int fd_;
};

// A connection on which only opening blocks. It uses libpq directly: libpqxx's wait for
// notifications cannot be interrupted, and its interface differs from version to version.
class Session {
 public:
  Session(KnownDatabase& database, const std::string& dsn, const std::string& session_setup)
      : database_(database) {
    try {
      connection_ = OpenRawConnection(dsn);
    } catch (const ConnectError& error) {
      failure_ = error.what();
      return;
    }
    PQsetnonblocking(connection_.get(), 1);
    Started(PQsendQuery(connection_.get(), session_setup.c_str()));
  }

  // Why the session is unusable, without parts of the connection string; nullopt while it works.
  const std::optional<std::string>& failure() const { return failure_; }

  // Whether the server is the one to use.
  bool is_admitted() const { return id_.has_value(); }

  // Whether it receives what is sent from now on.
  bool is_listening() const { return is_admitted() && is_idle() && !failure_; }

  // Whether the previous statement has completed.
  bool is_idle() const { return !busy_; }

  // Starts a statement with one parameter.
  void Send(const char* statement, const std::string& parameter) {
    const std::array<const char*, 1> values = {parameter.c_str()};
    Started(PQsendQueryParams(connection_.get(), statement, values.size(), nullptr, values.data(),
                              nullptr, nullptr, 0));
  }

  // Blocks until there is something to receive or to send, `wakeup` is signalled, or `timeout` has
  // passed.
  void Wait(const WakeupFd& wakeup, absl::Duration timeout) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) return Fail();
    const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    std::array<pollfd, 2> polled = {pollfd{PQsocket(connection_.get()), events, 0},
                                    pollfd{wakeup.fd(), POLLIN, 0}};
    const bool forever = timeout == absl::InfiniteDuration();
    poll(polled.data(), polled.size(),
         forever ? -1 : static_cast<int>(absl::ToInt64Milliseconds(timeout)) + 1);
  }

  // Receives what has arrived. Payloads wait for Deliver.
  void Receive() {
    if (PQconsumeInput(connection_.get()) == 0) return Fail();
    while (busy_ && PQisBusy(connection_.get()) == 0) TakeResult();
    if (id_ && database_.IsOutdated(*id_)) failure_ = "the database has failed over";
  }

  // Calls `on_payload` for each payload that was received.
  void Deliver(const Channel::OnPayload& on_payload) {
    if (failure_ || !id_) return;
    while (const auto notification = Own(PQnotifies(connection_.get()), &PQfreemem)) {
      on_payload(notification->extra, *id_);
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
    if (PQfnumber(result.get(), "timeline") >= 0) Admit(*result);
  }

  void Admit(const PGresult& result) {
    const auto value = [&result](const char* column) {
      return PQgetvalue(&result, 0, PQfnumber(&result, column));
    };
    try {
      const DatabaseId id = ReadDatabaseId(value("system_identifier"), value("timeline"));
      database_.Admit(id, PQhost(connection_.get()), PQport(connection_.get()));
      id_ = id;
    } catch (const ConnectError& error) {
      failure_ = error.what();
    }
  }

  void Fail() {
    if (failure_) return;
    const std::optional<ServerError> error = FindServerError(PQerrorMessage(connection_.get()));
    failure_ = error ? error->message : "the connection broke";
  }

  KnownDatabase& database_;
  RawConnection connection_;      // nullptr if it could not be opened
  std::optional<DatabaseId> id_;  // nullopt until it is admitted
  bool busy_ = false;
  std::optional<std::string> failure_;
};

// Opens a session on a thread of its own, until it listens.
class Opening {
 public:
  // `open` returns the session. `done` is signalled at the end; `stopped` is for this object alone.
  // Both must outlive it.
  Opening(std::function<std::unique_ptr<Session>()> open, const WakeupFd& done,
          const WakeupFd& stopped)
      : thread_([this, open = std::move(open), &done, &stopped](const std::stop_token& stop) {
          session_ = open();
          AwaitListening(stop, stopped);
          is_done_ = true;
          done.Signal();
        }) {}

  bool is_done() const { return is_done_; }

  // Returns the session, which may have failed, or not listen yet. Call it once it is done.
  std::unique_ptr<Session> TakeSession() { return std::move(session_); }

 private:
  void AwaitListening(const std::stop_token& stop, const WakeupFd& stopped) {
    stopped.Clear();
    const std::stop_callback wake(stop, [&stopped] { stopped.Signal(); });
    const SteadyTime deadline = SteadyNow() + kListenTimeout;
    while (!session_->failure() && !session_->is_listening() && !stop.stop_requested() &&
           SteadyNow() < deadline) {
      session_->Wait(stopped, deadline - SteadyNow());
      session_->Receive();
    }
  }

  std::unique_ptr<Session> session_;  // of the thread until is_done_
  std::atomic<bool> is_done_ = false;
  std::jthread thread_;  // Last: it uses the other members.
};

// Operators and tests recognise the session by its application name.
std::string SessionSetup(const std::string& name) {
  return absl::StrCat(kSessionSettings,
                      "; SELECT set_config('application_name', "
                      "current_setting('application_name') || ' notifications', false); LISTEN ",
                      name);
}

// $1 payloads (array). Notifications are hints, so this transaction does not wait for the disk or a
// standby. The setting ends with it: behind a pooler, others may get the connection.
std::string NotifyStatement(const std::string& name) {
  return absl::StrCat("SELECT set_config('synchronous_commit', 'off', true), count(pg_notify('",
                      name, "', payload)) FROM unnest($1::text[]) AS payload");
}

std::string ToArray(const std::vector<std::string>& payloads) {
  std::string array;
  for (const std::string& payload : payloads) AppendToArray(payload, array);
  return absl::StrCat(array, "}");
}

}  // namespace

class Channel::Worker {
 public:
  Worker(std::shared_ptr<KnownDatabase> database, const std::string& name, absl::Duration lifetime,
         TakePayloads take_payloads, OnPayload on_payload)
      : database_(std::move(database)),
        lifetime_(lifetime),
        session_setup_(SessionSetup(name)),
        notify_statement_(NotifyStatement(name)),
        take_payloads_(std::move(take_payloads)),
        on_payload_(std::move(on_payload)),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  void Wake() const { wakeup_.Signal(); }

 private:
  void Run(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { Wake(); });
    SteadyTime next_log = SteadyTime::InfinitePast();
    while (!stop.stop_requested()) {
      const std::string failure = UseSession(stop);
      if (stop.stop_requested()) return;
      if (SteadyNow() >= next_log) {
        next_log = SteadyNow() + kFailureLogInterval;
        log::Warning("notification connection lost", {{"message", failure}});
      }
      SteadyClock::System().SleepFor(kReconnectDelay, stop);
    }
  }

  // Sends and listens until the session fails or `stop` is requested. Returns why it failed.
  std::string UseSession(const std::stop_token& stop) {
    std::unique_ptr<Session> session = NewSession();
    std::optional<Opening> successor;
    SteadyTime renew_at = SteadyNow() + lifetime_;
    SteadyTime next_statement = SteadyTime::InfinitePast();
    while (!stop.stop_requested() && !session->failure()) {
      if (SteadyNow() >= renew_at) {
        renew_at =
            BeginOpening(successor) ? SteadyTime::InfiniteFuture() : SteadyNow() + kRenewalDelay;
      }
      if (successor && successor->is_done() && session->is_idle()) {
        const bool is_renewed = Replace(session, successor->TakeSession());
        successor.reset();
        renew_at = SteadyNow() + (is_renewed ? lifetime_ : kRenewalDelay);
      }
      absl::Duration timeout = renew_at - SteadyNow();
      if (session->is_idle()) {
        const SteadyTime now = SteadyNow();
        if (now < next_statement) {
          timeout = std::min(timeout, next_statement - now);
        } else if (const std::vector<std::string> payloads = take_payloads_(); !payloads.empty()) {
          session->Send(notify_statement_.c_str(), ToArray(payloads));
          next_statement = now + kStatementInterval;
        }
      }
      session->Wait(wakeup_, timeout);
      wakeup_.Clear();
      session->Receive();
      session->Deliver(on_payload_);
    }
    successor.reset();  // It uses refused_count_.
    refused_count_ = session->is_admitted() ? 0 : refused_count_ + 1;
    return session->failure().value_or("");
  }

  std::unique_ptr<Session> NewSession() {
    const std::vector<std::string> dsns = database_->Dsns();
    return std::make_unique<Session>(*database_, dsns[refused_count_ % dsns.size()],
                                     session_setup_);
  }

  // Returns whether it has begun: the system may have no thread left for it.
  bool BeginOpening(std::optional<Opening>& successor) {
    try {
      successor.emplace([this] { return NewSession(); }, wakeup_, opening_stopped_);
      return true;
    } catch (const std::system_error& error) {
      WarnNotRenewed(error.code().message());
      return false;
    }
  }

  static void WarnNotRenewed(const std::string& message) {
    log::Warning("database connection not renewed",
                 {{"pool", "notifications"}, {"message", message}});
  }

  // Replaces a session that has no statement under way by `next`, unless that does not listen.
  bool Replace(std::unique_ptr<Session>& session, std::unique_ptr<Session> next) const {
    if (!next->is_listening()) {
      WarnNotRenewed(next->failure().value_or("it does not answer in time"));
      return false;
    }
    session->Receive();  // what came before the new one listened
    session->Deliver(on_payload_);
    session = std::move(next);
    session->Deliver(on_payload_);  // Nothing more may come to wake this thread.
    return true;
  }

  const std::shared_ptr<KnownDatabase> database_;
  const absl::Duration lifetime_;
  // Number of sessions since the last one that was admitted. The next one begins with another host.
  size_t refused_count_ = 0;
  const std::string session_setup_;
  const std::string notify_statement_;
  const TakePayloads take_payloads_;
  const OnPayload on_payload_;
  const WakeupFd wakeup_;
  const WakeupFd opening_stopped_;  // Made once: a moment without descriptors does no harm.
  std::jthread thread_;             // Last: it uses the other members.
};

Channel::Channel(std::shared_ptr<KnownDatabase> database, const std::string& name,
                 absl::Duration lifetime, TakePayloads take_payloads, OnPayload on_payload)
    : worker_(std::make_unique<Worker>(std::move(database), name, lifetime,
                                       std::move(take_payloads), std::move(on_payload))) {}

Channel::~Channel() = default;

void Channel::Wake() { worker_->Wake(); }

}  // namespace content::postgres
