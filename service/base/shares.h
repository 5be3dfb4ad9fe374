#pragma once

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "base/call.h"

namespace content {

/// Divides places among accounts. An account may take one while it holds fewer than are free: one
/// that is alone gets half of them, and two greedy ones get a third each in time. The accounts of
/// one origin (OriginOf), however many, may together take one while they hold fewer than seven
/// times as many as are free: seven eighths, if it is alone.
///
/// Nothing is taken back. So many greedy accounts of many origins may hold all places for a while,
/// and the next one finds none. What they give back then goes to those that hold less. The server's
/// own work may take all places. Not thread-safe.
class Shares {
 public:
  explicit Shares(size_t limit) : limit_(limit) {}

  /// Returns the number of places that are taken. May exceed the limit.
  size_t taken() const { return taken_; }

  bool is_full() const { return taken_ >= limit_; }

  /// Returns whether the account may take a place.
  bool HasRoom(Account account) const {
    if (is_full()) return false;
    const size_t free = limit_ - taken_;
    return account == kOwnWork ||
           (HeldBy(account) < free && HeldBy(OriginOf(account)) < kOfOrigin * free);
  }

  /// Takes a place, even if there is no room.
  void Take(Account account) {
    ++taken_;
    ++held_[account];
    if (const Account origin = OriginOf(account); origin != account) ++held_[origin];
  }

  /// Gives back a place that the account has taken.
  void GiveBack(Account account) {
    --taken_;
    Decrement(account);
    if (const Account origin = OriginOf(account); origin != account) Decrement(origin);
  }

 private:
  static constexpr size_t kOfOrigin = 7;

  size_t HeldBy(Account account) const {
    const auto held = held_.find(account);
    return held == held_.end() ? 0 : held->second;
  }

  void Decrement(Account account) {
    const auto held = held_.find(account);
    if (--held->second == 0) held_.erase(held);
  }

  const size_t limit_;
  size_t taken_ = 0;
  absl::flat_hash_map<Account, size_t> held_;  // by accounts and by origins; none is 0
};

}  // namespace content
