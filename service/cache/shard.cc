#include "cache/shard.h"

#include <utility>

namespace content::cache {

Shard::Shard(size_t max_bytes) : max_bytes_(max_bytes), eviction_(max_bytes) {}

Entry* Shard::Find(const HashedName& name) {
  const auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : it->get();
}

Entry& Shard::Add(const HashedName& name) {
  auto entry = std::make_unique<Entry>(name.name);
  eviction_.Add(*entry, entry->Bytes(), name.hash);
  return **entries_.insert(std::move(entry)).first;
}

void Shard::Refit(Entry& entry) {
  // What does not fit at all would push out the rest before it went itself.
  const auto fits = [&] { return Overhead() + entry.Bytes() <= max_bytes_; };
  if (!fits()) entry.DropPages();
  const bool is_kept = entry.pinned() || (entry.kind != Entry::Kind::kUnknown && fits());
  if (is_kept) {
    eviction_.Resize(entry, entry.Bytes());
    Count(entry);
  } else {
    eviction_.Remove(entry);
    Drop(entry);
  }
  Evict();
}

void Shard::KeepWarm(Entry& entry, uint8_t confirmations) {
  if (confirmations == 0 || std::exchange(entry.confirmations, confirmations) > 0) return;
  warm_.insert(&entry);
  Evict();
}

std::vector<Entry*> Shard::TakeDue(SteadyTime time, size_t most) {
  std::vector<Entry*> due;
  for (auto it = warm_.begin(); it != warm_.end() && due.size() < most;) {
    Entry& entry = **it;
    const auto current = it++;
    if (entry.validated_at > time || entry.IsBeingConfirmed()) continue;
    if (entry.kind == Entry::Kind::kArticle) due.push_back(&entry);
    --entry.confirmations;
    if (entry.confirmations == 0) warm_.erase(current);
  }
  return due;
}

void Shard::Depart(const std::shared_ptr<Flight>& flight) {
  flights_.insert(flight);
  Entry& entry = flight->entry;
  entry.AddFlight(flight);
  if (!entry.pinned()) eviction_.Pin(entry);
}

void Shard::Land(const std::shared_ptr<Flight>& flight) {
  flights_.erase(flight);
  Entry& entry = flight->entry;
  entry.RemoveFlight(*flight);
  if (!entry.has_flights()) eviction_.Unpin(entry);
}

size_t Shard::Overhead() const {
  constexpr size_t kSlot =
      sizeof(std::unique_ptr<Entry>) + 1;  // and a byte that says what is there
  return sizeof(Shard) + eviction_.memory() + (entries_.capacity() + warm_.capacity()) * kSlot;
}

void Shard::Count(Entry& entry) {
  const bool is_article = entry.article.text != nullptr;
  if (is_article == entry.counted) return;
  articles += is_article ? 1 : -1;
  entry.counted = is_article;
}

void Shard::Evict() {
  while (bytes() > max_bytes_) {
    Evictable* const victim = eviction_.Evict();
    if (victim == nullptr) return;
    Drop(static_cast<Entry&>(*victim));
  }
}

void Shard::Drop(Entry& entry) {
  if (entry.counted) --articles;
  if (entry.confirmations > 0) warm_.erase(&entry);
  entries_.erase(entries_.find(HashedName(entry.name)));
}

}  // namespace content::cache
