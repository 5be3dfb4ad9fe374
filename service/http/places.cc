#include "http/places.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace content::http {

void Places::Take() {
  std::unique_lock lock(mutex_);
  while (free_ == 0) {
    if (ending_ < 0) EndOne();
    changed_.wait(lock);
  }
  --free_;
}

void Places::GiveBack() {
  const std::lock_guard lock(mutex_);
  ++free_;
  changed_.notify_one();
}

void Places::Begin(int socket, std::string peer) {
  const std::lock_guard lock(mutex_);
  connections_.emplace(next_++, Connection{.socket = socket, .peer = std::move(peer)});
  changed_.notify_one();
}

void Places::End(int socket) {
  const std::lock_guard lock(mutex_);
  std::erase_if(connections_, [&](const auto& one) { return one.second.socket == socket; });
  if (ending_ == socket) ending_ = -1;
  ++free_;
  changed_.notify_one();
}

// Shuts its socket down; whoever serves it then notices that it has ended. If no connection has
// begun, waiting for the next one to begin is all that can be done.
void Places::EndOne() {
  if (connections_.empty()) return;
  std::map<std::string, size_t> counts;
  for (const auto& [_, connection] : connections_) ++counts[connection.peer];
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto oldest = std::find_if(connections_.begin(), connections_.end(), [&](const auto& one) {
    return counts[one.second.peer] == most->second;
  });
  ending_ = oldest->second.socket;
  shutdown(ending_, SHUT_RDWR);
}

}  // namespace content::http
