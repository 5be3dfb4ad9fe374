#include "cache/eviction.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace content::cache {
namespace {

// One place among the ghosts for so many bytes: fewer than most articles have.
constexpr size_t kBytesPerGhost = 2048;
constexpr size_t kFewestGhosts = 64;

// A byte count as a time that fits into a Slot; it wraps around after 4 TiB, which costs no more
// than a ghost that is believed in by mistake.
constexpr int kTimeShift = 10;

// How many items of the main queue are looked at for one that has not been read. All of them could
// have been, and the caller holds a lock.
constexpr size_t kMostLooks = 1000;

}  // namespace

Ghosts::Ghosts(size_t window)
    : window_(window), slots_(std::bit_ceil(std::max(window / kBytesPerGhost, kFewestGhosts))) {}

ptrdiff_t Ghosts::BucketOf(uint32_t hash) const {
  return hash % (std::ssize(slots_) / kWays) * kWays;
}

uint32_t Ghosts::Age(const Slot& slot) const {
  return static_cast<uint32_t>(added_ >> kTimeShift) - slot.time;
}

void Ghosts::Add(uint32_t hash, size_t bytes) {
  added_ += bytes;
  const auto bucket = slots_.begin() + BucketOf(hash);
  const auto is_better = [this](const Slot& a, const Slot& b) {
    if ((a.hash == kNone) != (b.hash == kNone)) return a.hash == kNone;
    return Age(a) > Age(b);
  };
  *std::min_element(bucket, bucket + kWays, is_better) = {
      .hash = hash, .time = static_cast<uint32_t>(added_ >> kTimeShift)};
}

bool Ghosts::Has(uint32_t hash) const {
  const auto bucket = slots_.begin() + BucketOf(hash);
  return std::any_of(bucket, bucket + kWays, [&](const Slot& slot) {
    return slot.hash == hash && Age(slot) <= window_ >> kTimeShift;
  });
}

Eviction::Eviction(size_t limit) : small_share_(limit / 10), ghosts_(limit - small_share_) {}

void Eviction::Add(Evictable& item, size_t bytes, size_t hash) {
  item.bytes_ = static_cast<uint32_t>(bytes);
  item.hash_ = static_cast<uint32_t>(hash) | 1;  // never kNone
  Append(item, ghosts_.Has(item.hash_) ? Evictable::Queue::kMain : Evictable::Queue::kSmall);
}

void Eviction::Remove(Evictable& item) {
  List& list = ListOf(item);
  (item.newer_ ? item.newer_->older_ : list.newest) = item.older_;
  (item.older_ ? item.older_->newer_ : list.oldest) = item.newer_;
  item.newer_ = item.older_ = nullptr;
  list.bytes -= item.bytes_;
  --list.count;
}

void Eviction::Resize(Evictable& item, size_t bytes) {
  List& list = ListOf(item);
  list.bytes -= item.bytes_;
  item.bytes_ = static_cast<uint32_t>(bytes);
  list.bytes += item.bytes_;
}

Evictable* Eviction::Evict() {
  const bool small_first = small_.bytes >= small_share_;
  Evictable* victim = small_first ? FromSmall() : FromMain();
  if (victim == nullptr) victim = small_first ? FromMain() : FromSmall();
  if (victim != nullptr) Remove(*victim);
  return victim;
}

Eviction::List& Eviction::ListOf(const Evictable& item) {
  return item.queue_ == Evictable::Queue::kSmall ? small_ : main_;
}

void Eviction::Append(Evictable& item, Evictable::Queue queue) {
  item.queue_ = queue;
  List& list = ListOf(item);
  item.older_ = list.newest;
  (list.newest ? list.newest->newer_ : list.oldest) = &item;
  list.newest = &item;
  list.bytes += item.bytes_;
  ++list.count;
}

Evictable* Eviction::FromSmall() {
  for (size_t left = small_.count; left > 0; --left) {
    Evictable& item = *small_.oldest;
    if (!item.pinned && item.uses_ < 2) {
      ghosts_.Add(item.hash_, item.bytes_);
      return &item;
    }
    Remove(item);
    if (item.pinned) {
      Append(item, Evictable::Queue::kSmall);
    } else {
      item.uses_ = 0;
      Append(item, Evictable::Queue::kMain);
    }
  }
  return nullptr;
}

Evictable* Eviction::FromMain() {
  size_t looks = 0;
  for (size_t left = main_.count * (Evictable::kMostUses + 1); left > 0; --left) {
    Evictable& item = *main_.oldest;
    if (!item.pinned && (item.uses_ == 0 || ++looks > kMostLooks)) return &item;
    if (item.uses_ > 0) --item.uses_;
    Remove(item);
    Append(item, Evictable::Queue::kMain);
  }
  return nullptr;
}

}  // namespace content::cache
