#pragma once

#include <compare>
#include <cstdint>

namespace content::store {

/// The key of an article in every table, chosen when the article is created:
///
///   0 | 42 bits: time of creation, ms since 1970 | 13 bits: random | 8 bits: random, the bucket
///
/// It begins with the time, so that new articles and their comments come close together in the
/// indexes. The time serves nothing else. TakeNames gives one transaction's articles, which share
/// the time, different random bits. If articles of two transactions got the same key, the primary
/// key of article_state would refuse the second, which is then tried again with another key.
///
/// The bucket is what tables can be distributed by. It is stored in a column of its own and is part
/// of every primary key. A statement about one article has the conditions
/// `bucket = $1 AND article_key = $2`, and no statement locks rows of two buckets where tables are
/// distributed (see LockArticles in lock.h).
class ArticleKey {
 public:
  /// Number of random bits.
  static constexpr int kRandomBits = 21;
  static constexpr int kBuckets = 256;

  ArticleKey() = default;
  explicit ArticleKey(int64_t value) : value_(value) {}

  int64_t value() const { return value_; }
  int bucket() const { return static_cast<int>(value_ % kBuckets); }

  friend auto operator<=>(const ArticleKey&, const ArticleKey&) = default;

 private:
  int64_t value_ = 0;
};

}  // namespace content::store
