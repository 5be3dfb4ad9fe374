#include "content/names.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
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

// A time later than those that earlier tests, or an earlier run of them, have used.
absl::Time LaterTime() {
  static int64_t millis = 0x7000'0000'0000;
  return absl::FromUnixMillis(millis += 0x1'0000'0000);
}

TEST(CommentId, IsAVersion7UuidOfItsTime) {
  const absl::Time time = absl::FromUnixMillis(0x0123'4567'89ab);
  const std::string id = NewTimedUuid(time).text;
  EXPECT_TRUE(IsUuid(id));
  EXPECT_EQ(id[14], '7');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
}

TEST(CommentId, CarriesTheTimeUnlessAnEarlierOneWasLater) {
  const absl::Time later = LaterTime();
  const TimedUuid first = NewTimedUuid(later);
  EXPECT_EQ(first.text.substr(0, 8),
            absl::StrCat(absl::Hex(absl::ToUnixMillis(later) >> 16, absl::kZeroPad8)));
  EXPECT_EQ(first.time, later);
  const TimedUuid next = NewTimedUuid(later - absl::Hours(1));
  EXPECT_GT(next.text, first.text) << "a clock set back does not break order";
  EXPECT_EQ(next.time, later) << "the time does not contradict the order";
  const TimedUuid soon = NewTimedUuid(later + absl::Microseconds(1));
  EXPECT_GT(soon.text, next.text);
  EXPECT_EQ(soon.time, later + absl::Microseconds(1));
}

// Several servers sort their comments by one clock; only their counters are independent.
TEST(CommentId, OrdersTimesThatAreAMicrosecondApart) {
  const absl::Time now = LaterTime();
  std::string previous;
  for (int i = 0; i < 2000; ++i) {
    // Without the counter, which is random.
    const std::string prefix =
        NewTimedUuid(now + absl::Microseconds(i)).text.substr(0, std::strlen("xxxxxxxx-xxxx-7xxx"));
    ASSERT_LT(previous, prefix) << i;
    previous = prefix;
  }
}

TEST(CommentId, CanFollowAGivenOne) {
  const std::string parent = "f1980000-0000-7fff-bfff-ffffffffffff";
  const std::string next = UuidAfter(parent);
  EXPECT_TRUE(IsUuid(next));
  EXPECT_EQ(next.substr(0, 19), "f1980000-0001-7000-") << "the counter was used up";
  EXPECT_GT(UuidAfter(next), next);
  EXPECT_EQ(UuidAfter(next).substr(0, 23), next.substr(0, 23)) << "the step is small";
  EXPECT_NE(UuidAfter(next), UuidAfter(next)) << "and random";
}

TEST(RequestId, IsRandom) {
  const std::string id = NewUuid();
  EXPECT_TRUE(IsUuid(id));
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(id, NewUuid());
}

TEST(CommentId, IncreasesWithinAMillisecondAndNeverRepeats) {
  const absl::Time now = absl::Now();
  std::string previous = NewTimedUuid(now).text;
  for (int i = 0; i < 100'000; ++i) {
    const std::string next = NewTimedUuid(now).text;
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
        for (int i = 0; i < kEach; ++i) mine.push_back(NewTimedUuid(absl::Now()).text);
      });
    }
  }
  std::set<std::string> all;
  for (const auto& mine : ids) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kThreads * kEach));
}

}  // namespace
}  // namespace content
