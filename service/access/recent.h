#pragma once

#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace content::access {

/// A map that forgets what has not been used recently, so that it stays small whoever fills it. It
/// remembers at least the last `capacity` keys that were used, and at most twice as many. Not
/// thread-safe.
template <class Key, class Value>
class Recent {
 public:
  explicit Recent(size_t capacity) : capacity_(capacity) {}

  /// Returns the value of a key, which stays in place until the next call; nullptr if it is not
  /// remembered.
  Value* Find(const Key& key) {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second;
    const auto found = old_.find(key);
    if (found == old_.end()) return nullptr;
    Value value = std::move(found->second);
    old_.erase(found);
    return &Insert(key, std::move(value));
  }

  /// Adds a key that Find has not found.
  Value& Insert(const Key& key, Value value) {
    if (young_.size() >= capacity_) {
      old_ = std::move(young_);
      young_.clear();
    }
    return young_.insert_or_assign(key, std::move(value)).first->second;
  }

 private:
  const size_t capacity_;
  // Whatever is used moves to the young. When these are many, they become the old, and what was
  // still old has not been used for long.
  absl::flat_hash_map<Key, Value> young_;
  absl::flat_hash_map<Key, Value> old_;
};

}  // namespace content::access
