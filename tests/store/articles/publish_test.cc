#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"
#include "support/locks.h"
#include "support/pending.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Pending;
using ::testing::UnorderedElementsAre;

class PublishArticleTest : public StoreTest {};

TEST_F(PublishArticleTest, PublishingTheSameContentAgainChangesNothing) {
  ASSERT_TRUE(Publish(MakeArticle("same")).ok());
  const auto again = Publish(MakeArticle("same"));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(GetOne("same").revision(), 1);
}

TEST_F(PublishArticleTest, PublishingCompletesTheArticle) {
  v1::Article article;
  article.set_title("A Title");
  article.set_body("# One\n\nSome text.\n\n# Two\n\nMore.");
  const auto published = Publish(article, {.may_replace = false});
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->article.name(), "articles/a-title");
  EXPECT_EQ(published->article.sections_size(), 2);
  EXPECT_EQ(published->article.word_count(), 5);

  article.set_title("?");
  EXPECT_EQ(Publish(article).status().message(),
            "article.name is required: no id can be derived from the title");
}

TEST_F(PublishArticleTest, ReplacingKeepsCommentsPolicyAndPublishTime) {
  v1::Article first = MakeArticle("kept");
  first.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  ASSERT_TRUE(Publish(first).ok());
  const v1::Article before = GetOne("kept");
  ASSERT_TRUE(Create(MakeComment("kept", "hello")).ok());

  const auto replaced = Publish(MakeArticle("kept", "Other text."));
  ASSERT_TRUE(replaced.ok());
  EXPECT_EQ(replaced->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  const v1::Article after = GetOne("kept");
  EXPECT_EQ(after.body(), "Other text.");
  EXPECT_EQ(after.publish_time(), before.publish_time());
  EXPECT_EQ(after.comment_policy(), v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_EQ(after.revision(), 3);
  EXPECT_EQ(after.etag(), "3");
}

TEST_F(PublishArticleTest, DoesNotReplaceAnArticleThatWasNotNamed) {
  const PublishOptions unnamed{.may_replace = false};
  ASSERT_TRUE(Publish(MakeArticle("taken"), unnamed).ok());
  EXPECT_EQ(Publish(MakeArticle("taken"), unnamed)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  const auto refused = Publish(MakeArticle("taken", "Another text."), unnamed);
  EXPECT_EQ(ReasonOf(refused.status()), "ARTICLE_EXISTS");
  EXPECT_EQ(GetOne("taken").body(), "Some text.");
}

TEST_F(PublishArticleTest, ReplacesOnlyTheVersionOfTheEtag) {
  ASSERT_TRUE(Publish(MakeArticle("guarded")).ok());
  v1::Article stale = MakeArticle("guarded", "Two.");
  stale.set_etag("7");
  EXPECT_EQ(ReasonOf(Publish(stale).status()), "ETAG_MISMATCH");
  stale.set_etag(GetOne("guarded").etag());
  EXPECT_TRUE(Publish(stale).ok());
  v1::Article absent = MakeArticle("absent");
  absent.set_etag("1");
  EXPECT_EQ(ReasonOf(Publish(absent).status()), "ETAG_MISMATCH");
  EXPECT_FALSE(Exists("absent"));
}

TEST_F(PublishArticleTest, PublishingTheSameContentSucceedsWithAStaleEtag) {
  ASSERT_TRUE(Publish(MakeArticle("repeated")).ok());
  v1::Article again = MakeArticle("repeated");
  again.set_etag("0");
  EXPECT_EQ(Publish(again)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
}

TEST_F(PublishArticleTest, ValidatingAnArticleChangesNothing) {
  const PublishOptions validate{.validate_only = true};
  const auto preview = Publish(MakeArticle("draft"), validate);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->outcome, v1::PUBLISH_OUTCOME_UNSPECIFIED);
  EXPECT_EQ(preview->article.comment_policy(), v1::COMMENT_POLICY_OPEN);
  EXPECT_TRUE(preview->article.has_publish_time());
  EXPECT_EQ(preview->article.revision(), 0);
  EXPECT_EQ(preview->article.etag(), "");
  EXPECT_FALSE(Exists("draft"));

  ASSERT_TRUE(Publish(MakeArticle("draft")).ok());
  ASSERT_TRUE(Publish(MakeArticle("draft", "Other text."), validate).ok());
  EXPECT_EQ(GetOne("draft").body(), "Some text.");
  v1::Article stale = MakeArticle("draft", "Other text.");
  stale.set_etag("9");
  EXPECT_EQ(ReasonOf(Publish(stale, validate).status()), "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(Publish(MakeArticle("draft", "Other text."),
                             {.may_replace = false, .validate_only = true})
                         .status()),
            "ARTICLE_EXISTS");
}

TEST_F(PublishArticleTest, OnlyANewTextChangesTheEtag) {
  ASSERT_TRUE(Publish(MakeArticle("shown")).ok());
  const v1::Article before = GetOne("shown");
  v1::Article closed = MakeArticle("shown");
  closed.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
  EXPECT_EQ(Publish(closed)->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_EQ(GetOne("shown").comment_policy(), v1::COMMENT_POLICY_CLOSED);
  EXPECT_EQ(GetOne("shown").etag(), before.etag());
  EXPECT_EQ(GetOne("shown").update_time(), before.update_time());
  EXPECT_EQ(GetOne("shown").revision(), 2);
}

TEST_F(PublishArticleTest, ACommentDoesNotChangeTheArticlesEtag) {
  ASSERT_TRUE(Publish(MakeArticle("etag")).ok());
  Add("etag", "hello");
  EXPECT_EQ(GetOne("etag").etag(), "1");
  EXPECT_EQ(GetOne("etag").revision(), 2);
}

TEST_F(PublishArticleTest, ARetractedArticleIsGoneUntilPublishedAgain) {
  ASSERT_TRUE(Publish(MakeArticle("gone")).ok());
  const std::string comment = Add("gone", "hello");
  EXPECT_EQ(*Retract("gone"), 3);
  EXPECT_EQ(*Retract("gone"), 3);
  v1::Article stale = MakeArticle("gone");
  stale.set_etag("0");
  EXPECT_EQ(ReasonOf(Publish(stale).status()), "ETAG_MISMATCH");
  EXPECT_FALSE(Exists("gone"));
  EXPECT_THAT(ListTitles({.page_size = 10}), IsEmpty());
  EXPECT_EQ(ReasonOf(List({.article_id = "gone", .page_size = 1}).status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Create(MakeComment("gone", "more")).status()), "ARTICLE_NOT_FOUND");

  const auto back = Publish(MakeArticle("gone"), {.may_replace = false});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_EQ(GetOne("gone").comment_count(), 1);
}

TEST_F(PublishArticleTest, RetractingNeedsAnArticleAndItsCurrentEtag) {
  EXPECT_EQ(ReasonOf(Retract("none").status()), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(Publish(MakeArticle("held")).ok());
  EXPECT_EQ(ReasonOf(Retract("held", "9").status()), "ETAG_MISMATCH");
  EXPECT_EQ(*Retract("held", "1"), 2);
}

TEST_F(PublishArticleTest, ARetractedArticleComesBackUnchanged) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string comment = Add("post", "hello");
  const v1::Article before = GetOne("post");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(*Retract("post", "stale"), 3) << "it is retracted already";
  const auto inspected = Inspect("post");
  ASSERT_TRUE(inspected.ok()) << inspected.status();
  EXPECT_TRUE(inspected->retracted);
  EXPECT_EQ(inspected->article.body(), "Some text.");
  EXPECT_THAT(inspected->former_names, IsEmpty());
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  v1::Article after = GetOne("post");
  EXPECT_EQ(after.revision(), 4);
  after.set_revision(before.revision());
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
  EXPECT_TRUE(GetComment(comment).ok());
  EXPECT_EQ(ReasonOf(Inspect("none").status()), "ARTICLE_NOT_FOUND");
}

TEST_F(PublishArticleTest, ListsSearchAndCommentsFollowThePublishTime) {
  v1::Article article = MakeOtherArticle();
  article.set_name("articles/post");
  ASSERT_TRUE(CompleteArticle("article", article).ok());
  ASSERT_TRUE(Publish(article).ok());
  const std::string comment = Add("post", "waits");
  ArticleEdit edit{.id = "post", .article = article, .paths = {"publish_time"}};
  *edit.article.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Edit(edit).ok());
  EXPECT_FALSE(Exists("post"));
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 9}), IsEmpty());
  EXPECT_THAT(ListTitles({.author = "Ana", .page_size = 9}), IsEmpty());
  EXPECT_EQ(ReasonOf(GetComment(comment).status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(comment).status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(Inspect("post")->article.publish_time(), edit.article.publish_time());
  EXPECT_FALSE(Inspect("post")->retracted);
  constexpr char kCountTimes[] =
      "SELECT count(DISTINCT publish_time) FROM (SELECT publish_time FROM article_label "
      "UNION ALL SELECT publish_time FROM article_search UNION ALL "
      "SELECT publish_time FROM article_state) AS everywhere";
  EXPECT_EQ(Sql(kCountTimes), "2") << "while it is scheduled, searches skip it";
  const std::string earlier = testing::Before("publish_time", "2 hours");
  Sql("UPDATE article_state SET publish_time = " + earlier);
  Sql("UPDATE article_label SET publish_time = " + earlier);
  ReleaseDueArticles();
  EXPECT_EQ(Sql(kCountTimes), "1");
}

// The same happens if the clock of the database was ahead when the articles were published.
TEST_F(PublishArticleTest, ArticlesStayWhenTheClockOfTheDatabaseGoesBack) {
  v1::Article scheduled = MakeArticle("scheduled");
  *scheduled.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(24)));
  v1::Article unscheduled = MakeArticle("unscheduled");
  unscheduled.clear_publish_time();
  for (const v1::Article& article : {scheduled, unscheduled}) {
    ASSERT_TRUE(Publish(article).ok());
  }
  Sql("UPDATE article_state SET publish_time = now() WHERE scheduled");
  ReleaseDueArticles();
  for (const char* table : {"article_state", "article_label", "article_search"}) {
    Sql(absl::StrCat("UPDATE ", table, " SET publish_time = now() + interval '1 hour'"));
  }

  const auto expect_all = [&](const std::vector<std::string>& names) {
    EXPECT_THAT(ListTitles({.page_size = 9}),
                UnorderedElementsAre("About scheduled", "About unscheduled"));
    for (const std::string& name : names) {
      EXPECT_TRUE(Exists(name)) << name;
      EXPECT_TRUE(Create(MakeComment(name, "text")).ok()) << name;
    }
  };
  expect_all({"scheduled", "unscheduled"});
  ReleaseDueArticles();
  v1::Article changes;
  changes.set_summary("Changed.");
  for (const char* id : {"scheduled", "unscheduled"}) {
    ASSERT_TRUE(Edit({.id = id, .article = changes, .paths = {"summary"}}).ok());
    ASSERT_TRUE(Rename({.id = id, .new_id = absl::StrCat(id, "-2")}).ok());
  }
  expect_all({"scheduled-2", "unscheduled-2"});
}

