#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"
#include "support/locks.h"
#include "support/missing_standby.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class AuthorsTest : public StoreTest {
 protected:
  void SetUp() override {
    for (const char* id : {"first", "second"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  }

  // Name of a new comment.
  std::string AddBy(const std::string& author, const std::string& article, const std::string& body,
                    const std::string& reply_to = "") {
    NewComment comment = MakeComment(article, body, reply_to);
    comment.author.set_id(author);
    return NameOf(Create(std::move(comment)));
  }

  // Bodies of all comments of the author, over all pages.
  std::vector<std::string> ExportAll(const std::string& author) {
    std::vector<std::string> bodies;
    std::string after;
    do {
      const auto page = Export(author, after);
      if (!page.ok()) {
        ADD_FAILURE() << page.status();
        return bodies;
      }
      EXPECT_LE(page->items.size(), 200U);
      size_t bytes = 0;
      for (const auto& comment : page->items) {
        EXPECT_EQ(comment.author().id(), author);
        bodies.push_back(comment.body());
        bytes += comment.ByteSizeLong();
      }
      EXPECT_LE(bytes, 1U << 20);
      after = page->next_key;
    } while (!after.empty());
    return bodies;
  }

  struct Erasure {
    int64_t comments = 0;
    std::multiset<std::string> articles = {};
    int steps = 0;
  };

  // Erases until no comment is left.
  Erasure EraseAll(const std::string& author) {
    Erasure erasure;
    while (true) {
      const auto erased = Erase(author);
      if (!erased.ok()) {
        ADD_FAILURE() << erased.status();
        return erasure;
      }
      erasure.comments += erased->comment_count;
      erasure.articles.insert(erased->articles.begin(), erased->articles.end());
      if (erased->complete) {
        EXPECT_EQ(erased->comment_count, 0);
        return erasure;
      }
      ++erasure.steps;
    }
  }

  // Checks that all counters are right.
  void ExpectExactCounts() {
    const auto verified = Verify({});
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_THAT(verified->drifts, IsEmpty());
  }
};

TEST_F(AuthorsTest, ExportsAllCommentsOfAnAuthorByArticle) {
  AddBy("ana", "second", "on the second");
  const std::string hidden = AddBy("ana", "first", "hidden");
  AddBy("ben", "first", "by another");
  const std::string deleted = AddBy("ana", "first", "deleted");
  AddBy("ana", "first", "visible");
  ASSERT_TRUE(Moderate(hidden, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Delete(deleted).ok());
  ASSERT_TRUE(Retract("second").ok());
  ASSERT_TRUE(Rename({.id = "first", .new_id = "zero"}).ok());
  const auto page = Export("ana");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->items, SizeIs(3));
  EXPECT_EQ(page->next_key, "");
  EXPECT_EQ(page->items[0].body(), "hidden");
  EXPECT_EQ(page->items[0].state(), v1::COMMENT_STATE_HIDDEN);
  EXPECT_EQ(ParseCommentName(page->items[0].name())->article_id, "zero");
  EXPECT_EQ(page->items[1].body(), "visible");
  EXPECT_EQ(page->items[2].body(), "on the second");
}

TEST_F(AuthorsTest, ExportsNothingForAnAuthorWithoutComments) {
  ASSERT_TRUE(Delete(AddBy("ana", "first", "deleted")).ok());
  EXPECT_THAT(ExportAll("ana"), IsEmpty());
  EXPECT_THAT(ExportAll("nobody"), IsEmpty());
}

TEST_F(AuthorsTest, ExportsPageByPage) {
  std::vector<std::string> expected;
  for (const char* article : {"first", "second"}) {
    for (int i = 0; i < 201; ++i) {
      expected.push_back(absl::StrCat(article, i));
      AddBy("ana", article, expected.back());
    }
  }
  EXPECT_EQ(ExportAll("ana"), expected);
  for (int i = 0; i < 60; ++i) AddBy("ben", "first", std::string(kMaxCommentCharacters * 4, 'x'));
  EXPECT_THAT(ExportAll("ben"), SizeIs(60));
}

// A damaged database. What is on the missing article cannot be erased, and is not said to be.
TEST_F(AuthorsTest, ErasesTheOthersIfAnArticleIsMissing) {
  for (const char* article : {"first", "second"}) AddBy("ana", article, "mine");
  Sql("DELETE FROM article_state WHERE name = 'first'");
  const auto erased = Erase("ana");
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_THAT(erased->articles, ElementsAre("second"));
  EXPECT_EQ(Erase("ana").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE author_id = 'ana'"), "1");
}

TEST_F(AuthorsTest, ErasesTextAndAuthorButKeepsRepliesByOthers) {
  const std::string mine = AddBy("ana", "first", "mine");
  const std::string reply = AddBy("ben", "first", "a reply", mine);
  const std::string lone = AddBy("ana", "first", "lone", reply);
  AddBy("ana", "second", "on the second");

  const Erasure erasure = EraseAll("ana");
  EXPECT_EQ(erasure.comments, 3);
  EXPECT_THAT(erasure.articles, UnorderedElementsAre("first", "second"));

  const auto placeholder = GetComment(mine);
  ASSERT_TRUE(placeholder.ok()) << placeholder.status();
  EXPECT_EQ(placeholder->state(), v1::COMMENT_STATE_DELETED);
  EXPECT_FALSE(placeholder->has_author());
  EXPECT_EQ(placeholder->body(), "");
  EXPECT_EQ(placeholder->reply_count(), 1);
  EXPECT_EQ(GetComment(reply)->reply_count(), 0);
  EXPECT_EQ(ReasonOf(GetComment(lone).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(GetOne("first").comment_count(), 1);
  EXPECT_EQ(GetOne("second").comment_count(), 0);
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE author_id = 'ana' OR body LIKE '%mine%'"), "0");
  ExpectExactCounts();
}

TEST_F(AuthorsTest, EachErasureIsARevisionOfItsArticle) {
  const std::string one = AddBy("ana", "first", "one");
  const std::string two = AddBy("ana", "first", "two", one);
  AddBy("ben", "first", "a reply", two);
  const int64_t before = GetOne("first").revision();
  EraseAll("ana");
  EXPECT_EQ(GetOne("first").revision(), before + 2);
  EXPECT_EQ(GetComment(one)->revision(), before + 1);
  EXPECT_EQ(GetComment(two)->revision(), before + 2);
  EXPECT_EQ(GetComment(two)->etag(), absl::StrCat(before + 2));
}

// Without a shown comment the whole thread goes, placeholders included.
TEST_F(AuthorsTest, ErasesAWholeThreadByOneAuthor) {
  std::string name;
  for (int depth = 0; depth < 20; ++depth) name = AddBy("ana", "first", "deeper", name);
  EXPECT_EQ(EraseAll("ana").comments, 20);
  EXPECT_THAT(ListBodies({.article_id = "first", .page_size = 50}), IsEmpty());
  ExpectExactCounts();
}

TEST_F(AuthorsTest, ErasesPendingAndHiddenCommentsAlsoOnRetractedArticles) {
  ASSERT_TRUE(Moderate(AddBy("ana", "first", "a"), v1::COMMENT_STATE_PENDING).ok());
  ASSERT_TRUE(Moderate(AddBy("ana", "first", "b"), v1::COMMENT_STATE_HIDDEN).ok());
  AddBy("ana", "second", "c");
  ASSERT_TRUE(Retract("second").ok());
  ASSERT_TRUE(Rename({.id = "first", .new_id = "renamed"}).ok());
  const Erasure erasure = EraseAll("ana");
  EXPECT_EQ(erasure.comments, 3);
  EXPECT_THAT(erasure.articles, UnorderedElementsAre("first", "second"));
  EXPECT_THAT(ExportAll("ana"), IsEmpty());
  ExpectExactCounts();
}

TEST_F(AuthorsTest, ErasesALimitedNumberAtATime) {
  for (int i = 0; i < 103; ++i) AddBy("ana", "first", absl::StrCat(i));
  const auto some = Erase("ana");
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_EQ(some->comment_count, 100);
  EXPECT_THAT(some->articles, ElementsAre("first"));
  EXPECT_FALSE(some->complete);
  EXPECT_EQ(GetOne("first").comment_count(), 3);
  EXPECT_EQ(EraseAll("ana").comments, 3);
  EXPECT_EQ(EraseAll("ana").comments, 0);  // nothing is left
  ExpectExactCounts();
}

TEST_F(AuthorsTest, DoesNotCountWhatAnotherCallErases) {
  AddBy("ana", "first", "hello");
  testing::Session other(url_);
  other.Run("BEGIN; " + testing::LockArticles(url_, "first_name = 'first'"));
  auto answer = std::async(std::launch::async, [&] { return Erase("ana"); });
  testing::AwaitWaitersForLocks(url_, 1);
  other.Run("UPDATE comment SET author_id = '', body = '', state = 4; COMMIT");
  const auto erased = answer.get();
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(erased->comment_count, 0);
  EXPECT_THAT(erased->articles, IsEmpty());
  EXPECT_FALSE(erased->complete);
  EXPECT_TRUE(Erase("ana")->complete);
}

// Concurrent erasures count each comment exactly once.
TEST_F(AuthorsTest, CountsEachCommentOnceAmongConcurrentErasures) {
  const std::unique_ptr<Store> other = *NewPostgresStore({.url = url_, .write_connections = 4});
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) {
    names.push_back(AddBy("ana", i % 2 == 0 ? "first" : "second", absl::StrCat(i)));
    AddBy("ben", i % 2 == 0 ? "first" : "second", "a reply", names.back());
  }
  std::atomic<int64_t> erased = 0;
  {
    std::vector<std::jthread> erasers;
    for (int i = 0; i < 3; ++i) {
      erasers.emplace_back([&] {
        bool complete = false;
        while (!complete) {
          const auto step = Await<ErasedComments>(
              [&](auto done) { other->EraseAuthor({}, {"ana"}, std::move(done)); });
          ASSERT_TRUE(step.ok()) << step.status();
          erased += step->comment_count;
          complete = step->complete;
        }
      });
    }
    erasers.emplace_back([&] {
      for (int i = 0; i < 40; ++i) AddBy("ben", i % 2 == 0 ? "first" : "second", "meanwhile");
    });
  }
  EXPECT_EQ(erased, 60);
  EXPECT_EQ(GetOne("first").comment_count() + GetOne("second").comment_count(), 100);
  ExpectExactCounts();
}

// The connection breaks at the commit of the first batch. Whether or not that was committed, it is
// counted once, and announced before the caller is answered.
TEST_F(AuthorsTest, ReportsABatchWhoseCommitWasInDoubt) {
  for (const auto cut : {testing::Proxy::Cut::kBeforeCommit, testing::Proxy::Cut::kAfterCommit}) {
    AddBy("ana", "first", "one");
    AddBy("ana", "first", "two");
    AddBy("ana", "second", "three");
    testing::Proxy proxy(url_);
    const std::unique_ptr<Store> store =
        *NewPostgresStore({.url = proxy.url(), .notifications = false});
    std::vector<std::string> announced;
    const auto subscription = store->Subscribe(
        [&](const ChangeNotice& notice) { announced.push_back(notice.state.article_id); });
    const auto erase = [&] {
      return Await<ErasedComments>(
          [&](auto done) { store->EraseAuthor({}, {"ana"}, std::move(done)); });
    };
    proxy.CutNextCommit(cut);
    const auto erased = erase();
    ASSERT_TRUE(erased.ok()) << erased.status();
    EXPECT_EQ(erased->comment_count, 2);
    EXPECT_THAT(erased->articles, ElementsAre("first"));
    EXPECT_FALSE(erased->complete);
    EXPECT_THAT(announced, ElementsAre("first"));
    EXPECT_EQ(erase()->comment_count, 1);
    EXPECT_TRUE(erase()->complete);
  }
  ExpectExactCounts();
}

// Neither the comments nor that there are no others.
TEST_F(AuthorsTest, ClaimsNothingToBeErasedBeforeAStandbyHasThat) {
  if (testing::OnCitus()) GTEST_SKIP() << "the workers have standbys of their own";
  AddBy("ana", "first", "one");
  const auto erase = [this] { return Erase("ana"); };
  const auto erased =
      testing::AnswerOnceAStandbyHasIt(url_, &testing::MissingStandby::Terminate, erase);
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(erased->comment_count, 1);
  const auto last = testing::AnswerOnceAStandbyHasIt(url_, nullptr, erase);
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_TRUE(last->complete);
}

// Another call erases the same comments while the first commit, which never arrives, is in doubt.
TEST_F(AuthorsTest, DoesNotClaimWhatAnotherCallErasedWhileTheCommitWasInDoubt) {
  AddBy("ana", "first", "one");
  AddBy("ana", "second", "two");
  testing::Proxy proxy(url_);
  const std::unique_ptr<Store> store =
      *NewPostgresStore({.url = proxy.url(), .notifications = false});
  std::atomic<int64_t> erased_meanwhile = 0;
  proxy.CutNextCommit(testing::Proxy::Cut::kBeforeCommit,
                      [&] { erased_meanwhile = Erase("ana")->comment_count; });
  const auto erased =
      Await<ErasedComments>([&](auto done) { store->EraseAuthor({}, {"ana"}, std::move(done)); });
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(erased_meanwhile, 1);
  EXPECT_THAT(erased->articles, ElementsAre("second"));
  EXPECT_EQ(erased->comment_count, 1);
}

}  // namespace
}  // namespace content::store
