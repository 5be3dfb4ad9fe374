#include "store/articles/feed.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"
#include "support/locks.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ArticleFeedTest : public StoreTest {
 protected:
  ArticleChanges Read(const ArticleCursor& after) {
    auto changes = Await<ArticleChanges>(
        [&](auto done) { store_->ReadArticleChanges({}, after, std::move(done)); });
    EXPECT_TRUE(changes.ok()) << changes.status();
    return changes.ok() ? *std::move(changes) : ArticleChanges();
  }

  ArticleCursor CursorOfNow() {
    auto cursor =
        Await<ArticleCursor>([&](auto done) { store_->GetArticleCursor({}, std::move(done)); });
    EXPECT_TRUE(cursor.ok()) << cursor.status();
    return *cursor;
  }

  // The cursor of a watcher that starts with all articles.
  ArticleCursor CursorOfAll() { return {.start_position = CursorOfNow().position}; }

  static std::string Describe(const ArticleChangeRecord& record) {
    switch (record.change) {
      case v1::ARTICLE_CHANGE_PUBLISHED:
        return absl::StrCat("published ", *ParseArticleName(record.article.name()));
      case v1::ARTICLE_CHANGE_UPDATED:
        return absl::StrCat("updated ", *ParseArticleName(record.article.name()));
      case v1::ARTICLE_CHANGE_RETRACTED:
        return absl::StrCat("retracted ", *ParseArticleName(record.article.name()));
      default:
        return "?";
    }
  }

  // Reads all batches.
  std::vector<ArticleChangeRecord> ReadAll(ArticleCursor& cursor) {
    std::vector<ArticleChangeRecord> all;
    for (bool complete = false; !complete && !HasFailure();) {
      ArticleChanges changes = Read(cursor);
      cursor = changes.cursor;
      complete = changes.complete;
      for (ArticleChangeRecord& record : changes.changes) all.push_back(std::move(record));
    }
    return all;
  }

  static std::vector<std::string> Describe(const std::vector<ArticleChangeRecord>& records) {
    std::vector<std::string> descriptions;
    for (const ArticleChangeRecord& record : records) descriptions.push_back(Describe(record));
    return descriptions;
  }

  // Descriptions of ReadAll. Also checks that a watcher that resumes after any change gets exactly
  // the rest.
  std::vector<std::string> Next(ArticleCursor& cursor) {
    const std::vector<ArticleChangeRecord> records = ReadAll(cursor);
    const std::vector<std::string> all = Describe(records);
    for (size_t i = 0; i<records.size(); i += records.size()> 20 ? 17 : 1) {
      ArticleCursor resumed = records[i].cursor;
      const std::vector<std::string> rest(all.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                          all.end());
      EXPECT_EQ(Describe(ReadAll(resumed)), rest) << "after " << all[i];
    }
    return all;
  }

  v1::Article Put(const std::string& id, absl::Time publish_time = absl::Now(),
                  const std::string& body = "Some text.") {
    v1::Article article = MakeArticle(id, body);
    *article.mutable_publish_time() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(publish_time));
    auto published = Publish(article);
    EXPECT_TRUE(published.ok()) << published.status();
    return published->article;
  }

  void MoveTo(const std::string& id, absl::Time publish_time) {
    ArticleEdit edit{.id = id, .article = {}, .paths = {"publish_time"}};
    *edit.article.mutable_publish_time() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(publish_time));
    EXPECT_TRUE(Edit(std::move(edit)).ok());
  }

  // Lets the time of all scheduled articles come.
  void Release() {
    Sql("UPDATE article_state SET publish_time = " + testing::Before("publish_time", "24 hours") +
        " WHERE scheduled");
    ReleaseDueArticles();
  }

  void SetTitle(const std::string& id, const std::string& title) {
    ArticleEdit edit{.id = id, .article = {}, .paths = {"title"}};
    edit.article.set_title(title);
    EXPECT_TRUE(Edit(std::move(edit)).ok());
  }

  const absl::Time today_ = absl::Now();
  const absl::Time tomorrow_ = today_ + absl::Hours(24);
};