TEST_F(PublishArticleTest, TheUpdateTimeNeverGoesBack) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Sql("UPDATE article SET update_time = " + testing::Before("update_time", "-1 hour"));
  const v1::Article before = GetOne("post");
  v1::Article changes;
  changes.set_summary("Changed.");
  ASSERT_TRUE(Edit({.id = "post", .article = changes, .paths = {"summary"}}).ok());
  EXPECT_EQ(TimeUtil::ToString(GetOne("post").update_time()),
            TimeUtil::ToString(before.update_time()));
}

TEST_F(PublishArticleTest, AScheduledArticleIsReleasedOnceWhoeverDoesIt) {
  v1::Article article = MakeArticle("soon");
  *article.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(24)));
  ASSERT_TRUE(Publish(article).ok());
  const auto other = *Open(url_);
  Sql("UPDATE article_state SET publish_time = now()");
  {
    std::vector<std::jthread> servers;
    for (Store* store : {store_.get(), other.get(), store_.get(), other.get()}) {
      servers.emplace_back([store] {
        const auto due_in = Await<absl::Duration>(
            [&](auto done) { store->ReleaseNextArticle({}, std::move(done)); });
        EXPECT_TRUE(due_in.ok()) << due_in.status();
      });
    }
  }
  EXPECT_TRUE(Exists("soon"));
  EXPECT_EQ(Sql("SELECT position FROM article_feed"), "2") << "one for each change";
}

