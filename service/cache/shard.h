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
#include "cache/lookup.h"
#include "cache/work_signal.h"

namespace content::cache {

/// A name with its hash, which is needed more than once.
struct HashedName {
  explicit HashedName(absl::string_view name_)
      : name(name_), hash(absl::Hash<absl::string_view>{}(name_)) {}

  absl::string_view name;
  size_t hash;
};

/// Counts reads by what they are for.
struct CountsByKind {
  int64_t articles = 0;
  int64_t pages = 0;  // of comments, perhaps with their article

  int64_t& Of(const Lookup& lookup) { return lookup.page ? pages : articles; }
  int64_t sum() const { return articles + pages; }
  void Add(const CountsByKind& other) {
    articles += other.articles;
    pages += other.pages;
  }
};

/// A part of the cache with its own lock.
///
/// `mutex` guards the shard, its entries and the waiters of their flights: hold it when you call
/// any method or access any of those. No thread holds the mutexes of two shards. While a mutex is
/// held, nothing outside the cache is called except the functions of CallContext and the clock:
/// questions are sent, and reads answered, after it has been released.
class Shard {
 public:
  struct Counters {
    int64_t articles = 0;
    CountsByKind hits = {};
    CountsByKind misses = {};
    int64_t stale_answers = 0;
    int64_t evictions = 0;

    void Add(const Counters& other);
  };

  /// `max_bytes` limits the memory of the shard, not counting flights. `maintenance` is notified
  /// when an article becomes warm or a flight departs.
  Shard(size_t max_bytes, WorkSignal& maintenance);

  std::mutex mutex;

  /// Returns the entry of this name; nullptr if there is none.
  Entry* Find(const HashedName& name);

  /// Adds an empty entry. There must be no entry of this name. Reaccount must follow.
  Entry& Add(const HashedName& name);

  /// Must be called after an entry has changed, because it may have become larger or useless.
  /// Evicts entries if the limit is exceeded. `entry` may no longer exist afterwards.
  void Reaccount(Entry& entry);

  /// Makes an article warm: it is confirmed ahead of time `confirmations` times from now on. This
  /// takes memory too, so `entry` may no longer exist afterwards.
  void KeepWarm(Entry& entry, uint8_t confirmations);

  /// Returns at most `limit` warm articles that have not been confirmed since `time`, and counts
  /// one confirmation for each. The others stay due.
  std::vector<Entry*> TakeDue(SteadyTime time, size_t limit);

  /// Registers a flight. Its entry is not evicted until the flight has landed.
  void AddFlight(const FlightPtr& flight);

  /// Removes a flight that has ended. Reaccount must follow.
  void RemoveFlight(const FlightPtr& flight);

  /// Drops all entries, and abandons the flights under way. Returns the reads that waited for them.
  std::vector<WaitingRead> Clear();

  /// The flights under way.
  const absl::flat_hash_set<FlightPtr>& flights() const { return flights_; }

  /// Returns whether the shard has warm articles or flights.
  bool NeedsMaintenance() const { return !warm_.empty() || !flights_.empty(); }

  size_t entry_count() const { return entries_.size(); }

  /// Returns the memory that the shard uses, in bytes.
  size_t bytes() const { return Overhead() + eviction_.bytes(); }

  Tick NextTick() { return ++tick_; }
  Tick tick() const { return tick_; }

  void CountHit(const Lookup& lookup) { ++counters_.hits.Of(lookup); }
  void CountMiss(const Lookup& lookup) { ++counters_.misses.Of(lookup); }
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

  // Memory that the shard uses without its entries, in bytes.
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

/// All shards of a cache. Immutable, and therefore thread-safe.
class ShardSet {
 public:
  /// `max_bytes` limits the memory of all shards together.
  ShardSet(int64_t max_bytes, WorkSignal& maintenance);

  /// Returns the shard that a name belongs to.
  Shard& ShardFor(const HashedName& name) const;

  size_t size() const { return shards_.size(); }
  Shard& operator[](size_t index) const { return *shards_[index]; }

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace content::cache