TEST_F(ArticleFeedTest, StartWithAllReadableArticlesByTheirLastChanges) {
  Put("newest", today_ - absl::Hours(1));
  Put("oldest", today_ - absl::Hours(3));
  Put("scheduled", tomorrow_);
  Put("gone");
  ASSERT_TRUE(Retract("gone").ok());
  Put("middle", today_ - absl::Hours(2));
  SetTitle("oldest", "Changed");
  ArticleCursor cursor = CursorOfAll();
  EXPECT_THAT(Next(cursor),
              ElementsAre("published newest", "published middle", "published oldest"));
  EXPECT_THAT(Next(cursor), IsEmpty());
}

TEST_F(ArticleFeedTest, ACursorBeyondTheEndOfTheFeedIsRefused) {
  ArticleCursor cursor = CursorOfNow();
  cursor.position += 1;
  const auto changes = Await<ArticleChanges>(
      [&](auto done) { store_->ReadArticleChanges({}, cursor, std::move(done)); });
  EXPECT_EQ(ReasonOf(changes.status()), "REVISION_NOT_REACHED");
}

TEST_F(ArticleFeedTest, ComeInCommitOrder) {
  ArticleCursor cursor = CursorOfNow();
  Put("a");
  Put("b");
  EXPECT_THAT(Next(cursor), ElementsAre("published a", "published b"));
  SetTitle("b", "Changed");
  ASSERT_TRUE(Rename({.id = "a", .new_id = "a2"}).ok());
  Put("c");
  EXPECT_THAT(Next(cursor), ElementsAre("updated b", "updated a2", "published c"));
  ASSERT_TRUE(Retract("b").ok());
  EXPECT_THAT(Next(cursor), ElementsAre("retracted b"));
  Put("b");
  EXPECT_THAT(Next(cursor), ElementsAre("published b"));
  EXPECT_THAT(Next(cursor), IsEmpty());
}

TEST_F(ArticleFeedTest, ShowTheArticleAsItIsNow) {
  Put("a");
  ArticleCursor cursor = CursorOfNow();
  ASSERT_TRUE(Rename({.id = "a", .new_id = "b"}).ok());
  ASSERT_TRUE(Rename({.id = "b", .new_id = "c"}).ok());
  Add("c", "comment");
  auto changes = Read(cursor);
  ASSERT_THAT(changes.changes, SizeIs(1));  // once, though it changed twice
  const v1::Article& article = changes.changes[0].article;
  EXPECT_EQ(article.name(), "articles/c");
  EXPECT_EQ(article.title(), "About a");
  EXPECT_EQ(article.body(), "");
  EXPECT_EQ(article.comment_count(), 1);
  EXPECT_EQ(article.revision(), 4);
  EXPECT_THAT(changes.changes[0].former_names, ElementsAre("articles/a", "articles/b"));

  ASSERT_TRUE(Retract("c").ok());
  changes = Read(changes.cursor);
  ASSERT_THAT(changes.changes, SizeIs(1));
  v1::Article retracted;
  retracted.set_name("articles/c");
  retracted.set_revision(5);
  EXPECT_EQ(changes.changes[0].article.SerializeAsString(), retracted.SerializeAsString());
}

TEST_F(ArticleFeedTest, AreNotCausedByComments) {
  Put("a");
  ArticleCursor cursor = CursorOfNow();
  Add("a", "comment");
  EXPECT_THAT(Next(cursor), IsEmpty());
}

TEST_F(ArticleFeedTest, MovingThePublishTimeWithinThePastIsAnUpdate) {
  Put("a", today_ - absl::Hours(9));
  ArticleCursor cursor = CursorOfNow();
  MoveTo("a", today_ - absl::Hours(1));
  EXPECT_THAT(Next(cursor), ElementsAre("updated a"));
}

