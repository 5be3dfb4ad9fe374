#include "http/places.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace content::http {

void Places::Take() {
  std::unique_lock lock(mutex_);
  while (free_ == 0) {
    // Whose the places are is known once all connections have begun.
    if (ending_ < 0 && waiting_ == 0) EndOne();
    changed_.wait(lock);
  }
  --free_;
  ++waiting_;
}

void Places::GiveBack() {
  const std::lock_guard lock(mutex_);
  ++free_;
  --waiting_;
  changed_.notify_one();
}

void Places::Begin(int socket, std::string peer) {
  const std::lock_guard lock(mutex_);
  connections_.emplace(next_++, Connection{.socket = socket, .peer = std::move(peer)});
  --waiting_;
  changed_.notify_one();
}

void Places::End(int socket) {
  const std::lock_guard lock(mutex_);
  std::erase_if(connections_, [&](const auto& one) { return one.second.socket == socket; });
  if (ending_ == socket) ending_ = -1;
  ++free_;
  changed_.notify_one();
}

// Shuts its socket down; whoever serves it then notices that it has ended.
void Places::EndOne() {
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
