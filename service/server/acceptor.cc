#include "server/acceptor.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include "telemetry/log.h"

namespace content::server {
namespace {

// Pause when connections wait and the system lacks what it takes to accept them, or even to close
// them.
constexpr int kRestMilliseconds = 50;

// Time for the handshakes of TCP that have begun to end: those of clients nearby.
constexpr absl::Duration kHandshakeTime = absl::Milliseconds(20);

FileDescriptor OpenSpare() { return FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

FileDescriptor MakeWakeUp() {
  FileDescriptor wake_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_up) {
    throw std::system_error(errno, std::generic_category(), "cannot make an eventfd");
  }
  return wake_up;
}

FileDescriptor AcceptFrom(int listener) {
  return FileDescriptor(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

bool IsOutOfDescriptors(int error) { return error == EMFILE || error == ENFILE; }

// Whether the same would happen again at once. Other errors belong to one connection, which is gone
// then: accept(2) lists many.
bool IsShortage(int error) {
  return IsOutOfDescriptors(error) || error == ENOBUFS || error == ENOMEM;
}

// Drops the packets with which clients begin to connect over TCP. They send them again after a
// second.
void DropNewConnections(int listener) {
  constexpr uint32_t kFlags = 13;  // their place in the header
  constexpr uint32_t kSyn = 2;
  constexpr uint32_t kWhole = UINT32_MAX;
  std::array<sock_filter, 4> program = {
      {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlags), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kSyn, 1, 0),
       BPF_STMT(BPF_RET | BPF_K, kWhole), BPF_STMT(BPF_RET | BPF_K, 0)}};
  const sock_fprog filter = {.len = program.size(), .filter = program.data()};
  setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

// Lets nobody begin to connect. Who has begun can still be accepted. (A TCP socket that is shut
// down resets those.)
void CloseToNewcomers(int listener) {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &family, &size);
  if (family == AF_UNIX) {
    shutdown(listener, SHUT_RD);
  } else {
    DropNewConnections(listener);
  }
}

}  // namespace

Acceptor::Acceptor(std::vector<FileDescriptor> listeners, TakeOver take_over,
                   metrics::Counter* refused, absl::Duration report_interval)
    : listeners_(std::move(listeners)),
      take_over_(std::move(take_over)),
      all_refused_(refused),
      report_interval_(report_interval),
      wake_up_(MakeWakeUp()),
      spare_(OpenSpare()),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Acceptor::~Acceptor() {
  thread_.request_stop();
  eventfd_write(wake_up_.number(), 1);
}

void Acceptor::Run(const std::stop_token& stop) {
  std::vector<pollfd> polled = {{.fd = wake_up_.number(), .events = POLLIN, .revents = 0}};
  for (const FileDescriptor& listener : listeners_) {
    polled.push_back({.fd = listener.number(), .events = POLLIN, .revents = 0});
  }
  while (true) {
    if (shortage_ != 0 && SteadyNow() >= next_report_) ReportShortage();
    // A rest is a wait for the wake-up alone.
    const nfds_t count = is_resting_ ? 1 : polled.size();
    const int ready = poll(polled.data(), count, Timeout());
    if (stop.stop_requested()) return AcceptTheLast();
    if (std::exchange(is_resting_, false) || ready <= 0) continue;
    for (size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents != 0) Accept(polled[i].fd);
    }
  }
}

// Accepts one connection, so that every listener gets its turn. Returns false if it took none.
bool Acceptor::Accept(int listener) {
  if (!spare_) spare_ = OpenSpare();
  if (FileDescriptor connection = AcceptFrom(listener)) {
    take_over_(std::move(connection), listener);
    return true;
  }
  const int error = errno;
  if (!IsShortage(error)) return false;
  shortage_ = error;
  if (IsOutOfDescriptors(error) && spare_) {
    TurnAway(listener);
  } else {
    is_resting_ = true;
  }
  return !is_resting_;
}

// The kernel resets connections that still wait when their listener is closed, with the calls that
// their clients have made by then.
void Acceptor::AcceptTheLast() {
  for (const FileDescriptor& listener : listeners_) CloseToNewcomers(listener.number());
  SteadyClock::System().SleepFor(kHandshakeTime, {});
  for (const FileDescriptor& listener : listeners_) {
    while (Accept(listener.number())) continue;
  }
}

// Closes one connection that waits. Other threads may be faster and take the place of the spare
// descriptor; then the connection waits for a moment.
void Acceptor::TurnAway(int listener) {
  spare_ = FileDescriptor();
  is_resting_ = !AcceptFrom(listener);
  if (!is_resting_) {
    ++refused_;
    if (all_refused_ != nullptr) all_refused_->Add();
  }
  spare_ = OpenSpare();
}

// For poll; -1: none.
int Acceptor::Timeout() const {
  if (is_resting_) return kRestMilliseconds;
  if (shortage_ == 0) return -1;
  return static_cast<int>(absl::ToInt64Milliseconds(next_report_ - SteadyNow())) + 1;
}

void Acceptor::ReportShortage() {
  log::Warning("connections refused", {{"reason", strerrordesc_np(std::exchange(shortage_, 0))},
                                       {"count", std::exchange(refused_, 0)}});
  next_report_ = SteadyNow() + report_interval_;
}

}  // namespace content::server
