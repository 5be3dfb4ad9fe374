// What is evicted, under traffic like that of a cache.

#include "cache/eviction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <unordered_map>
#include <vector>

#include "absl/hash/hash.h"

namespace content::cache {
namespace {

struct Item : Evictable {
  explicit Item(int key_) : key(key_) {}
  int key;
};

constexpr size_t kSize = 10'000;

// A cache of numbers, of kSize bytes each unless said otherwise.
class Numbers {
 public:
  // `capacity`: how many numbers of kSize bytes fit.
  explicit Numbers(size_t capacity) : limit_(capacity * kSize), eviction_(limit_) {}

  // Reads a number, and adds it if it is not there. Returns whether it was there.
  bool Read(int key, size_t bytes = kSize) {
    if (const auto it = items_.find(key); it != items_.end()) {
      it->second->Use();
      return true;
    }
    auto item = std::make_unique<Item>(key);
    eviction_.Add(*item, bytes, absl::Hash<int>{}(key));
    items_.emplace(key, std::move(item));
    Shrink();
    return false;
  }

  void Shrink() {
    while (eviction_.bytes() > limit_) {
      if (!EvictOne()) return;
    }
  }

  std::optional<int> EvictOne() {
    Evictable* const victim = eviction_.Evict();
    if (victim == nullptr) return std::nullopt;
    const int key = static_cast<Item*>(victim)->key;
    items_.erase(key);
    return key;
  }

  bool Has(int key) const { return items_.contains(key); }
  Item& operator[](int key) { return *items_.at(key); }
  Eviction& eviction() { return eviction_; }
  size_t bytes() const { return eviction_.bytes(); }

 private:
  const size_t limit_;
  Eviction eviction_;
  std::unordered_map<int, std::unique_ptr<Item>> items_;
};

// Numbers from 0, where n has the frequency 1 / (n + 1).
class Zipf {
 public:
  explicit Zipf(int count) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sums_.push_back(sum += 1.0 / (i + 1));
  }

