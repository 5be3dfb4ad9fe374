#include "support/contentd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "support/other_contentd.h"

extern char** environ;

namespace content::testing {
namespace {

// The program to start.
std::string program = CONTENTD;

struct Pipe {
  Pipe() { EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0); }
  std::array<int, 2> ends{};
};

// Many servers run at the same time.
constexpr char kFreeHttpPort[] = "CONTENT_HTTP_LISTEN=127.0.0.1:0";

std::string AddressIn(const std::string& event) {
  const auto line = nlohmann::json::parse(event, nullptr, false);
  return line.is_object() ? line["address"] : "";
}

// Adds this process's environment, except for variables that would change the settings of the new
// process.
void AddEnvironment(std::vector<char*>& environment) {
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const bool is_setting =
        absl::StartsWith(*variable, "CONTENT_") || absl::StartsWith(*variable, "PG");
    if (!is_setting) environment.push_back(*variable);
  }
}

int Spawn(std::vector<std::string> arguments, std::vector<std::string> environment, int out,
          int err) {
  arguments.insert(arguments.begin(), {"/usr/bin/setpriv", "--pdeathsig", "KILL", "--", program});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  environment.emplace_back(kFreeHttpPort);  // a value that was given comes first, and holds
  std::vector<char*> env;
  for (std::string& variable : environment) env.push_back(variable.data());
  AddEnvironment(env);
  env.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  int pid = -1;
  EXPECT_EQ(posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), env.data()), 0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int WaitFor(int pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// Appends the available data. Returns false at the end of the stream.
bool ReadSome(int fd, std::string& text) {
  std::array<char, 4096> buffer{};
  const ssize_t count = read(fd, buffer.data(), buffer.size());
  if (count > 0) text.append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

// Reads both streams to their ends concurrently, so that neither fills up while the other is read.
void ReadBoth(int out_fd, std::string& out, int err_fd, std::string& err) {
  std::array<pollfd, 2> polled = {pollfd{out_fd, POLLIN, 0}, pollfd{err_fd, POLLIN, 0}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0 && !ReadSome(out_fd, out)) polled[0].fd = -1;
    if (polled[1].revents != 0 && !ReadSome(err_fd, err)) polled[1].fd = -1;
  }
}

}  // namespace

OtherContentd::OtherContentd(const std::string& path) { program = path; }

OtherContentd::~OtherContentd() { program = CONTENTD; }

Finished RunContentd(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& environment,
                     const std::function<void(const Running&)>& on_start) {
  const Pipe out;
  const Pipe err;
  const int pid = Spawn(arguments, environment, out.ends[1], err.ends[1]);
  close(out.ends[1]);
  close(err.ends[1]);
  Finished finished{};
  on_start({.pid = pid, .await_message = [&](absl::string_view text) {
              while (!absl::StrContains(finished.err, text) &&
                     ReadSome(err.ends[0], finished.err)) {
              }
            }});
  ReadBoth(out.ends[0], finished.out, err.ends[0], finished.err);
  close(out.ends[0]);
  close(err.ends[0]);
  finished.status = WaitFor(pid);
  return finished;
}

// The log is a socket, because a pipe cannot be hung up while somebody reads it.
ContentdServer::ContentdServer(std::vector<std::string> arguments,
                               std::vector<std::string> environment, Until until) {
  for (const auto& [flag, value] : std::map<std::string, std::string>{
           {"--listen", "127.0.0.1:0"}, {"--log-format", "json"}, {"--drain-delay", "0s"}}) {
    const bool is_given = std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
    if (!is_given) arguments.insert(arguments.end(), {flag, value});
  }
  arguments.insert(arguments.begin(), "serve");
  std::array<int, 2> log{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, log.data()), 0);
  const int least = 1;  // The kernel takes its minimum.
  setsockopt(log[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  pid_ = Spawn(std::move(arguments), std::move(environment), -1, log[1]);
  close(log[1]);
  log_ = log[0];
  stop_reading_ = eventfd(0, EFD_CLOEXEC);
  reader_ = std::jthread([this] { ReadLog(); });
  if (until == Until::kStarted) return;
  http_address_ = AddressIn(WaitForEvent("serving http"));
  address_ = AddressIn(WaitForEvent("serving"));
}

ContentdServer::~ContentdServer() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    WaitFor(pid_);
  }
  HangUp();
  StopReadingLog();
  close(stop_reading_);
  close(log_);
}

void ContentdServer::Signal(int signal) const {
  ASSERT_GT(pid_, 0) << "contentd does not run";
  kill(pid_, signal);
}

int ContentdServer::Wait() {
  const int status = WaitFor(pid_);
  pid_ = -1;
  return status;
}

std::string ContentdServer::WaitForEvent(const std::string& event) {
  std::string seen;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return log_has_ended_ || absl::StrContains(unread_, '\n'); });
    const size_t end = unread_.find('\n');
    if (end == std::string::npos) {
      ADD_FAILURE() << "contentd ended without the event \"" << event << "\":\n" << seen << unread_;
      return "";
    }
    const std::string line = unread_.substr(0, end);
    unread_.erase(0, end + 1);
    seen += line + "\n";
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.value("event", "") == event) return line;
  }
}

void ContentdServer::HangUp() const { shutdown(log_, SHUT_RDWR); }

void ContentdServer::StopReadingLog() {
  eventfd_write(stop_reading_, 1);
  if (reader_.joinable()) reader_.join();
}

void ContentdServer::ReadLog() {
  std::array<pollfd, 2> polled = {pollfd{log_, POLLIN, 0}, pollfd{stop_reading_, POLLIN, 0}};
  std::string text;
  while (poll(polled.data(), polled.size(), -1) > 0 && polled[1].revents == 0 &&
         ReadSome(log_, text)) {
    const std::lock_guard lock(mutex_);
    unread_ += std::exchange(text, "");
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  log_has_ended_ = true;
  changed_.notify_all();
}

}  // namespace content::testing
