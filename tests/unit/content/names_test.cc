#include "content/names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "content/uuid.h"

namespace content {
namespace {

TEST(ArticleName, IsReadOnlyInItsExactForm) {
  EXPECT_EQ(ParseArticleName("articles/a-1"), "a-1");
  EXPECT_EQ(ParseArticleName("articles/" + std::string(63, 'x')), std::string(63, 'x'));
  for (const std::string& name :
       {std::string(), std::string("a-1"), std::string("articles/"), std::string("articles/A"),
        std::string("articles/a/"), std::string("articles/../x"), std::string("articles/a/../b"),
        std::string("/articles/a"), std::string("articles/-a"), std::string("articles/a-"),
        std::string("articles/a b"), std::string("articles/é"), std::string("articles/a\0b", 12),
        std::string("articles/a\n"), "articles/" + std::string(64, 'x')}) {
    EXPECT_FALSE(ParseArticleName(name)) << name;
  }
}

TEST(CommentName, IsReadOnlyInItsExactForm) {
  const std::string id = "0190a8f0-0000-7000-8000-000000000000";
  const auto reference = ParseCommentName("articles/a/comments/" + id);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->article_id, "a");
  EXPECT_EQ(reference->comment_id, id);
  for (const std::string& name :
       {std::string(), std::string("articles/a/comments/"), "articles/a/comments/" + id + "/",
        "articles//comments/" + id, "articles/a/comment/" + id, "article/a/comments/" + id,
        "articles/a/comments/" + id.substr(1),
        std::string("articles/a/comments/0190A8F0-0000-7000-8000-000000000000"),
        std::string("articles/a/comments/0190a8f0-0000-7000-8000_000000000000")}) {
    EXPECT_FALSE(ParseCommentName(name)) << name;
  }
}

TEST(CommentId, IsAVersion7UuidOfItsTime) {
  const absl::Time time = absl::FromUnixMillis(0x0123'4567'89ab);
  const std::string id = NewUuid(time);
  EXPECT_TRUE(IsUuid(id));
  EXPECT_EQ(id[14], '7');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
}

TEST(CommentId, CarriesTheTimeUnlessAnEarlierOneWasLater) {
  // Later than what the test before it, or an earlier run of this one, left behind.
  static int64_t later_ms = 0x7000'0000'0000;
  const absl::Time later = absl::FromUnixMillis(later_ms += 0x1'0000'0000);
  const std::string first = NewUuid(later);
  EXPECT_EQ(first.substr(0, 8), absl::StrCat(absl::Hex(later_ms >> 16, absl::kZeroPad8)));
  EXPECT_GT(NewUuid(later - absl::Hours(1)), first) << "a clock set back does not break order";
}

TEST(CommentId, IncreasesWithinAMillisecondAndNeverRepeats) {
  const absl::Time now = absl::Now();
  std::string previous = NewUuid(now);
  for (int i = 0; i < 100'000; ++i) {
    const std::string next = NewUuid(now);
    ASSERT_LT(previous, next);
    previous = next;
  }
}

TEST(CommentId, IsUniqueAcrossThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 10'000;
  std::vector<std::vector<std::string>> ids(kThreads);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : ids) {
      threads.emplace_back([&mine] {
        for (int i = 0; i < kEach; ++i) mine.push_back(NewUuid(absl::Now()));
      });
    }
  }
  std::set<std::string> all;
  for (const auto& mine : ids) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kThreads * kEach));
}

}  // namespace
}  // namespace content
