#include "cache/eviction.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace content::cache {
namespace {

// Bytes of items per ghost. Most articles are larger.
constexpr size_t kBytesPerGhost = 2048;
constexpr size_t kMinGhosts = 64;

// Scales a byte count to a time that fits into a Slot. The time wraps around after 4 TiB; an old
// ghost may then be taken for a recent one, which does no harm.
constexpr int kTimeShift = 10;

// Maximum number of items of the main queue to examine for one that has not been read. All of them
// may have been read, and the caller holds a lock.
constexpr size_t kMaxLooks = 1000;

}  // namespace

Ghosts::Ghosts(size_t window)
    : window_(window), slots_(std::bit_ceil(std::max(window / kBytesPerGhost, kMinGhosts))) {}

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
  item.queue_ = ghosts_.Has(item.hash_) ? Evictable::Queue::kMain : Evictable::Queue::kSmall;
  Append(item);
}

void Eviction::Remove(Evictable& item) {
  List& list = ListOf(item);
  (item.newer_ ? item.newer_->older_ : list.newest) = item.older_;
  (item.older_ ? item.older_->newer_ : list.oldest) = item.newer_;
  item.newer_ = item.older_ = nullptr;
  list.bytes -= item.bytes_;
}

void Eviction::Resize(Evictable& item, size_t bytes) {
  List& list = ListOf(item);
  list.bytes -= item.bytes_;
  item.bytes_ = static_cast<uint32_t>(bytes);
  list.bytes += item.bytes_;
}

void Eviction::Pin(Evictable& item) {
  Remove(item);
  item.pinned_ = true;
  Append(item);
}

void Eviction::Unpin(Evictable& item) {
  Remove(item);
  item.pinned_ = false;
  Append(item);
}

Evictable* Eviction::Evict() {
  const bool small_first = small_.bytes >= small_share_ || main_.oldest == nullptr;
  Evictable* victim = small_first ? FromSmall() : nullptr;
  if (victim == nullptr) victim = FromMain();
  if (victim != nullptr) Remove(*victim);
  return victim;
}

Eviction::List& Eviction::ListOf(const Evictable& item) {
  if (item.pinned_) return pinned_;
  return item.queue_ == Evictable::Queue::kSmall ? small_ : main_;
}

void Eviction::Append(Evictable& item) {
  List& list = ListOf(item);
  item.older_ = list.newest;
  (list.newest ? list.newest->newer_ : list.oldest) = &item;
  list.newest = &item;
  list.bytes += item.bytes_;
}

Evictable* Eviction::FromSmall() {
  while (small_.oldest != nullptr) {
    Evictable& item = *small_.oldest;
    if (item.uses_ < 2) {
      ghosts_.Add(item.hash_, item.bytes_);
      return &item;
    }
    Remove(item);
    item.uses_ = 0;
    item.queue_ = Evictable::Queue::kMain;
    Append(item);
  }
  return nullptr;
}

Evictable* Eviction::FromMain() {
  for (size_t looks = 0; main_.oldest != nullptr; ++looks) {
    Evictable& item = *main_.oldest;
    if (item.uses_ == 0 || looks == kMaxLooks) return &item;
    --item.uses_;
    Remove(item);
    Append(item);
  }
  return nullptr;
}

}  // namespace content::cache