// Publishes scheduled articles, of which the first is due first, and makes them due.
class ReleaseTest : public StoreTest {
 protected:
  void MakeDue(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      v1::Article article = MakeArticle(id);
      *article.mutable_publish_time() =
          TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(24)));
      ASSERT_TRUE(Publish(article).ok());
      Sql("UPDATE article_state SET publish_time = " + testing::Before("publish_time", "25 hours") +
          " WHERE first_name = '" + id + "'");
    }
  }

  absl::StatusOr<absl::Duration> Release(Store& store) {
    return Await<absl::Duration>([&](auto done) { store.ReleaseNextArticle({}, std::move(done)); });
  }
};

TEST_F(ReleaseTest, ALockedArticleHoldsNothingUp) {
  MakeDue({"first", "second"});
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_, "first_name = 'first'"));
  EXPECT_EQ(*Release(*store_), absl::ZeroDuration());
  EXPECT_TRUE(Exists("second"));
  EXPECT_EQ(*Release(*store_), absl::Seconds(1)) << "the one that is due is locked";
  EXPECT_FALSE(Exists("first"));
  EXPECT_TRUE(Publish(MakeArticle("other")).ok());
  session.Run("COMMIT");
  EXPECT_EQ(*Release(*store_), absl::ZeroDuration());
  EXPECT_TRUE(Exists("first"));
  EXPECT_EQ(*Release(*store_), absl::InfiniteDuration());
}

