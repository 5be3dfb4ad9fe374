#include "cache/shard.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <utility>

namespace content::cache {
namespace {

constexpr int64_t kMinShardBytes = int64_t{16} << 20;
constexpr int64_t kMaxShards = 32;

}  // namespace

void Shard::Counters::Add(const Counters& other) {
  articles += other.articles;
  hits.Add(other.hits);
  misses.Add(other.misses);
  stale_answers += other.stale_answers;
  evictions += other.evictions;
}

Shard::Shard(size_t max_bytes, WorkSignal& maintenance)
    : max_bytes_(max_bytes), maintenance_(maintenance), eviction_(max_bytes) {}

Entry* Shard::Find(const HashedName& name) {
  const auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : it->get();
}

Entry& Shard::Add(const HashedName& name) {
  auto entry = std::make_unique<Entry>(name.name);
  eviction_.Add(*entry, entry->Bytes(), name.hash);
  return **entries_.insert(std::move(entry)).first;
}

void Shard::Reaccount(Entry& entry) {
  // An entry that is larger than the limit would evict all others before itself.
  const auto fits = [this](size_t bytes) { return Overhead() + bytes <= max_bytes_; };
  size_t bytes = entry.Bytes();
  if (!fits(bytes)) {
    entry.DropPages();
    bytes = entry.Bytes();
  }
  const bool is_kept = entry.pinned() || (entry.kind != Entry::Kind::kUnknown && fits(bytes));
  if (is_kept) {
    eviction_.Resize(entry, bytes);
    CountArticle(entry);
  } else {
    eviction_.Remove(entry);
    Drop(entry);
  }
  Evict();
}

void Shard::KeepWarm(Entry& entry, uint8_t confirmations) {
  if (confirmations == 0 || std::exchange(entry.confirmations, confirmations) > 0) return;
  warm_.insert(&entry);
  maintenance_.Notify();
  Evict();
}

std::vector<Entry*> Shard::TakeDue(SteadyTime time, size_t limit) {
  std::vector<Entry*> due;
  for (auto it = warm_.begin(); it != warm_.end() && due.size() < limit;) {
    Entry& entry = **it;
    const auto current = it++;
    if (entry.confirmed_at > time || entry.IsBeingConfirmed()) continue;
    if (entry.kind == Entry::Kind::kArticle) due.push_back(&entry);
    --entry.confirmations;
    if (entry.confirmations == 0) warm_.erase(current);
  }
  return due;
}

void Shard::AddFlight(const FlightPtr& flight) {
  flights_.insert(flight);
  Entry& entry = flight->entry;
  entry.AddFlight(flight);
  if (!entry.pinned()) eviction_.Pin(entry);
  maintenance_.Notify();
}

void Shard::RemoveFlight(const FlightPtr& flight) {
  flights_.erase(flight);
  Entry& entry = flight->entry;
  entry.RemoveFlight(*flight);
  if (!entry.has_flights()) eviction_.Unpin(entry);
}

std::vector<WaitingRead> Shard::Clear() {
  std::vector<WaitingRead> reads;
  for (const FlightPtr& flight : flights_) {
    flight->is_abandoned = true;
    std::move(flight->waiters.begin(), flight->waiters.end(), std::back_inserter(reads));
    flight->waiters.clear();
  }
  warm_.clear();
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = **it++;  // it may be erased
    entry.Clear();
    Reaccount(entry);
  }
  return reads;
}

size_t Shard::Overhead() const {
  constexpr size_t kSlot =
      sizeof(std::unique_ptr<Entry>) + 1;  // the table has a byte for each slot
  return sizeof(Shard) + eviction_.memory() + (entries_.capacity() + warm_.capacity()) * kSlot;
}

void Shard::CountArticle(Entry& entry) {
  const bool is_article = entry.article.text != nullptr;
  if (is_article == entry.counted) return;
  counters_.articles += is_article ? 1 : -1;
  entry.counted = is_article;
}

void Shard::Evict() {
  while (bytes() > max_bytes_) {
    Evictable* const victim = eviction_.Evict();
    if (victim == nullptr) return;
    ++counters_.evictions;
    Drop(static_cast<Entry&>(*victim));
  }
}

void Shard::Drop(Entry& entry) {
  if (entry.counted) --counters_.articles;
  if (entry.confirmations > 0) warm_.erase(&entry);
  entries_.erase(entries_.find(HashedName(entry.name)));
}

ShardSet::ShardSet(int64_t max_bytes, WorkSignal& maintenance) {
  const auto count = std::bit_floor(
      static_cast<size_t>(std::clamp<int64_t>(max_bytes / kMinShardBytes, 1, kMaxShards)));
  for (size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(static_cast<size_t>(max_bytes) / count, maintenance));
  }
}

Shard& ShardSet::ShardFor(const HashedName& name) const {
  // The upper bits: the hash tables use the lower ones.
  constexpr int kShift = std::numeric_limits<size_t>::digits - 8;
  static_assert(kMaxShards <= 1 << 8);
  return *shards_[(name.hash >> kShift) % shards_.size()];
}

}  // namespace content::cache