TEST_F(ArticleFeedTest, AScheduledArticleIsPublishedAtItsTime) {
  ArticleCursor cursor = CursorOfNow();
  Put("a", tomorrow_);
  EXPECT_THAT(Next(cursor), IsEmpty());  // no reader has seen it
  ReleaseDueArticles();
  EXPECT_THAT(Next(cursor), IsEmpty());
  Release();
  EXPECT_THAT(Next(cursor), ElementsAre("published a"));
  ReleaseDueArticles();
  EXPECT_THAT(Next(cursor), IsEmpty());
  // A watcher from before the first commit gets it once, too.
  ArticleCursor since_before;
  EXPECT_THAT(Next(since_before), ElementsAre("published a"));
}

TEST_F(ArticleFeedTest, APostponedArticleIsPublishedAgainAtItsTime) {
  Put("a");
  ArticleCursor cursor = CursorOfNow();
  MoveTo("a", tomorrow_);
  EXPECT_THAT(Next(cursor), ElementsAre("retracted a"));
  Release();
  EXPECT_THAT(Next(cursor), ElementsAre("published a"));
}

TEST_F(ArticleFeedTest, ChangesBeforeAndAfterThePublishTimeAreToldApart) {
  Put("renamed", tomorrow_);
  Put("edited", tomorrow_);
  Put("late", tomorrow_);
  ArticleCursor cursor = CursorOfNow();
  ASSERT_TRUE(Rename({.id = "renamed", .new_id = "renamed2"}).ok());
  SetTitle("edited", "Changed");
  // It becomes due and then changes before it is released and the watcher reads again.
  Sql("UPDATE article_state SET publish_time = now() WHERE first_name = 'late'");
  SetTitle("late", "Changed");
  ArticleCursor slow = cursor;
  EXPECT_THAT(Next(cursor), ElementsAre("published late"));
  Release();
  EXPECT_THAT(Next(cursor), UnorderedElementsAre("published edited", "published renamed2"));
  SetTitle("edited", "Changed again");
  EXPECT_THAT(Next(slow), ElementsAre("published late", "published renamed2", "published edited"));
  SetTitle("late", "Changed again");
  EXPECT_THAT(Next(cursor), ElementsAre("updated edited", "updated late"));
}

TEST_F(ArticleFeedTest, ArticlesWithTheSamePublishTimeComeOnceEach) {
  for (int i = 100; i < 350; ++i) Put(absl::StrCat("a", i), today_);
  ArticleCursor cursor = CursorOfAll();
  std::vector<std::string> expected;
  for (int i = 100; i < 350; ++i) expected.push_back(absl::StrCat("published a", i));
  EXPECT_THAT(Next(cursor), ::testing::UnorderedElementsAreArray(expected));
}

TEST_F(ArticleFeedTest, AWatcherThatWasAwayGetsEachArticleOnce) {
  for (int i = 0; i < 5; ++i) Put(absl::StrCat("known", i));
  ArticleCursor cursor = CursorOfNow();
  std::map<std::string, std::string> expected;
  // Published first, with an old date, and changed last, so that the two are in different batches.
  Put("early", today_ - absl::Hours(9));
  for (int i = 0; i < 210; ++i) Put(absl::StrCat("new", i));
  for (int i = 0; i < 210; ++i) expected[absl::StrCat("new", i)] = "published";
  for (int i = 0; i < 5; ++i) SetTitle(absl::StrCat("known", i), "Changed");
  for (int i = 0; i < 5; ++i) expected[absl::StrCat("known", i)] = "updated";
  ASSERT_TRUE(Retract("known3").ok());
  expected["known3"] = "retracted";
  SetTitle("early", "Changed");
  expected["early"] = "published";

  std::vector<std::string> descriptions;
  for (const auto& [id, change] : expected) descriptions.push_back(absl::StrCat(change, " ", id));
  EXPECT_THAT(Next(cursor), ::testing::UnorderedElementsAreArray(descriptions));
}

