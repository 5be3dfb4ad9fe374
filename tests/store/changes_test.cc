// What watchers read.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// ---- Comments ----

class CommentChangesTest : public StoreTest {
 protected:
  CommentChangesTest() { EXPECT_TRUE(Publish(MakeArticle("story")).ok()); }

  absl::StatusOr<CommentChanges> Read(const std::string& id, int64_t after_revision) {
    return Await<CommentChanges>(
        [&](auto done) { store_->ReadCommentChanges({}, id, after_revision, std::move(done)); });
  }

  CommentChanges Changes(int64_t after_revision) {
    auto changes = Read("story", after_revision);
    EXPECT_TRUE(changes.ok()) << changes.status();
    return changes.ok() ? *std::move(changes) : CommentChanges();
  }

  std::string ReasonOfRead(const std::string& id, int64_t after_revision) {
    return ReasonOf(Read(id, after_revision).status());
  }

  int64_t Revision() { return std::stoll(Sql("SELECT revision FROM article_state")); }

  // Reads batch by batch, and checks that each is whole: no revision is in two of them.
  std::vector<v1::Comment> ReadAll(size_t* batches) {
    std::vector<v1::Comment> all;
    CommentChanges changes;
    changes.complete = false;
    for (*batches = 0; !changes.complete; ++*batches) {
      const int64_t after = changes.article_revision;
      changes = Changes(after);
      if (::testing::Test::HasFailure()) break;
      for (const v1::Comment& comment : changes.comments) {
        EXPECT_GT(comment.revision(), after);
        EXPECT_LE(comment.revision(), changes.article_revision);
        EXPECT_GE(comment.revision(), all.empty() ? 0 : all.back().revision());
        all.push_back(comment);
      }
    }
    EXPECT_EQ(changes.article_revision, Revision());
    return all;
  }

  static std::vector<std::string> Bodies(const std::vector<v1::Comment>& comments) {
    std::vector<std::string> bodies;
    for (const v1::Comment& comment : comments) bodies.push_back(comment.body());
    return bodies;
  }
};

TEST_F(CommentChangesTest, ComeInTheOrderOfRevisionsEachCommentOnceAsItIsNow) {
  const std::string first = Add("story", "first");
  const int64_t after_first = Revision();
  Add("story", "second");
  const std::string third = Add("story", "third");
  EXPECT_THAT(Bodies(Changes(0).comments), ElementsAre("first", "second", "third"));
  EXPECT_THAT(Bodies(Changes(after_first).comments), ElementsAre("second", "third"));
  ASSERT_TRUE(Update({.comment = *ParseCommentName(first), .body = "first again"}).ok());
  const CommentChanges changes = Changes(0);
  EXPECT_THAT(Bodies(changes.comments), ElementsAre("second", "third", "first again"));
  EXPECT_TRUE(changes.complete);
  EXPECT_EQ(changes.article_revision, Revision());
  EXPECT_EQ(changes.comment_count, 3);
  EXPECT_EQ(changes.comments.back().revision(), Revision());
}

TEST_F(CommentChangesTest, HoldWhoeverAReplyChangedToo) {
  const std::string parent = Add("story", "parent");
  const int64_t before = Revision();
  Add("story", "reply", parent);
  const CommentChanges changes = Changes(before);
  ASSERT_THAT(changes.comments, SizeIs(2));
  EXPECT_EQ(changes.comments[0].revision(), changes.comments[1].revision());
  EXPECT_THAT(Bodies(changes.comments), UnorderedElementsAre("parent", "reply"));
}

TEST_F(CommentChangesTest, AreNoneWhenOnlyTheArticleChanged) {
  Add("story", "comment");
  const int64_t before = Revision();
  ASSERT_TRUE(Publish(MakeArticle("story", "Other text.")).ok());
  const CommentChanges changes = Changes(before);
  EXPECT_THAT(changes.comments, IsEmpty());
  EXPECT_TRUE(changes.complete);
  EXPECT_EQ(changes.article_revision, before + 1);
  EXPECT_EQ(changes.comment_count, 1);
}

