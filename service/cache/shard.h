#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "cache/entry.h"
#include "cache/eviction.h"
#include "cache/flight.h"
#include "cache/work_signal.h"

namespace content::cache {

/// A name with its hash, which is needed more than once.
struct HashedName {
  explicit HashedName(absl::string_view name_)
      : name(name_), hash(absl::Hash<absl::string_view>{}(name_)) {}

  absl::string_view name;
  size_t hash;
};

/// A part of the cache with a lock of its own.
///
/// `mutex` guards the shard, its entries and the waiters of their flights: hold it when you call
/// any method or touch any of those. Nobody holds the mutexes of two shards. While one is held,
/// nothing outside of the cache is called but CallContext::cancelled and the clock: questions are
/// sent, and reads answered, after it has been released.
class Shard {
 public:
  struct Counters {
    int64_t articles = 0;
    int64_t hits = 0;
    int64_t misses = 0;
    int64_t stale_answers = 0;
  };

  /// `max_bytes`: limit of the memory that it takes; flights are not counted. `maintenance` is
  /// notified when an article becomes warm or a flight departs.
  Shard(size_t max_bytes, WorkSignal& maintenance);

  std::mutex mutex;

  /// nullptr if there is none.
  Entry* Find(const HashedName& name);

  /// Adds an entry of which nothing is known yet. There must be none of this name. Reaccount must
  /// follow.
  Entry& Add(const HashedName& name);

  /// Must be called after an entry has changed: it may have become larger, or useless. Evicts what
  /// there is no room for. `entry` may be gone afterwards.
  void Reaccount(Entry& entry);

  /// Makes an article warm: from now on it is confirmed ahead of time, `confirmations` times. That
  /// takes memory too, so `entry` may be gone afterwards.
  void KeepWarm(Entry& entry, uint8_t confirmations);

  /// Takes at most `limit` warm articles that have not been confirmed since `time`. The others stay
  /// due.
  std::vector<Entry*> TakeDue(SteadyTime time, size_t limit);

  /// Takes on a flight. Its entry stays until it has landed.
  void Depart(const FlightPtr& flight);

  /// Lets go of a flight that has ended. Reaccount must follow.
  void Land(const FlightPtr& flight);

  /// The flights under way.
  const absl::flat_hash_set<FlightPtr>& flights() const { return flights_; }

  /// Whether it has warm articles or flights.
  bool NeedsMaintenance() const { return !warm_.empty() || !flights_.empty(); }

  /// Bytes of memory that it takes.
  size_t bytes() const { return Overhead() + eviction_.bytes(); }

  Tick NextTick() { return ++tick_; }
  Tick tick() const { return tick_; }

  void CountHit() { ++counters_.hits; }
  void CountMiss() { ++counters_.misses; }
  void CountStaleAnswer() { ++counters_.stale_answers; }
  const Counters& counters() const { return counters_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const HashedName& name) const { return name.hash; }
    size_t operator()(const std::unique_ptr<Entry>& entry) const {
      return HashedName(entry->name).hash;
    }
  };

  struct Equal {
    using is_transparent = void;
    static absl::string_view Name(const HashedName& name) { return name.name; }
    static absl::string_view Name(const std::unique_ptr<Entry>& entry) { return entry->name; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Name(a) == Name(b);
    }
  };

  // Bytes of memory that it takes without the entries.
  size_t Overhead() const;
  void CountArticle(Entry& entry);
  void Evict();
  void Drop(Entry& entry);

  const size_t max_bytes_;
  WorkSignal& maintenance_;                                           // Thread-safe.
  Counters counters_;                                                 // Guarded by mutex.
  Tick tick_ = 0;                                                     // Guarded by mutex.
  Eviction eviction_;                                                 // Guarded by mutex.
  absl::flat_hash_set<std::unique_ptr<Entry>, Hash, Equal> entries_;  // Guarded by mutex.
  absl::flat_hash_set<FlightPtr> flights_;                            // Guarded by mutex.
  absl::flat_hash_set<Entry*> warm_;                                  // Guarded by mutex.
};

/// All shards of a cache. Immutable, so it needs no lock.
class ShardSet {
 public:
  /// `max_bytes`: limit of the memory that all of them take together.
  ShardSet(int64_t max_bytes, WorkSignal& maintenance);

  /// The shard to which a name belongs.
  Shard& Of(const HashedName& name) const;

  size_t size() const { return shards_.size(); }
  Shard& operator[](size_t index) const { return *shards_[index]; }

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace content::cache