TEST_F(ArticleFeedTest, ChangesWhileAWatcherStartsAreNotMissed) {
  for (int i = 100; i < 250; ++i) Put(absl::StrCat("a", i), today_ - absl::Hours(1));
  const ArticleChanges first = Read(CursorOfAll());
  EXPECT_THAT(first.changes, SizeIs(100));
  EXPECT_FALSE(first.complete);
  ASSERT_TRUE(Retract("a100").ok());  // sent already
  ASSERT_TRUE(Retract("a249").ok());  // not sent yet
  SetTitle("a248", "Changed");        // not sent yet
  Put("new");
  ArticleCursor cursor = first.cursor;
  const std::vector<std::string> rest = Next(cursor);
  EXPECT_THAT(rest, SizeIs(48 + 4));
  EXPECT_THAT(std::vector<std::string>(rest.end() - 4, rest.end()),
              ElementsAre("retracted a100", "retracted a249", "published a248", "published new"));
}

TEST_F(ArticleFeedTest, ComeInBatchesOfLimitedSize) {
  ArticleCursor cursor = CursorOfNow();
  for (int i = 0; i < 40; ++i) {
    v1::Article article = MakeArticle(absl::StrCat("a", i));
    for (int j = 0; j < 50; ++j) {
      v1::Author& author = *article.add_authors();
      author.set_display_name("An Author");
      author.set_uri(absl::StrCat("https://example.com/", std::string(1900, 'x')));
    }
    ASSERT_TRUE(Publish(article).ok());
  }
  const ArticleChanges first = Read(cursor);
  EXPECT_FALSE(first.complete);
  size_t bytes = 0;
  for (const auto& record : first.changes) bytes += record.article.ByteSizeLong();
  EXPECT_LE(bytes, kMaxReplyBytes);
  EXPECT_GT(bytes, kMaxReplyBytes * 9 / 10);
  EXPECT_THAT(Next(cursor), SizeIs(40));
}

TEST_F(ArticleFeedTest, BatchesCountFormerNamesToo) {
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(Publish(MakeArticle(absl::StrCat("story-", i))).ok());
  Sql("INSERT INTO article_name (name, article_key) "
      "SELECT first_name || '-' || repeat('x', 50) || n, article_key "
      "FROM article_state, generate_series(1, 1000) n");
  const ArticleChanges changes = Read({});
  size_t bytes = 0;
  for (const ArticleChangeRecord& record : changes.changes) {
    for (const std::string& name : record.former_names) bytes += name.size();
  }
  EXPECT_FALSE(changes.complete);
  EXPECT_LE(bytes, kMaxReplyBytes);
  EXPECT_GT(bytes, kMaxReplyBytes * 9 / 10);
}

TEST_F(ArticleFeedTest, ArticlesThatReadersNeverSawEndSilently) {
  Put("secret", tomorrow_);
  ArticleCursor cursor = CursorOfNow();
  SetTitle("secret", "Changed");
  ASSERT_TRUE(Rename({.id = "secret", .new_id = "secret2"}).ok());
  ASSERT_TRUE(Retract("secret2").ok());
  EXPECT_THAT(Next(cursor), IsEmpty());
  Put("secret2");
  EXPECT_THAT(Next(cursor), ElementsAre("published secret2"));
  ASSERT_TRUE(Retract("secret2").ok());
  EXPECT_THAT(Next(cursor), ElementsAre("retracted secret2"));
}

// As it happens if the articles are on another node, which commits a moment after the feed's.
TEST_F(ArticleFeedTest, AnArticleThatHasNotReachedItsPlaceIsWaitedFor) {
  for (const char* id : {"a", "b", "c"}) Put(id);
  Sql("UPDATE article_state SET feed_position = 0 WHERE name = 'b'");
  ArticleCursor cursor;
  EXPECT_THAT(Next(cursor), ElementsAre("published a"));
  EXPECT_EQ(cursor.position, 1);
  EXPECT_THAT(Next(cursor), IsEmpty()) << "c comes after b";
  Sql("UPDATE article_state SET feed_position = 2 WHERE name = 'b'");
  EXPECT_THAT(Next(cursor), ElementsAre("published b", "published c"));
  EXPECT_EQ(cursor.known_position, 3);
}