TEST_F(CommentChangesTest, TellWhatReadersNoLongerSeeAndNothingElseOfIt) {
  const std::string hidden = Add("story", "hidden");
  const std::string parent = Add("story", "parent");
  const std::string reply = Add("story", "reply", parent);
  int64_t before = Revision();
  ASSERT_TRUE(Moderate(hidden, v1::COMMENT_STATE_HIDDEN).ok());
  CommentChanges changes = Changes(before);
  ASSERT_THAT(changes.comments, SizeIs(1));
  EXPECT_EQ(changes.comments[0].name(), hidden);
  EXPECT_EQ(changes.comments[0].state(), v1::COMMENT_STATE_HIDDEN);
  EXPECT_EQ(changes.comments[0].body(), "");
  EXPECT_FALSE(changes.comments[0].has_author());
  EXPECT_EQ(changes.comment_count, 2);

  before = Revision();
  ASSERT_TRUE(Delete(parent).ok());  // a placeholder, above the reply
  changes = Changes(before);
  ASSERT_THAT(changes.comments, SizeIs(1));
  EXPECT_EQ(changes.comments[0].state(), v1::COMMENT_STATE_DELETED);
  EXPECT_EQ(changes.comments[0].reply_count(), 1);

  before = Revision();
  ASSERT_TRUE(Delete(reply).ok());  // which takes the placeholder with it
  changes = Changes(before);
  ASSERT_THAT(changes.comments, SizeIs(2));
  for (const v1::Comment& comment : changes.comments) {
    EXPECT_EQ(comment.state(), v1::COMMENT_STATE_DELETED);
    EXPECT_EQ(comment.reply_count(), 0);
    EXPECT_EQ(comment.body(), "");
  }
  EXPECT_EQ(changes.comment_count, 0);
}