TEST_F(ReleaseTest, AWriteThatWaitsForALockHoldsNothingUp) {
  ASSERT_TRUE(Publish(MakeArticle("locked")).ok());
  MakeDue({"due"});
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_, "first_name = 'locked'"));
  Pending<PublishedArticle> waits;
  store_->PublishArticle({}, MakeArticle("locked", "Other text."), {}, waits.callback());
  testing::AwaitWaitersForLocks(url_, 1);
  EXPECT_EQ(*Release(*store_), absl::ZeroDuration());
  EXPECT_FALSE(waits.is_answered());
  EXPECT_TRUE(Exists("due"));
  session.Run("COMMIT");
  EXPECT_TRUE(waits.Get().ok());
}

TEST_F(ReleaseTest, ADamagedArticleHoldsNothingUp) {
  MakeDue({"damaged", "gone", "never", "last"});
  Sql("UPDATE article SET authors = '7' WHERE " + OfArticle("damaged") +
      "; DELETE FROM article_search WHERE " + OfArticle("gone") +
      "; DELETE FROM article_label WHERE " + OfArticle("gone") + "; DELETE FROM article WHERE " +
      OfArticle("gone") +
      "; UPDATE article_state SET publish_time = '-infinity' WHERE first_name = 'never'");
  ReleaseDueArticles();
  EXPECT_TRUE(Exists("last"));
}

TEST_F(ReleaseTest, AReleaseWhoseCommitWasInDoubtIsAnnounced) {
  for (const auto cut : {testing::Proxy::Cut::kBeforeCommit, testing::Proxy::Cut::kAfterCommit}) {
    const std::string id = cut == testing::Proxy::Cut::kBeforeCommit ? "before" : "after";
    MakeDue({id});
    testing::Proxy proxy(url_);
    const std::unique_ptr<Store> store =
        *NewPostgresStore({.url = proxy.url(), .notifications = false});
    std::vector<std::string> announced;
    const auto subscription = store->Subscribe(
        [&](const ChangeNotice& notice) { announced.push_back(notice.state.article_id); });
    proxy.CutNextCommit(cut);
    EXPECT_TRUE(Release(*store).ok());
    EXPECT_THAT(announced, ElementsAre(id));
    EXPECT_TRUE(Exists(id));
  }
}

