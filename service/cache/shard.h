#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cache/entry.h"
#include "cache/eviction.h"
#include "cache/flight.h"

namespace content::cache {

/// A name with its hash, which is needed more than once.
struct HashedName {
  explicit HashedName(absl::string_view name_)
      : name(name_), hash(absl::Hash<absl::string_view>{}(name_)) {}

  absl::string_view name;
  size_t hash;
};

/// A part of what is kept, with a lock of its own.
///
/// Locks: `mutex` guards all of the shard, its entries and the waiters of their flights. Nobody
/// holds those of two shards. Of what is not the cache's own only CallContext::cancelled and the
/// clock are called under it: questions are sent and reads answered when it has been released.
class Shard {
 public:
  /// `max_bytes`: what it may take, everything counted but flights.
  explicit Shard(size_t max_bytes);

  std::mutex mutex;

  /// nullptr if there is none.
  Entry* Find(const HashedName& name);

  /// A new one, of which nothing is known yet. There must be none, and Refit must follow.
  Entry& Add(const HashedName& name);

  /// To be called when an entry has changed: it may have become larger, or useless. Evicts what
  /// there is no room for; `entry` too may be gone afterwards.
  void Refit(Entry& entry);

  /// Has an article confirmed ahead of time, so often from now on. That takes memory too: `entry`
  /// may be gone afterwards.
  void KeepWarm(Entry& entry, uint8_t confirmations);

  /// Takes articles that are to be confirmed ahead of time and have not been since `time`, `most`
  /// of them: the others stay due.
  std::vector<Entry*> TakeDue(SteadyTime time, size_t most);

  /// Takes on a flight: its entry stays until it has landed.
  void Depart(const std::shared_ptr<Flight>& flight);

  /// The flight has ended. Refit must follow.
  void Land(const std::shared_ptr<Flight>& flight);

  /// Those under way.
  const absl::flat_hash_set<std::shared_ptr<Flight>>& flights() const { return flights_; }

  /// What it takes.
  size_t bytes() const { return Overhead() + eviction_.bytes(); }

  /// A moment after all those before.
  Tick NextTick() { return ++tick_; }
  Tick tick() const { return tick_; }

  int64_t articles = 0;
  int64_t hits = 0;
  int64_t misses = 0;
  int64_t stale_answers = 0;

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

  // What it takes without the entries.
  size_t Overhead() const;
  void Count(Entry& entry);
  void Evict();
  void Drop(Entry& entry);

  const size_t max_bytes_;
  Tick tick_ = 0;
  Eviction eviction_;
  absl::flat_hash_set<std::unique_ptr<Entry>, Hash, Equal> entries_;
  absl::flat_hash_set<std::shared_ptr<Flight>> flights_;
  absl::flat_hash_set<Entry*> warm_;  // those that have `confirmations`
};

}  // namespace content::cache