TEST_F(CommentChangesTest, KeepSilentAboutWhatReadersNeverSaw) {
  v1::Article article = MakeArticle("story");
  article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  ASSERT_TRUE(Publish(article).ok());
  const std::string refused = Add("story", "refused");
  const std::string passed = Add("story", "passed");
  ASSERT_TRUE(Moderate(refused, v1::COMMENT_STATE_HIDDEN).ok());
  EXPECT_THAT(Changes(0).comments, IsEmpty());
  EXPECT_EQ(Changes(0).article_revision, Revision());
  ASSERT_TRUE(Moderate(passed, v1::COMMENT_STATE_VISIBLE).ok());
  EXPECT_THAT(Bodies(Changes(0).comments), ElementsAre("passed"));
  ASSERT_TRUE(Moderate(passed, v1::COMMENT_STATE_PENDING).ok());
  const CommentChanges changes = Changes(0);
  ASSERT_THAT(changes.comments, SizeIs(1));
  EXPECT_EQ(changes.comments[0].state(), v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(changes.comments[0].body(), "");
}

TEST_F(CommentChangesTest, ComeInBatchesThatHoldWholeRevisions) {
  for (int i = 0; i < 230; ++i) Add("story", absl::StrCat(i));
  // Many at one revision, where the first batch would end.
  Sql("UPDATE comment SET revision = 120 WHERE revision BETWEEN 91 AND 120");
  size_t batches = 0;
  const std::vector<v1::Comment> all = ReadAll(&batches);
  EXPECT_THAT(all, SizeIs(230));
  EXPECT_EQ(batches, 3);
  EXPECT_THAT(Changes(0).comments, SizeIs(119));
  EXPECT_FALSE(Changes(0).complete);
  EXPECT_EQ(Changes(0).article_revision, 120);
}

TEST_F(CommentChangesTest, ComeInBatchesThatAreNotTooLarge) {
  const std::string body = []() {
    std::string characters;
    for (int i = 0; i < kMaxCommentCharacters; ++i) characters += "\U0001F389";
    return characters;
  }();
  for (int i = 0; i < 90; ++i) Add("story", body);
  Sql("UPDATE comment SET revision = 80 WHERE revision BETWEEN 70 AND 80");
  const CommentChanges first = Changes(0);
  EXPECT_FALSE(first.complete);
  EXPECT_EQ(first.article_revision, 69);  // with those of 80 it would be over 3 MiB
  size_t batches = 0;
  EXPECT_THAT(ReadAll(&batches), SizeIs(90));
  EXPECT_EQ(batches, 2);

  Sql("UPDATE comment SET revision = 80");  // too large, but one revision
  const CommentChanges whole = Changes(0);
  EXPECT_THAT(whole.comments, SizeIs(90));
  EXPECT_TRUE(whole.complete);
}

TEST_F(CommentChangesTest, AreOfArticlesThatReadersSee) {
  Add("story", "comment");
  EXPECT_EQ(ReasonOfRead("story", Revision() + 1), "REVISION_NOT_REACHED");
  EXPECT_EQ(ReasonOfRead("nothing", 0), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(Rename({.id = "story", .new_id = "tale"}).ok());
  for (const char* name : {"story", "tale"}) {
    auto changes = Read(name, 0);
    ASSERT_TRUE(changes.ok());
    EXPECT_EQ(ParseCommentName(changes->comments.at(0).name())->article_id, "tale");
  }
  ASSERT_TRUE(Retract("tale").ok());
  EXPECT_EQ(ReasonOfRead("story", 0), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOfRead("tale", 0), "ARTICLE_NOT_FOUND");
}

TEST_F(CommentChangesTest, StatesAreToldOfManyAtOnce) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  Add("other", "comment");
  ASSERT_TRUE(Rename({.id = "other", .new_id = "tale"}).ok());
  ASSERT_TRUE(Publish(MakeArticle("gone")).ok());
  ASSERT_TRUE(Retract("gone").ok());
  const auto states = Await<std::vector<std::optional<ArticleState>>>([&](auto done) {
    store_->ReadArticleStates({}, {"tale", "gone", "story", "nothing", "other"}, std::move(done));
  });
  ASSERT_TRUE(states.ok());
  const auto at = [](int64_t revision) {
    return Optional(Field(&ArticleState::revision, revision));
  };
  EXPECT_THAT(*states, ElementsAre(at(3), Eq(std::nullopt), at(1), Eq(std::nullopt), at(3)));
}

// ---- Articles ----

class ArticleChangesTest : public StoreTest {
 protected:
  ArticleChanges Read(const ArticleCursor& after, absl::Time now) {
    auto changes = Await<ArticleChanges>(
        [&](auto done) { store_->ReadArticleChanges({}, after, now, std::move(done)); });
    EXPECT_TRUE(changes.ok()) << changes.status();
    return changes.ok() ? *std::move(changes) : ArticleChanges();
  }

  ArticleCursor CursorOfNow() {
    auto cursor =
        Await<ArticleCursor>([&](auto done) { store_->GetArticleCursor({}, std::move(done)); });
    EXPECT_TRUE(cursor.ok()) << cursor.status();
    return *cursor;
  }

  // Of a watcher who begins with all articles.
  ArticleCursor CursorOfAll() { return {.position = CursorOfNow().position}; }

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

  // Everything up to `now`, batch by batch.
  std::vector<ArticleChangeRecord> ReadAll(ArticleCursor& cursor, absl::Time now) {
    std::vector<ArticleChangeRecord> all;
    for (bool complete = false; !complete && !HasFailure();) {
      ArticleChanges changes = Read(cursor, now);
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

  // The same as descriptions. Who goes on after any of the changes must get exactly the rest.
  std::vector<std::string> Next(ArticleCursor& cursor, absl::Time now = absl::Now()) {
    const std::vector<ArticleChangeRecord> records = ReadAll(cursor, now);
    const std::vector<std::string> all = Describe(records);
    for (size_t i = 0; i<records.size(); i += records.size()> 20 ? 17 : 1) {
      ArticleCursor resumed = records[i].cursor;
      const std::vector<std::string> rest(all.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                          all.end());
      EXPECT_EQ(Describe(ReadAll(resumed, now)), rest) << "after " << all[i];
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

  void SetTitle(const std::string& id, const std::string& title) {
    ArticleEdit edit{.id = id, .article = {}, .paths = {"title"}};
    edit.article.set_title(title);
    EXPECT_TRUE(Edit(std::move(edit)).ok());
  }

  const absl::Time today_ = absl::Now();
  const absl::Time tomorrow_ = today_ + absl::Hours(24);
};

TEST_F(ArticleChangesTest, BeginWithAllThatReadersSeeOldestFirst) {
  Put("newest", today_ - absl::Hours(1));
  Put("oldest", today_ - absl::Hours(3));
  Put("scheduled", tomorrow_);
  Put("gone");
  ASSERT_TRUE(Retract("gone").ok());
  Put("middle", today_ - absl::Hours(2));
  SetTitle("oldest", "Changed");
  ArticleCursor cursor = CursorOfAll();
  EXPECT_THAT(Next(cursor),
              ElementsAre("published oldest", "published middle", "published newest"));
  EXPECT_THAT(Next(cursor), IsEmpty());
}

TEST_F(ArticleChangesTest, ACursorFromBeyondTheFeedIsRefused) {
  ArticleCursor cursor = CursorOfNow();
  cursor.position += 1;
  const auto changes = Await<ArticleChanges>(
      [&](auto done) { store_->ReadArticleChanges({}, cursor, absl::Now(), std::move(done)); });
  EXPECT_EQ(ReasonOf(changes.status()), "REVISION_NOT_REACHED");
}

TEST_F(ArticleChangesTest, ComeInTheOrderOfCommits) {
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

TEST_F(ArticleChangesTest, ShowTheArticleAsItStands) {
  Put("a");
  ArticleCursor cursor = CursorOfNow();
  ASSERT_TRUE(Rename({.id = "a", .new_id = "b"}).ok());
  ASSERT_TRUE(Rename({.id = "b", .new_id = "c"}).ok());
  Add("c", "comment");
  auto changes = Read(cursor, absl::Now());
  ASSERT_THAT(changes.changes, SizeIs(1));  // once, though it changed twice
  const v1::Article& article = changes.changes[0].article;
  EXPECT_EQ(article.name(), "articles/c");
  EXPECT_EQ(article.title(), "About a");
  EXPECT_EQ(article.body(), "");
  EXPECT_EQ(article.comment_count(), 1);
  EXPECT_EQ(article.revision(), 4);
  EXPECT_THAT(changes.changes[0].former_names, ElementsAre("articles/a", "articles/b"));

  ASSERT_TRUE(Retract("c").ok());
  changes = Read(changes.cursor, absl::Now());
  ASSERT_THAT(changes.changes, SizeIs(1));
  v1::Article retracted;
  retracted.set_name("articles/c");
  retracted.set_revision(5);
  EXPECT_EQ(changes.changes[0].article.SerializeAsString(), retracted.SerializeAsString());
}

TEST_F(ArticleChangesTest, AreNotCausedByComments) {
  Put("a");
  ArticleCursor cursor = CursorOfNow();
  Add("a", "comment");
  EXPECT_THAT(Next(cursor), IsEmpty());
}

TEST_F(ArticleChangesTest, AnotherPublishTimeInThePastIsAnUpdate) {
  Put("a", today_ - absl::Hours(9));
  ArticleCursor cursor = CursorOfNow();
  MoveTo("a", today_ - absl::Hours(1));
  EXPECT_THAT(Next(cursor), ElementsAre("updated a"));
}

TEST_F(ArticleChangesTest, AScheduledArticleComesWhenItsTimeHasCome) {
  ArticleCursor cursor = CursorOfNow();
  Put("a", tomorrow_);
  EXPECT_THAT(Next(cursor), IsEmpty());  // nobody has seen it
  EXPECT_THAT(Next(cursor, tomorrow_ - absl::Microseconds(1)), IsEmpty());
  EXPECT_THAT(Next(cursor, tomorrow_), ElementsAre("published a"));
  EXPECT_THAT(Next(cursor, tomorrow_), IsEmpty());
  EXPECT_THAT(Next(cursor, tomorrow_ + absl::Hours(1)), IsEmpty());
  // One who knew of nothing before gets it in the order of commits.
  ArticleCursor since_before{
      .position = 0, .time = today_, .known_position = 0, .known_time = today_};
  EXPECT_THAT(Next(since_before, tomorrow_), ElementsAre("published a"));
}

TEST_F(ArticleChangesTest, AnArticleThatIsPutOffComesAgainWhenItsTimeHasCome) {
  Put("a");
  ArticleCursor cursor = CursorOfNow();
  MoveTo("a", tomorrow_);
  EXPECT_THAT(Next(cursor), ElementsAre("retracted a"));
  EXPECT_THAT(Next(cursor, tomorrow_), ElementsAre("published a"));
}

TEST_F(ArticleChangesTest, WhatChangesBeforeAndAfterItsTimeIsToldApart) {
  Put("renamed", tomorrow_);
  Put("edited", tomorrow_);
  Put("late", tomorrow_);
  ArticleCursor cursor = CursorOfNow();
  ASSERT_TRUE(Rename({.id = "renamed", .new_id = "renamed2"}).ok());
  SetTitle("edited", "Changed");
  // Its time comes, and then it changes, before the watcher reads again.
  Sql("UPDATE article_state SET publish_time = now() WHERE article_id = 'late'");
  SetTitle("late", "Changed");
  ArticleCursor slow = cursor;
  EXPECT_THAT(Next(cursor), ElementsAre("published late"));
  EXPECT_THAT(Next(cursor, tomorrow_), ElementsAre("published edited", "published renamed2"));
  EXPECT_THAT(Next(slow, tomorrow_),
              ElementsAre("published renamed2", "published edited", "published late"));
  SetTitle("late", "Changed again");
  EXPECT_THAT(Next(cursor, tomorrow_), ElementsAre("updated late"));
}

TEST_F(ArticleChangesTest, ManyWhoseTimeIsTheSameComeEachOnce) {
  for (int i = 100; i < 350; ++i) Put(absl::StrCat("a", i), tomorrow_);
  ArticleCursor cursor = CursorOfNow();
  const std::vector<std::string> all = Next(cursor, tomorrow_);
  ASSERT_THAT(all, SizeIs(250));
  for (int i = 100; i < 350; ++i) {
    EXPECT_EQ(all[static_cast<size_t>(i) - 100], absl::StrCat("published a", i));
  }
}

TEST_F(ArticleChangesTest, WhoWasAwayForLongLearnsOfEachArticleOnceAndWhatBecameOfIt) {
  for (int i = 0; i < 5; ++i) Put(absl::StrCat("known", i));
  ArticleCursor cursor = CursorOfNow();
  std::map<std::string, std::string> expected;
  // Published first of all, with an old date, and changed last: on another page than its publishing
  // was.
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

TEST_F(ArticleChangesTest, WhatChangesWhileAWatcherBeginsIsNotMissed) {
  for (int i = 100; i < 250; ++i) Put(absl::StrCat("a", i), today_ - absl::Hours(1));
  const ArticleChanges first = Read(CursorOfAll(), absl::Now());
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

TEST_F(ArticleChangesTest, ComeInBatchesThatAreNotTooLarge) {
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
  const ArticleChanges first = Read(cursor, absl::Now());
  EXPECT_FALSE(first.complete);
  size_t bytes = 0;
  for (const auto& record : first.changes) bytes += record.article.ByteSizeLong();
  EXPECT_LE(bytes, kMaxReplyBytes);
  EXPECT_GT(bytes, kMaxReplyBytes * 9 / 10);
  EXPECT_THAT(Next(cursor), SizeIs(40));
}

TEST_F(ArticleChangesTest, WhatReadersNeverSawEndsSilently) {
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

TEST_F(ArticleChangesTest, WhatAFasterClockMayHaveShownEndsForAll) {
  Put("soon", absl::Now() + absl::Seconds(30));
  ArticleCursor cursor = CursorOfNow();
  ASSERT_TRUE(Retract("soon").ok());
  EXPECT_THAT(Next(cursor), ElementsAre("retracted soon"));
}

TEST_F(ArticleChangesTest, ACursorFromAFasterClockShowsNothingEarly) {
  Put("a", tomorrow_);
  ArticleCursor cursor = CursorOfNow();
  EXPECT_THAT(Next(cursor, tomorrow_), ElementsAre("published a"));
  EXPECT_THAT(Next(cursor, tomorrow_ - absl::Minutes(1)), IsEmpty());
  ASSERT_TRUE(Rename({.id = "a", .new_id = "b"}).ok());
  EXPECT_THAT(Next(cursor, tomorrow_ - absl::Minutes(1)), IsEmpty());
  EXPECT_THAT(Next(cursor, tomorrow_ + absl::Minutes(1)), ElementsAre("published b"));
}

TEST_F(ArticleChangesTest, WatchersReadAtTheSameTimeStandAtTheSamePlace) {
  ArticleCursor one = CursorOfNow();
  Put("a");
  ArticleCursor other = CursorOfNow();
  const absl::Time now = absl::Now();
  one = Read(one, now).cursor;
  other = Read(other, now).cursor;
  EXPECT_EQ(one.position, other.position);
  EXPECT_EQ(one.time, other.time);
  EXPECT_EQ(one.known_position, other.known_position);
  EXPECT_EQ(one.known_time, other.known_time);
}

}  // namespace
}  // namespace content::store