  int Next() {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random_);
    return static_cast<int>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::mt19937 random_{1};
  std::vector<double> sums_;
};

// Share of the reads that find their number. `between` is called after each read.
template <class Between>
double HitRatio(Numbers& numbers, Zipf& zipf, int reads, Between between) {
  int hits = 0;
  for (int i = 0; i < reads; ++i) {
    if (numbers.Read(zipf.Next())) ++hits;
    between();
  }
  return static_cast<double>(hits) / reads;
}

double HitRatio(Numbers& numbers, Zipf& zipf, int reads) {
  return HitRatio(numbers, zipf, reads, [] {});
}

// The same for a cache that evicts the least recently used number.
double HitRatioOfLru(Zipf zipf, size_t capacity, int warm_up, int reads) {
  std::deque<int> order;  // the most recently used first
  int hits = 0;
  for (int i = 0; i < warm_up + reads; ++i) {
    const int key = zipf.Next();
    const auto it = std::find(order.begin(), order.end(), key);
    if (it != order.end()) {
      if (i >= warm_up) ++hits;
      order.erase(it);
    }
    order.push_front(key);
    if (order.size() > capacity) order.pop_back();
  }
  return static_cast<double>(hits) / reads;
}

TEST(Eviction, ItemsThatAreReadOnceGoFirst) {
  Numbers numbers(100);
  for (int key = 0; key < 50; ++key) {
    for (int i = 0; i < 3; ++i) numbers.Read(key);
  }
  for (int key = 1000; key < 1100; ++key) numbers.Read(key);
  for (int key = 0; key < 50; ++key) EXPECT_TRUE(numbers.Has(key)) << key;
  EXPECT_FALSE(numbers.Has(1000));
  EXPECT_TRUE(numbers.Has(1099));
}

TEST(Eviction, ScanDuringOtherReadsEvictsLittle) {
  constexpr int kCapacity = 1000;
  Numbers numbers(kCapacity);
  Zipf zipf(20'000);
  HitRatio(numbers, zipf, 100'000);
  const double before = HitRatio(numbers, zipf, 50'000);

  int scanned = 1'000'000;
  const int scan_end = scanned + 10 * kCapacity;
  const double during = HitRatio(numbers, zipf, 10 * kCapacity, [&] {
    numbers.Read(scanned);
    ++scanned;
  });
  EXPECT_EQ(scanned, scan_end);
  EXPECT_GT(before, 0.6);
  EXPECT_GT(during, before - 0.05);
}

TEST(Eviction, ScanInOneGoEvictsLittle) {
  constexpr int kCapacity = 1000;
  Numbers numbers(kCapacity);
  Zipf zipf(20'000);
  HitRatio(numbers, zipf, 100'000);
  const double before = HitRatio(numbers, zipf, 20'000);
  for (int key = 1'000'000; key < 1'000'000 + 10 * kCapacity; ++key) numbers.Read(key);
  // Right after the scan, before items have come back.
  EXPECT_GT(HitRatio(numbers, zipf, 500), before - 0.1);
}

TEST(Eviction, IsBetterThanLeastRecentlyUsed) {
  constexpr int kCapacity = 500;
  constexpr int kReads = 30'000;
  const double lru = HitRatioOfLru(Zipf(10'000), kCapacity, kReads, kReads);
  Numbers numbers(kCapacity);
  Zipf zipf(10'000);
  HitRatio(numbers, zipf, kReads);
  EXPECT_GT(HitRatio(numbers, zipf, kReads), lru + 0.02);
}

TEST(Eviction, ItemThatComesBackSoonEntersTheMainQueue) {
  Numbers numbers(100);
  for (int key = 0; key < 100; ++key) numbers.Read(key);
  numbers.Read(100);
  ASSERT_FALSE(numbers.Has(0));
  numbers.Read(0);  // its hash is remembered
  for (int key = 200; key < 400; ++key) numbers.Read(key);
  EXPECT_TRUE(numbers.Has(0));
}

TEST(Eviction, ItemThatComesBackLateIsNew) {
  constexpr size_t kLarge = 5 * kSize;  // so few that all their hashes fit
  Numbers numbers(100);
  for (int key = 0; key < 100; ++key) numbers.Read(key, kLarge);
  numbers.Read(0, kLarge);
  for (int key = 200; key < 220; ++key) numbers.Read(key, kLarge);
  EXPECT_FALSE(numbers.Has(0));
}

TEST(Eviction, ItemsThatAreReadAgainStayLonger) {
  Numbers numbers(100);
  const auto read_often = [&](int from, int to) {
    for (int key = from; key < to; ++key) {
      for (int i = 0; i < 3; ++i) numbers.Read(key);
    }
    for (int key = 1'000'000; key < 1'000'100; ++key) numbers.Read(key + 1000 * from);
  };
  read_often(0, 80);
  for (int key = 0; key < 80; key += 2) ASSERT_TRUE(numbers.Read(key));
  read_often(100, 130);
  for (int key = 0; key < 80; key += 2) EXPECT_TRUE(numbers.Has(key)) << key;
  EXPECT_FALSE(numbers.Has(1));
}

TEST(Eviction, OldPopularityIsForgotten) {
  Numbers numbers(100);
  for (int i = 0; i < 10; ++i) {
    for (int key = 0; key < 90; ++key) numbers.Read(key);
  }
  for (int i = 0; i < 10; ++i) {
    for (int key = 100; key < 190; ++key) numbers.Read(key);
  }
  int left = 0;
  for (int key = 100; key < 190; ++key) left += numbers.Has(key) ? 1 : 0;
  EXPECT_GT(left, 80);
}

TEST(Eviction, StaysBelowTheLimit) {
  Numbers numbers(10);
  Zipf zipf(10'000);
  std::mt19937 random(2);
  std::uniform_int_distribution<size_t> size(1, 20'000);
  for (int i = 0; i < 50'000; ++i) {
    numbers.Read(zipf.Next(), size(random));
    ASSERT_LE(numbers.bytes(), 10 * kSize);
  }
}

TEST(Eviction, CountsItemsThatHaveGrown) {
  Numbers numbers(10);
  for (int key = 0; key < 10; ++key) numbers.Read(key);
  numbers.eviction().Resize(numbers[9], 6 * kSize);
  EXPECT_EQ(numbers.bytes(), 15 * kSize);
  numbers.Shrink();
  EXPECT_EQ(numbers.bytes(), 10 * kSize);
  EXPECT_TRUE(numbers.Has(9));
  EXPECT_FALSE(numbers.Has(4));
}

TEST(Eviction, PinnedItemsStay) {
  Numbers numbers(10);
  for (int key = 0; key < 10; ++key) numbers.Read(key);
  for (int i = 0; i < 3; ++i) numbers.Read(5);
  for (const int key : {0, 5, 7}) numbers.eviction().Pin(numbers[key]);
  for (int key = 100; key < 200; ++key) numbers.Read(key);
  for (const int key : {0, 5, 7}) EXPECT_TRUE(numbers.Has(key)) << key;

  while (numbers.EvictOne()) {
  }
  EXPECT_EQ(numbers.bytes(), 3 * kSize);
  for (const int key : {0, 5, 7}) numbers.eviction().Unpin(numbers[key]);
  while (numbers.EvictOne()) {
  }
  EXPECT_EQ(numbers.bytes(), 0U);
}

TEST(Eviction, UnpinnedItemIsTheNewest) {
  Numbers numbers(10);
  for (int key = 0; key < 3; ++key) numbers.Read(key);
  numbers.eviction().Pin(numbers[0]);
  numbers.eviction().Resize(numbers[0], 2 * kSize);
  EXPECT_EQ(numbers.bytes(), 4 * kSize);
  numbers.eviction().Unpin(numbers[0]);
  EXPECT_EQ(numbers.EvictOne(), 1);
  EXPECT_EQ(numbers.EvictOne(), 2);
  EXPECT_EQ(numbers.EvictOne(), 0);
  EXPECT_EQ(numbers.bytes(), 0U);
}

TEST(Eviction, EvictsPopularItemsIfThereAreNoOthers) {
  Numbers numbers(100);
  for (int i = 0; i < 4; ++i) numbers.Read(0);
  EXPECT_EQ(numbers.EvictOne(), 0);
}

TEST(Eviction, RemovedItemIsNotEvicted) {
  Numbers numbers(10);
  for (int key = 0; key < 3; ++key) numbers.Read(key);
  numbers.eviction().Remove(numbers[1]);
  EXPECT_EQ(numbers.bytes(), 2 * kSize);
  EXPECT_EQ(numbers.EvictOne(), 0);
  EXPECT_EQ(numbers.EvictOne(), 2);
  EXPECT_EQ(numbers.EvictOne(), std::nullopt);
}

}  // namespace
}  // namespace content::cache
