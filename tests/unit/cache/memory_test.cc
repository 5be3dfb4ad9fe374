// What the cache counts as its memory, and what it evicts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "unit/cache/cache_fixture.h"

namespace content::cache {
namespace {

using MemoryTest = CacheFixture;

TEST_F(MemoryTest, StaysBelowItsLimit) {
  for (int i = 0; i < 2000; ++i) {
    const std::string id = MakeId(i);
    const Reader reader = Get(id);
    source_.Answer(absl::StrCat("full ", id),
                   MakeArticleOfSize(id, 1000 + static_cast<size_t>(i) % 5000));
    if (i % 10 == 0) LoadPage(MakeArticle(id, 6), "a page");
    if (i % 10 == 1) {
      Get(absl::StrCat("old-", id));
      source_.Answer(absl::StrCat("full old-", id), MakeArticle(id, 6));
    }
    if (i % 10 == 2) {
      Get(absl::StrCat("no-", id));
      source_.Answer(absl::StrCat("full no-", id), std::nullopt);
    }
    ASSERT_LE(cache().GetInfo().byte_count(), 1 << 20);
  }
  EXPECT_GT(cache().GetInfo().byte_count(), 1'000'000);
  EXPECT_GT(cache().GetInfo().article_count(), 200);
  EXPECT_LT(cache().GetInfo().article_count(), 1000);
}

TEST_F(MemoryTest, ScanOfAllArticlesEvictsNothingThatIsReadOften) {
  constexpr int kHot = 50;
  for (int i = 0; i < kHot + 2000; ++i) {
    source_.AnswerAtOnce(MakeArticleOfSize(MakeId(i), 6000));
    for (int reads = 0; reads < (i < kHot ? 4 : 1); ++reads) Get(MakeId(i));
  }
  source_.AnswerAtOnce(absl::UnknownError("asked for"));
  for (int i = 0; i < kHot; ++i) EXPECT_NE(Get(MakeId(i)).answer(), "asked for") << i;
  EXPECT_EQ(Get(MakeId(kHot)).answer(), "asked for");
}

TEST_F(MemoryTest, CountsTheBookkeepingOfWarmArticles) {
  options_.max_bytes = 4 << 20;
  ReadTwice(1000, 500);
  const int64_t cold = cache().GetInfo().byte_count();
  cache_ = nullptr;
  options_.confirmations_ahead = 1;
  ReadTwice(1000, 500);
  EXPECT_GT(cache().GetInfo().byte_count(), cold + 1000 * 8);
}

TEST_F(MemoryTest, CountsEvictions) {
  EXPECT_EQ(cache().GetNumbers().counters.evictions, 0);
  constexpr int kArticles = 1000;
  for (int i = 0; i < kArticles; ++i) Load(MakeArticleOfSize(MakeId(i), 6000));
  const ArticleCache::Numbers numbers = cache().GetNumbers();
  EXPECT_GT(numbers.counters.evictions, 0);
  EXPECT_EQ(numbers.counters.evictions + numbers.entries, kArticles);
}

TEST_F(MemoryTest, EvictsMissingNames) {
  for (int i = 0; i < 20'000; ++i) {
    const std::string id = MakeId(i);
    Get(id);
    source_.Answer(absl::StrCat("full ", id), std::nullopt);
  }
  EXPECT_LE(cache().GetInfo().byte_count(), 1 << 20);
}

TEST_F(MemoryTest, SmallCacheHoldsALargeArticle) {
  Load(MakeArticleOfSize("a", 500'000));
  EXPECT_EQ(cache().GetInfo().article_count(), 1);
}

TEST_F(MemoryTest, ArticleLargerThanTheCacheIsServedButNotKept) {
  Load(MakeArticle("small", 5));
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", MakeArticleOfSize("a", 2'000'000));
  EXPECT_FALSE(one.waits());
  EXPECT_FALSE(two.waits());
  EXPECT_TRUE(Get("a").waits());
  FailAll();
  EXPECT_FALSE(Get("small").waits());
}

TEST_F(MemoryTest, PageThatIsTooLargeDoesNotEvictItsArticle) {
  Load(MakeArticle("a", 5));
  const std::string key(2'000'000, 'k');
  LoadPage(MakeArticle("a", 5), key);
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(GetPage("a", key).waits());
}

TEST_F(MemoryTest, WithoutMemoryReadsStillShareQuestions) {
  options_.max_bytes = 0;
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(one.answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(two.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(Get("a").waits());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(MemoryTest, ArticleTakesLittleMoreThanItsBytes) {
  constexpr int kArticles = 20'000;
  constexpr size_t kBodyBytes = 6000;
  options_.max_bytes = int64_t{256} << 20;
  const int64_t counted_before = cache().GetInfo().byte_count();
  const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (int i = 0; i < kArticles; ++i) {
    const std::string id = MakeId(i);
    cache().GetArticle({}, id, kFull, 0, [](const absl::StatusOr<ArticleAnswer>&) {});
    source_.Answer(absl::StrCat("full ", id), MakeArticleOfSize(id, kBodyBytes));
  }
  const size_t taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
  const int64_t counted = cache().GetInfo().byte_count() - counted_before;
  ASSERT_EQ(cache().GetInfo().article_count(), kArticles);
  const double per_article = static_cast<double>(taken) / kArticles;
  RecordProperty("bytes_per_article", static_cast<int>(per_article));
  EXPECT_LT(per_article, 1.15 * kBodyBytes);
  EXPECT_NEAR(static_cast<double>(counted), static_cast<double>(taken),
              0.01 * static_cast<double>(taken));
}
#endif

}  // namespace
}  // namespace content::cache
