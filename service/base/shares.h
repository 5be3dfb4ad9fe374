#pragma once

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "base/call.h"

namespace content {

/// Divides places among accounts. An account may hold as many places as are free. So one that is
/// alone gets half of them, two greedy ones get a third each, and the next one always finds some.
/// The server's own work may take all of them. Not thread-safe.
class Shares {
 public:
  explicit Shares(size_t limit) : limit_(limit) {}

  /// Returns the number of places that are taken. May exceed the limit.
  size_t taken() const { return taken_; }

  bool is_full() const { return taken_ >= limit_; }

  /// Returns whether the account may take a place.
  bool HasRoom(Account account) const {
    if (is_full()) return false;
    const auto held = held_.find(account);
    return account == kOwnWork || held == held_.end() || held->second < limit_ - taken_;
  }

  /// Takes a place, even if there is no room.
  void Take(Account account) {
    ++taken_;
    ++held_[account];
  }

  /// Gives back a place that the account has taken.
  void GiveBack(Account account) {
    --taken_;
    const auto held = held_.find(account);
    if (--held->second == 0) held_.erase(held);
  }

 private:
  const size_t limit_;
  size_t taken_ = 0;
  absl::flat_hash_map<Account, size_t> held_;  // none is 0
};

}  // namespace content
