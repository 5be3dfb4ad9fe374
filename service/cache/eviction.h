#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Decides what to evict when the memory limit is reached.
namespace content::cache {

/// An item that can be evicted. The queues are linked through the items themselves.
class Evictable {
 public:
  /// Notes that the item was read.
  void Use() {
    if (uses_ < kMaxUses) ++uses_;
  }

  bool pinned() const { return pinned_; }

 private:
  friend class Eviction;
  enum class Queue : uint8_t { kSmall, kMain };

  static constexpr uint8_t kMaxUses = 3;

  Evictable* newer_ = nullptr;
  Evictable* older_ = nullptr;
  uint32_t bytes_ = 0;
  uint32_t hash_ = 0;
  uint8_t uses_ = 0;
  Queue queue_ = Queue::kSmall;
  bool pinned_ = false;
};

/// Hashes of the items that were recently evicted from the small queue.
class Ghosts {
 public:
  /// A hash is forgotten once `window` more bytes have been evicted.
  explicit Ghosts(size_t window);

  void Add(uint32_t hash, size_t bytes);

  bool Has(uint32_t hash) const;

  /// Returns the memory used, in bytes.
  size_t memory() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    uint32_t hash = kNone;
    uint32_t time = 0;
  };

  static constexpr uint32_t kNone = 0;
  static constexpr ptrdiff_t kWays = 4;

  // Index of the first slot of a hash's bucket.
  ptrdiff_t BucketOf(uint32_t hash) const;
  uint32_t Age(const Slot& slot) const;

  const size_t window_;
  // The clock: number of bytes that have been added so far.
  size_t added_ = 0;
  // Buckets of kWays slots. A hash takes one slot of its bucket, replacing the oldest.
  std::vector<Slot> slots_;
};

/// S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), by bytes.
///
/// A new item enters a small queue, which has a tenth of the memory. If it was read at least twice
/// more by the time it reaches the end, it moves to the main queue; otherwise it is evicted. So
/// items that are read once pass through without evicting items that are read often. The hashes of
/// evicted items are remembered for a while; an item that comes back in that time enters the main
/// queue at once. An item that reaches the end of the main queue starts over if it was read since,
/// and is evicted otherwise.
///
/// A read changes only a counter in the item. Not thread-safe.
class Eviction {
 public:
  /// `limit` is the number of bytes to which the caller will limit the items; it sets the size of
  /// the small queue. Nothing is evicted unless the caller calls Evict.
  explicit Eviction(size_t limit);

  /// Adds an item, which must not move until it is evicted or removed. `hash` is the hash of its
  /// key, the same each time.
  void Add(Evictable& item, size_t bytes, size_t hash);
  void Remove(Evictable& item);

  /// Changes the size of an item.
  void Resize(Evictable& item, size_t bytes);

  /// Keeps an item from being evicted until it is unpinned; it is then the newest item of its
  /// queue.
  void Pin(Evictable& item);
  void Unpin(Evictable& item);

  /// Removes and returns the item to evict next; nullptr if all items are pinned.
  Evictable* Evict();

  /// Returns the size of all items in bytes.
  size_t bytes() const { return small_.bytes + main_.bytes + pinned_.bytes; }

  /// Returns the memory used by the bookkeeping itself, in bytes.
  size_t memory() const { return ghosts_.memory(); }

 private:
  struct List {
    Evictable* newest = nullptr;
    Evictable* oldest = nullptr;
    size_t bytes = 0;
  };

  List& ListOf(const Evictable& item);
  void Append(Evictable& item);
  Evictable* FromSmall();
  Evictable* FromMain();

  const size_t small_share_;
  List small_;
  List main_;
  List pinned_;
  Ghosts ghosts_;
};

}  // namespace content::cache
