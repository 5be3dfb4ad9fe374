#include "content/names.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

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
  const std::string id = TimedUuids(time).Next();
  EXPECT_TRUE(IsUuid(id));
  EXPECT_EQ(id.substr(0, 15), "01234567-89ab-7");
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
}

// The process remembers no time: after a clock that was ahead, ids are those of the present again.
TEST(CommentId, DependsOnNoTimeButItsOwn) {
  const absl::Time now = absl::Now();
  const std::string ahead = TimedUuids(now + absl::Hours(48)).Next();
  EXPECT_LT(TimedUuids(now).Next(), ahead);
}

// Several servers sort their comments by one clock; only their counters are independent.
TEST(CommentId, OrdersTimesThatAreAMicrosecondApart) {
  const absl::Time now = absl::Now();
  std::string previous;
  for (int i = 0; i < 2000; ++i) {
    // Without the counter, which is random.
    const std::string prefix =
        TimedUuids(now + absl::Microseconds(i)).Next().substr(0, std::strlen("xxxxxxxx-xxxx-7xxx"));
    ASSERT_LT(previous, prefix) << i;
    previous = prefix;
  }
}

TEST(CommentId, IncreasesWithinASequenceAndKeepsItsTime) {
  const absl::Time time = absl::FromUnixMillis(0x0123'4567'89ab);
  TimedUuids ids(time);
  std::string previous = ids.Next();
  for (int i = 0; i < 100'000; ++i) {
    const std::string next = ids.Next();
    ASSERT_LT(previous, next);
    previous = next;
  }
  EXPECT_EQ(previous.substr(0, 18), "01234567-89ab-7000");
}

TEST(CommentId, IsUniqueAcrossSequencesOfOneTime) {
  constexpr size_t kCount = 10'000;
  const absl::Time now = absl::Now();
  std::set<std::string> all;
  for (size_t i = 0; i < kCount; ++i) all.insert(TimedUuids(now).Next());
  EXPECT_EQ(all.size(), kCount);
}

TEST(TimedUuid, TellsItsTimeToTheMicrosecond) {
  const absl::Time millisecond = absl::FromUnixMillis(1'750'000'000'000);
  for (int i = 0; i < 1000; ++i) {
    const absl::Time time = millisecond + absl::Microseconds(i);
    EXPECT_EQ(TimeOfUuid(TimedUuids(time).Next()), time);
  }
}

TEST(TimedUuid, HasAFirstForEveryTime) {
  const absl::Time time = absl::FromUnixMicros(1'750'000'000'123'456);
  const std::string first = FirstUuidAt(time);
  EXPECT_TRUE(IsUuid(first));
  EXPECT_LE(first, TimedUuids(time).Next());
  EXPECT_GT(first, TimedUuids(time - absl::Microseconds(1)).Next());
  EXPECT_EQ(TimeOfUuid(first), time);
  EXPECT_LT(FirstUuidAt(absl::InfinitePast()), first);
  EXPECT_EQ(FirstUuidAt(absl::InfinitePast()), FirstUuidAt(absl::UnixEpoch()));
  EXPECT_GT(FirstUuidAt(absl::InfiniteFuture()),
            TimedUuids(absl::FromUnixSeconds(253'402'300'799)).Next())
      << "the last second of the year 9999";
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

}  // namespace
}  // namespace content
