#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Decides what goes when there is no room for everything.
namespace content::cache {

/// Something that can be evicted. The queues are linked through the items themselves.
class Evictable {
 public:
  /// Notes that it was read.
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

/// Hashes of what was evicted from the small queue recently.
class Ghosts {
 public:
  /// `window`: a hash is forgotten after this many bytes have been evicted since.
  explicit Ghosts(size_t window);

  void Add(uint32_t hash, size_t bytes);

  bool Has(uint32_t hash) const;

  /// Bytes of memory that it takes.
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
  // Buckets of kWays slots. A hash is in one slot of its bucket; the oldest in the bucket makes
  // room.
  std::vector<Slot> slots_;
};

/// S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), by bytes.
///
/// A new item enters a small queue, a tenth of all. If it has been read at least twice more when it
/// reaches the end, it moves on to the main queue; otherwise it is evicted. So items that are read
/// once pass through without pushing out items that are read often. The hashes of evicted items are
/// remembered for a while; if such an item comes back it enters the main queue at once. An item at
/// the end of the main queue starts over if it was read since, and is evicted otherwise.
///
/// A read changes nothing but a counter in the item. Not thread-safe.
class Eviction {
 public:
  /// `limit`: number of bytes that the caller will let the items have. It sets the share of the
  /// small queue. Nothing is evicted unless the caller calls Evict.
  explicit Eviction(size_t limit);

  /// `item` must not move until it is evicted or removed. `hash`: of its key, the same each time.
  void Add(Evictable& item, size_t bytes, size_t hash);
  void Remove(Evictable& item);

  /// Changes the size of an item.
  void Resize(Evictable& item, size_t bytes);

  /// Keeps an item from being evicted until it is unpinned. It is the newest of its queue then.
  void Pin(Evictable& item);
  void Unpin(Evictable& item);

  /// Removes the item that is worth least, and returns it; nullptr if all are pinned.
  Evictable* Evict();

  /// Bytes of all items.
  size_t bytes() const { return small_.bytes + main_.bytes + pinned_.bytes; }

  /// Bytes of memory that it takes itself.
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
