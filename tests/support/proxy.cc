#include "support/proxy.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "support/database.h"

namespace content::testing {
namespace {

class Socket {
 public:
  Socket() : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {}
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_un Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

// Returns the value of a keyword in a connection string.
std::string ValueOf(const std::string& url, absl::string_view keyword) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->keyword == keyword && option->val != nullptr) return option->val;
  }
  return "";
}

// Returns the available data; empty at the end of the stream.
std::string Take(int from) {
  std::array<char, 65536> buffer{};
  const ssize_t length = read(from, buffer.data(), buffer.size());
  return std::string(buffer.data(), length > 0 ? static_cast<size_t>(length) : 0);
}

void Give(int to, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t length = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (length <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(length));
  }
}

}  // namespace

class Proxy::Impl {
 public:
  explicit Impl(const std::string& url) {
    static std::atomic<int> count = 0;
    const std::string directory = absl::StrCat(ScratchDirectory(), "/proxy-", ++count);
    mkdir(directory.c_str(), 0755);
    const std::string port = ValueOf(url, "port").empty() ? "5432" : ValueOf(url, "port");
    const std::string name = absl::StrCat("/.s.PGSQL.", port);
    database_ = Address(ValueOf(url, "host") + name);
    url_ = absl::StrCat("host=", directory, " port=", port, " dbname=", ValueOf(url, "dbname"),
                        " user=", ValueOf(url, "user"));
    const sockaddr_un own = Address(directory + name);
    EXPECT_EQ(bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0);
    EXPECT_EQ(listen(listener_.fd(), SOMAXCONN), 0);
    acceptor_ = std::jthread([this] { Accept(); });
  }

  ~Impl() {
    Close();
    acceptor_.join();
  }

  const std::string& url() const { return url_; }

  void Plan(Cut cut, std::function<void()> meanwhile) {
    const std::lock_guard lock(mutex_);
    plan_ = {cut, std::move(meanwhile)};
  }

  void Close() { shutdown(listener_.fd(), SHUT_RDWR); }

 private:
  using Planned = std::pair<Cut, std::function<void()>>;

  void Accept() {
    while (true) {
      Socket client(accept(listener_.fd(), nullptr, nullptr));
      if (client.fd() < 0) return;
      relays_.emplace_back(
          [this, client = std::make_shared<Socket>(std::move(client))] { Relay(client->fd()); });
    }
  }

  void Relay(int client) {
    const Socket server;
    if (connect(server.fd(), reinterpret_cast<const sockaddr*>(&database_), sizeof(database_)) !=
        0) {
      return;
    }
    while (RelayOnce(client, server.fd())) {
    }
    shutdown(client, SHUT_RDWR);
  }

  // Returns false at the end of the connection.
  bool RelayOnce(int client, int server) {
    std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    poll(ends.data(), ends.size(), -1);
    if (ends[1].revents != 0) {
      const std::string answer = Take(server);
      Give(client, answer);
      return !answer.empty();
    }
    const std::string request = Take(client);
    if (absl::StrContains(request, "COMMIT")) {
      if (const std::optional<Planned> plan = TakePlan()) {
        if (plan->first == Cut::kAfterCommit) {
          Give(server, request);
          Take(server);  // the answer comes when it is done
        } else {
          shutdown(server, SHUT_RDWR);
        }
        if (plan->second) plan->second();
        return false;
      }
    }
    Give(server, request);
    return !request.empty();
  }

  std::optional<Planned> TakePlan() {
    const std::lock_guard lock(mutex_);
    return std::exchange(plan_, std::nullopt);
  }

  std::string url_;
  sockaddr_un database_{};
  Socket listener_;
  std::mutex mutex_;
  std::optional<Planned> plan_;
  std::vector<std::jthread> relays_;  // used by the acceptor, and after its end
  std::jthread acceptor_;
};

Proxy::Proxy(const std::string& url) : impl_(std::make_unique<Impl>(url)) {}

Proxy::~Proxy() = default;

const std::string& Proxy::url() const { return impl_->url(); }

void Proxy::CutNextCommit(Cut cut, std::function<void()> meanwhile) {
  impl_->Plan(cut, std::move(meanwhile));
}

void Proxy::Close() { impl_->Close(); }

}  // namespace content::testing
