#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "support/database.h"

namespace content::postgres {

// The directory of a database's socket, in whose place it can put one that answers nobody.
class Detour {
 public:
  explicit Detour(const std::string& url)
      : url_(absl::StrCat(url, " host=", link_, " connect_timeout=60")),
        socket_name_(absl::StrCat("/.s.PGSQL.", testing::Query(url, "SHOW port"))) {
    std::filesystem::remove_all(silent_);
    std::filesystem::create_directory(silent_);
    LeadTo(
        testing::Query(url, "SELECT trim('\"' FROM current_setting('unix_socket_directories'))"));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    (silent_ + socket_name_).copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, /*backlog=*/10), 0);
  }
  ~Detour() { close(listener_); }

  Detour(const Detour&) = delete;
  Detour& operator=(const Detour&) = delete;

  // Of the same database.
  const std::string& url() const { return url_; }

  // From now on, connections are not answered.
  void Begin() const { LeadTo(silent_); }

  // Waits for a connection.
  int Accept() const { return accept(listener_, nullptr, nullptr); }

  // Whether there is another one.
  bool HasNext() const {
    pollfd polled{.fd = listener_, .events = POLLIN, .revents = 0};
    return poll(&polled, 1, /*timeout=*/0) > 0;
  }

 private:
  void LeadTo(const std::string& target) const {
    std::filesystem::remove(link_);
    std::filesystem::create_directory_symlink(target, link_);
  }

  const std::string silent_ = testing::ScratchDirectory() + "/silent";
  const std::string link_ = testing::ScratchDirectory() + "/detour";
  const std::string url_;
  const std::string socket_name_;
  const int listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// Whether whoever has opened the connection still waits.
inline bool Waits(int connection) {
  char buffer[1024];
  ssize_t count = 0;
  do {
    count = recv(connection, buffer, sizeof buffer, MSG_DONTWAIT);
  } while (count > 0);
  return count < 0 && errno == EAGAIN;
}

}  // namespace content::postgres