TEST_F(ArticleFeedTest, AnArticleWithoutTextIsPassedBy) {
  for (const char* id : {"a", "b", "c"}) Put(id);
  Sql("DELETE FROM article WHERE " + OfArticle("b"));
  ArticleCursor cursor;
  ::testing::internal::CaptureStderr();
  const ArticleChanges changes = Read(cursor);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("article damaged"));
  EXPECT_THAT(Describe(changes.changes), ElementsAre("published a", "published c"));
  EXPECT_TRUE(changes.complete);
  EXPECT_EQ(changes.cursor.position, 3);
  cursor = changes.cursor;
  Put("b", today_, "Text again.");
  EXPECT_THAT(Next(cursor), ElementsAre("updated b"));
}

// As it happens if an article changes after its place was read.
TEST_F(ArticleFeedTest, AnArticleThatHasLeftItsPlaceIsSentAtItsNewOne) {
  for (const char* id : {"a", "b"}) Put(id);
  Sql("UPDATE article_state SET feed_position = 3 WHERE name = 'a'");
  ArticleChanges changes = Read({});
  EXPECT_THAT(Describe(changes.changes), ElementsAre("published b"));
  EXPECT_FALSE(changes.complete);
  Sql("UPDATE article_feed SET position = 3; UPDATE article_change SET position = 3 "
      "WHERE position = 1");
  EXPECT_THAT(Next(changes.cursor), ElementsAre("published a")) << "the watcher did not have it";
  EXPECT_EQ(changes.cursor.known_position, 3);
}

TEST_F(ArticleFeedTest, AForgedCursorShowsNothingEarly) {
  Put("a", tomorrow_);
  for (const int64_t start : {0, 1}) {
    ArticleCursor forged{.position = 0, .start_position = start, .known_position = 0};
    EXPECT_THAT(Next(forged), IsEmpty());
  }
}

TEST_F(ArticleFeedTest, WatchersThatHaveReadEverythingHaveTheSameCursor) {
  ArticleCursor one = CursorOfNow();
  Put("a");
  ArticleCursor other = CursorOfNow();
  one = Read(one).cursor;
  other = Read(other).cursor;
  EXPECT_EQ(one.position, other.position);
  EXPECT_EQ(one.start_position, other.start_position);
  EXPECT_EQ(one.known_position, other.known_position);
}

// What is logged when this place is waited for.
std::string Log(FeedWaits& waits, int64_t position, SteadyTime now) {
  ::testing::internal::CaptureStderr();
  waits.Add({.key = ArticleKey(7), .position = position}, now);
  return ::testing::internal::GetCapturedStderr();
}

TEST(FeedWaitsTest, LongWaitsAreLogged) {
  FeedWaits waits;
  const SteadyTime start;
  EXPECT_EQ(Log(waits, 1, start), "");
  EXPECT_EQ(Log(waits, 2, start + absl::Seconds(3)), "");
  EXPECT_EQ(Log(waits, 1, start + absl::Seconds(4)), "");
  EXPECT_THAT(Log(waits, 1, start + absl::Seconds(5)), HasSubstr("feed waits"));
  EXPECT_EQ(Log(waits, 1, start + absl::Seconds(9)), "") << "not each time";
  EXPECT_THAT(Log(waits, 2, start + absl::Seconds(9)), HasSubstr("feed waits"));
  EXPECT_THAT(Log(waits, 1, start + absl::Seconds(10)), HasSubstr("feed waits"));
  EXPECT_EQ(Log(waits, 1, start + absl::Seconds(60)), "") << "it was not waited for all the time";
}

}  // namespace
}  // namespace content::store
