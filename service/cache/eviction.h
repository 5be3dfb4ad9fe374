#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Which of the things that are kept is to go when there is no room for all.
namespace content::cache {

/// Something that can be evicted. The order is kept in the things themselves.
class Evictable {
 public:
  /// Says that it was read.
  void Use() {
    if (uses_ < kMostUses) ++uses_;
  }

  bool pinned() const { return pinned_; }

 private:
  friend class Eviction;
  enum class Queue : uint8_t { kSmall, kMain };

  static constexpr uint8_t kMostUses = 3;

  Evictable* newer_ = nullptr;
  Evictable* older_ = nullptr;
  uint32_t bytes_ = 0;
  uint32_t hash_ = 0;
  uint8_t uses_ = 0;
  Queue queue_ = Queue::kSmall;
  bool pinned_ = false;
};

/// Hashes of what was evicted from the small queue not long ago.
class Ghosts {
 public:
  /// `window`: how many bytes come and go until one is forgotten.
  explicit Ghosts(size_t window);

  void Add(uint32_t hash, size_t bytes);

  bool Has(uint32_t hash) const;

  size_t memory() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    uint32_t hash = kNone;
    uint32_t time = 0;
  };

  static constexpr uint32_t kNone = 0;
  static constexpr ptrdiff_t kWays = 4;

  // Where the bucket of a hash begins.
  ptrdiff_t BucketOf(uint32_t hash) const;
  uint32_t Age(const Slot& slot) const;

  const size_t window_;
  // The clock: how many bytes have been added so far.
  size_t added_ = 0;
  // Buckets of kWays: a hash is in one place of its bucket, and the oldest there makes room.
  std::vector<Slot> slots_;
};

/// S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), by bytes.
///
/// What is new waits in a small queue, a tenth of all. If it has been read twice more by the time
/// it comes to the end, it goes on into the main queue, otherwise it is evicted: so what is read
/// once passes through without pushing out anything that is read often. Of what was evicted the
/// hash is remembered for a while, and when it comes again it goes into the main queue at once. At
/// the end of the main queue what has been read since starts over, and the rest is evicted.
/// A read changes nothing but a counter in the item. Not thread-safe.
class Eviction {
 public:
  /// `limit`: how many bytes the items are to have at most. The caller evicts; this is what the
  /// shares of the queues go by.
  explicit Eviction(size_t limit);

  /// `item` must stay where it is until it is evicted or removed. `hash`: of its key; that of a key
  /// is always the same.
  void Add(Evictable& item, size_t bytes, size_t hash);
  void Remove(Evictable& item);

  /// Its size is another one now.
  void Resize(Evictable& item, size_t bytes);

  /// It stays, and is in nobody's way, until it is unpinned: then it is the newest of its queue.
  void Pin(Evictable& item);
  void Unpin(Evictable& item);

  /// Picks what is worth least and removes it; nullptr if there is nothing that is not pinned.
  Evictable* Evict();

  /// Of all items.
  size_t bytes() const { return small_.bytes + main_.bytes + pinned_.bytes; }

  /// What it takes itself.
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