TEST_F(PublishArticleTest, AScheduledArticleAppearsAtItsTime) {
  v1::Article article = MakeArticle("soon");
  article.add_tags("sea");
  const absl::Time due = absl::Now() + absl::Milliseconds(300);
  *article.mutable_publish_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(due));
  ASSERT_TRUE(Publish(article).ok());
  EXPECT_FALSE(Exists("soon"));
  while (!Exists("soon")) {
    ASSERT_LT(absl::Now(), due + absl::Seconds(20));
    ReleaseDueArticles();
  }
  EXPECT_GE(absl::Now(), due);
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 9}), ElementsAre("About soon"));
  EXPECT_EQ(GetOne("soon").revision(), 1);
}

// ---- The feed ----

TEST_F(PublishArticleTest, EveryChangeButACommentMovesAnArticleToTheEndOfTheFeed) {
  const auto feed = [this] {
    return Sql(
        "WITH named AS (SELECT article_key, first_name, feed_position FROM article_state) "
        "SELECT string_agg(first_name, ' ' ORDER BY position) || ' ' || "
        "max(position) - (SELECT position FROM article_feed) FROM article_change "
        "JOIN named USING (article_key) WHERE feed_position = position");
  };
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  EXPECT_EQ(feed(), "a b c 0");
  ASSERT_TRUE(Publish(MakeArticle("a", "Other text.")).ok());
  EXPECT_EQ(feed(), "b c a 0");
  ASSERT_TRUE(Edit({.id = "b", .article = MakeOtherArticle(), .paths = {"comment_policy"}}).ok());
  EXPECT_EQ(feed(), "c a b 0");
  ASSERT_TRUE(Rename({.id = "c", .new_id = "x"}).ok());
  EXPECT_EQ(feed(), "a b c 0");
  ASSERT_TRUE(Retract("a").ok());
  EXPECT_EQ(feed(), "b c a 0");
  Add("b", "hello");
  ASSERT_TRUE(Publish(MakeArticle("c")).ok());
  ASSERT_TRUE(Retract("a").ok());
  EXPECT_EQ(feed(), "b c a 0") << "nothing changed";
}

TEST_F(PublishArticleTest, TheFeedRemembersWhenAnArticleLastAppeared) {
  const auto appeared = [this] {
    return Sql("SELECT published_position || ' of ' || feed_position FROM article_state");
  };
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_EQ(appeared(), "1 of 1");
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text.")).ok());
  EXPECT_EQ(appeared(), "1 of 2");
  ASSERT_TRUE(Retract("post").ok());
  ASSERT_TRUE(Edit({.id = "post", .article = MakeOtherArticle(), .paths = {"summary"}}).ok());
  EXPECT_EQ(appeared(), "1 of 4");
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_EQ(appeared(), "5 of 5");
}

TEST_F(PublishArticleTest, TheFeedIsInCommitOrder) {
  constexpr int kPublishers = 4;
  constexpr int kEach = 15;
  std::atomic<int> at_work = kPublishers;
  std::vector<std::jthread> publishers;
  for (int publisher = 0; publisher < kPublishers; ++publisher) {
    publishers.emplace_back([&, publisher] {
      const std::unique_ptr<Store> store = *Open(url_);
      for (int i = 0; i < kEach; ++i) {
        const auto published = Await<PublishedArticle>([&](auto done) {
          const std::string id = absl::StrCat("by-", publisher, "-", i);
          store->PublishArticle({}, MakeArticle(id), {}, std::move(done));
        });
        EXPECT_TRUE(published.ok()) << published.status();
      }
      --at_work;
    });
  }
  // Nothing new appears before a position that was read up to.
  std::string last = "0";
  int seen = 0;
  for (bool done = false; !done;) {
    done = at_work == 0;
    const std::string read =
        Sql(absl::StrCat("SELECT count(*) || ' ' || coalesce(max(position), ", last,
                         ") FROM article_change WHERE position > ", last));
    const std::pair<std::string, std::string> count_and_last = absl::StrSplit(read, ' ');
    seen += std::stoi(count_and_last.first);
    last = count_and_last.second;
    ASSERT_EQ(std::stoi(last), seen) << "no position is used twice or left out";
  }
  EXPECT_EQ(seen, kPublishers * kEach);
}

}  // namespace
}  // namespace content::store
