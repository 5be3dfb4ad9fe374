#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/call.h"

namespace content::postgres {

/// A queue in which accounts take turns: each that waits has one item taken in each round. An item
/// comes after those of its account that wait, and at the earliest in the next round. So an account
/// that was away has saved nothing up, and one that comes back at once gains nothing. With a single
/// account the order is that of arrival. Items that are taken out of turn count for their account,
/// until nothing waits.
///
/// Adding an item takes logarithmic time and an allocation. Not thread-safe.
template <class T>
class FairQueue {
  using Round = uint64_t;
  using Items = std::multimap<Round, T>;  // in order of arrival within a round

 public:
  /// Stays valid until its item is taken.
  using iterator = typename Items::iterator;

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }

  /// The items in the order in which they are to be taken, each as `second` of a pair.
  iterator begin() { return items_.begin(); }
  iterator end() { return items_.end(); }

  /// The next item. There must be one.
  const T& front() const { return items_.begin()->second; }

  iterator Add(Account account, T item) {
    return items_.emplace(TakeTurn(account), std::move(item));
  }

  /// Returns whether an item that `one` adds would come before one that `other` adds.
  bool IsBefore(Account one, Account other) const { return NextOf(one) < NextOf(other); }

  /// Moves an item to where it would be if the account added it, if that is nearer. Returns it.
  iterator Hasten(iterator item, Account account) {
    if (NextOf(account) >= item->first) return item;
    auto node = items_.extract(item);
    node.key() = TakeTurn(account);
    return items_.insert(std::move(node));
  }

  /// Puts an item that was taken in front of all others.
  void PutBack(T item) { items_.emplace_hint(items_.begin(), kPast, std::move(item)); }

  /// Removes the next item, of which there must be one.
  T Take() { return Take(items_.begin()); }

  /// Removes any item.
  T Take(iterator item) {
    // The round of an item further back has not come: those before it still wait.
    if (item == items_.begin()) now_ = std::max(now_, item->first);
    auto node = items_.extract(item);
    if (items_.empty()) last_.clear();
    return std::move(node.mapped());
  }

  std::vector<T> TakeAll() {
    std::vector<T> all;
    all.reserve(size());
    while (!empty()) all.push_back(Take());
    return all;
  }

 private:
  static constexpr Round kPast = 0;
  static constexpr size_t kMinForgetAt = 64;

  // Returns the round of the next item that the account adds.
  Round NextOf(Account account) const {
    const auto last = last_.find(account);
    return std::max(last == last_.end() ? kPast : last->second, now_) + 1;
  }

  Round TakeTurn(Account account) {
    if (last_.size() >= forget_at_) Forget();
    return last_[account] = NextOf(account);
  }

  // Removes the accounts whose next item may come in the next round anyway.
  void Forget() {
    absl::erase_if(last_, [this](const auto& entry) { return entry.second <= now_; });
    forget_at_ = std::max(kMinForgetAt, 2 * last_.size());
  }

  Items items_;
  Round now_ = 0;                             // the latest of which the first item was taken
  absl::flat_hash_map<Account, Round> last_;  // of the account's last item
  size_t forget_at_ = kMinForgetAt;
};

}  // namespace content::postgres
