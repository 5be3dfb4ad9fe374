// Writes of comments that share a transaction.

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"
#include "support/locks.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using testing::Proxy;
using ::testing::SizeIs;

using Created = std::future<absl::StatusOr<v1::Comment>>;

template <class Change>
Created Start(CommentWrites& store,
              void (CommentWrites::*method)(CallContext, Change, Callback<v1::Comment>),
              Change change, CallContext context = {}) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<v1::Comment>>>();
  Created answer = promise->get_future();
  (store.*method)(
      std::move(context), std::move(change),
      [promise](absl::StatusOr<v1::Comment> comment) { promise->set_value(std::move(comment)); });
  return answer;
}

Created Start(Store& store, NewComment comment, CallContext context = {}) {
  return Start<NewComment>(store, &CommentWrites::CreateComment, std::move(comment),
                           std::move(context));
}

class WriteBatchesTest : public StoreTest {
 protected:
  void SetUp() override {
    for (const char* id : {"gate", "post", "other"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  }

  void PublishMany(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(Publish(MakeArticle(absl::StrCat("a", i))).ok());
  }

  // Takes the article's lock, so that writes to it wait until Unlock.
  void Lock(const std::string& article) {
    session_.Run("BEGIN; " +
                 testing::LockArticles(url_, absl::StrCat("first_name = '", article, "'")));
  }
  void Unlock() { session_.Run("ROLLBACK"); }

  // The one connection of `store` waits until Unlock.
  void Occupy(Store& store) {
    Lock("gate");
    gate_ = Start(store, MakeComment("gate", "first"));
    testing::AwaitWaitersForLocks(url_, 1);
  }

  static std::unique_ptr<Store> OpenNarrow(const std::string& url) {
    return *NewPostgresStore({.url = url, .write_connections = 1});
  }

  // Number of transactions that wrote the comments that meet `condition`.
  int Transactions(const std::string& condition) {
    return std::stoi(Sql("SELECT count(*) FROM (SELECT xmin::text FROM comment WHERE " + condition +
                         " GROUP BY 1) AS groups"));
  }

  void ExpectExactCounts() {
    const auto verified = Verify({});
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_THAT(verified->drifts, ::testing::IsEmpty());
  }

  testing::Session session_{url_};
  const std::unique_ptr<Store> narrow_ = OpenNarrow(url_);
  Created gate_;
};

// ---- What shares a transaction ----

TEST_F(WriteBatchesTest, WritesThatWaitForOneArticleShareATransactionAndHaveARevisionEach) {
  Lock("post");
  std::vector<Created> answers;
  answers.push_back(Start(*store_, MakeComment("post", "first")));
  testing::AwaitWaitersForLocks(url_, 1);
  for (int i = 0; i < 100; ++i) answers.push_back(Start(*store_, MakeComment("post", "more")));
  Unlock();
  int64_t revision = 1;
  for (Created& answer : answers) {
    const auto comment = answer.get();
    ASSERT_TRUE(comment.ok()) << comment.status();
    EXPECT_EQ(comment->revision(), ++revision) << "in the order they came";
    EXPECT_EQ(comment->article_revision(), revision);
    EXPECT_EQ(GetComment(comment->name())->revision(), revision);
  }
  EXPECT_EQ(Transactions("body = 'first'"), 1);
  EXPECT_EQ(Transactions("body = 'more'"), 1);
  EXPECT_EQ(GetOne("post").revision(), revision);
  EXPECT_EQ(GetOne("post").comment_count(), 101);
}

TEST_F(WriteBatchesTest, WritesThatWaitForDifferentArticlesShareATransaction) {
  if (testing::OnCitus()) GTEST_SKIP() << "only those of one bucket do";
  PublishMany(50);
  Occupy(*narrow_);
  std::vector<Created> answers;
  for (int i = 0; i < 100; ++i) {
    answers.push_back(Start(*narrow_, MakeComment(absl::StrCat("a", i % 50), "more")));
  }
  Unlock();
  for (Created& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(Transactions("body = 'more'"), 1);
  EXPECT_EQ(Sql("SELECT count(*) FROM article_state WHERE comment_count = 2 AND revision = 3"),
            "50");
  ExpectExactCounts();
}

TEST_F(WriteBatchesTest, ABatchIsOfLimitedSize) {
  Occupy(*narrow_);
  std::vector<Created> answers;
  for (int i = 0; i < 300; ++i) answers.push_back(Start(*narrow_, MakeComment("post", "more")));
  Unlock();
  for (Created& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(Transactions("body = 'more'"), 3);
}

// ---- Each write as if it were alone ----

TEST_F(WriteBatchesTest, EachHasItsOwnAnswerAndAFailedOneChangesNothing) {
  const std::string name = Add("post", "text");
  const CommentRef comment = *ParseCommentName(name);
  const std::string etag = GetComment(name)->etag();
  const int64_t revision = GetOne("post").revision();
  Occupy(*narrow_);
  const auto edit = [&](const std::string& body) {
    return Start<CommentEdit>(*narrow_, &CommentWrites::UpdateComment,
                              {.comment = comment, .body = body, .etag = etag});
  };
  const auto moderate = [&](v1::CommentState state) {
    return Start<CommentModeration>(*narrow_, &CommentWrites::ModerateComment,
                                    {.comment = comment, .state = state});
  };
  NewComment trial = MakeComment("post", "trial");
  trial.validate_only = true;
  Created added = Start(*narrow_, MakeComment("post", "reply", name));
  Created tried = Start(*narrow_, trial);
  Created orphan = Start(*narrow_, MakeComment("post", "x", CommentName("post", NewUuid())));
  Created edited = edit("edited");
  Created late = edit("too late");
  Created nowhere = Start(*narrow_, MakeComment("none", "x"));
  Created hidden = moderate(v1::COMMENT_STATE_HIDDEN);
  Created refused = edit("of a hidden comment");
  Created unanswerable = Start(*narrow_, MakeComment("post", "x", name));
  Created shown = moderate(v1::COMMENT_STATE_VISIBLE);
  Created last = Start(*narrow_, MakeComment("post", "another reply", name));
  Unlock();
  EXPECT_EQ(added.get()->article_revision(), revision + 1);
  EXPECT_EQ(tried.get()->article_revision(), 0);
  EXPECT_EQ(ReasonOf(orphan.get().status()), "COMMENT_NOT_FOUND");
  const auto edit_answer = edited.get();
  EXPECT_EQ(edit_answer->article_revision(), revision + 2);
  EXPECT_EQ(edit_answer->reply_count(), 1);
  EXPECT_EQ(ReasonOf(late.get().status()), "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(nowhere.get().status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(hidden.get()->article_revision(), revision + 3);
  EXPECT_EQ(ReasonOf(refused.get().status()), "COMMENT_HIDDEN");
  EXPECT_EQ(ReasonOf(unanswerable.get().status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(shown.get()->article_revision(), revision + 4);
  EXPECT_EQ(last.get()->article_revision(), revision + 5);
  EXPECT_EQ(Transactions(OfArticle("post")), 1);

  const auto stored = GetComment(name);
  EXPECT_EQ(stored->body(), "edited");
  EXPECT_EQ(stored->reply_count(), 2);
  EXPECT_EQ(stored->revision(), revision + 5);
  EXPECT_EQ(stored->etag(), absl::StrCat(revision + 4));
  EXPECT_EQ(GetOne("post").revision(), revision + 5);
  EXPECT_EQ(GetOne("post").comment_count(), 3);
  ExpectExactCounts();
}

TEST_F(WriteBatchesTest, ADeletionThatHidesAncestorsSeesEarlierWritesOfItsBatch) {
  const std::string top = Add("post", "top");
  const std::string middle = Add("post", "middle", top);
  const std::string left = Add("post", "left", middle);
  const std::string right = Add("post", "right", middle);
  const auto erase = [&](const std::string& name) {
    narrow_->DeleteComment({}, {.comment = *ParseCommentName(name)},
                           [](const absl::StatusOr<int64_t>& revision) {
                             EXPECT_TRUE(revision.ok()) << revision.status();
                           });
  };
  Occupy(*narrow_);
  erase(middle);
  erase(left);
  erase(right);
  erase(top);
  Created kept = Start(*narrow_, MakeComment("post", "kept"));
  Unlock();
  EXPECT_TRUE(kept.get().ok());
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 9}), ::testing::ElementsAre("kept"));
  EXPECT_EQ(Sql("SELECT string_agg(reply_count::text, '') FROM comment WHERE state = 4"), "0000");
  EXPECT_EQ(GetOne("post").comment_count(), 1);
  EXPECT_EQ(Transactions(OfArticle("post")), 1);
  ExpectExactCounts();
}

TEST_F(WriteBatchesTest, ARequestThatIsTwiceInABatchIsDoneOnce) {
  const std::string fingerprint = absl::BytesToHexString(Digest({"this"}));
  NewComment comment = MakeComment("post", "once");
  comment.request = {NewUuid(), fingerprint};
  NewComment again = comment;
  NewComment another = again;
  another.request.fingerprint = absl::BytesToHexString(Digest({"other"}));
  Occupy(*narrow_);
  Created first = Start(*narrow_, comment);
  Created between = Start(*narrow_, MakeComment("post", "between"));
  Created second = Start(*narrow_, again);
  Created third = Start(*narrow_, another);
  Unlock();
  const auto answer = first.get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(second.get()->DebugString(), answer->DebugString());
  EXPECT_EQ(between.get()->article_revision(), 3);
  EXPECT_EQ(ReasonOf(third.get().status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE " + OfArticle("post")), "2");
}

TEST_F(WriteBatchesTest, KeepsEveryCharacter) {
  const std::vector<std::string> texts = {"NULL",
                                          "null",
                                          "\"",
                                          "\\",
                                          "\\\\\"",
                                          "{}",
                                          "{\"a\",NULL}",
                                          ",",
                                          "'",
                                          "''; COMMIT--",
                                          "a\nb",
                                          "\r\n\t",
                                          " ",
                                          "  x  ",
                                          "$1 $rows",
                                          "\\x41",
                                          "\u00e9",
                                          "\U0001F600",
                                          "e\u0301",
                                          "\u2028\u202e",
                                          "%s \\n \\0 \\\"",
                                          "(1,2)",
                                          "E'\\\\'"};
  Occupy(*narrow_);
  std::vector<Created> answers;
  std::vector<std::string> names;
  const auto create = [&](Store& store, const std::string& text) {
    NewComment comment = MakeComment("post", text);
    comment.author.set_id(text);
    comment.author.set_display_name(text);
    return Start(store, comment);
  };
  for (const std::string& text : texts) answers.push_back(create(*narrow_, text));
  Unlock();
  for (Created& answer : answers) names.push_back(NameOf(answer.get()));
  EXPECT_EQ(Transactions(OfArticle("post")), 1);
  for (const std::string& text : texts) names.push_back(NameOf(create(*store_, text).get()));
  const auto expect = [&] {
    for (size_t i = 0; i < names.size(); ++i) {
      const auto comment = GetComment(names[i]);
      ASSERT_TRUE(comment.ok()) << comment.status();
      EXPECT_EQ(comment->body(), texts[i % texts.size()]);
      EXPECT_EQ(comment->author().display_name(), texts[i % texts.size()]);
      EXPECT_EQ(comment->author().id(), texts[i % texts.size()]);
    }
  };
  expect();

  // The same with edits, in one batch and one by one.
  Sql("UPDATE comment SET body = 'x', author_display_name = 'x' WHERE " + OfArticle("post"));
  const auto edit = [&](Store& store, size_t i) {
    const std::string& text = texts[i % texts.size()];
    return Start<CommentEdit>(
        store, &CommentWrites::UpdateComment,
        {.comment = *ParseCommentName(names[i]), .body = text, .author_display_name = text});
  };
  Occupy(*narrow_);
  answers.clear();
  for (size_t i = 0; i < texts.size(); ++i) answers.push_back(edit(*narrow_, i));
  Unlock();
  for (Created& answer : answers) EXPECT_TRUE(answer.get().ok());
  for (size_t i = texts.size(); i < names.size(); ++i) EXPECT_TRUE(edit(*store_, i).get().ok());
  expect();
}

TEST_F(WriteBatchesTest, AWriteThatTheDatabaseRefusesFailsAlone) {
  PublishMany(5);
  Occupy(*narrow_);
  std::map<std::string, Created> answers;
  for (int i = 0; i < 20; ++i) {
    answers.emplace(absl::StrCat(i),
                    Start(*narrow_, MakeComment(absl::StrCat("a", i % 5), absl::StrCat(i))));
    if (i % 7 == 3) {
      answers.emplace(absl::StrCat("bad", i),
                      Start(*narrow_, MakeComment(absl::StrCat("a", i % 5), "\xff")));
    }
  }
  Unlock();
  for (auto& [name, answer] : answers) {
    const auto comment = answer.get();
    EXPECT_EQ(comment.ok(), name.substr(0, 3) != "bad") << comment.status();
    if (!comment.ok()) {
      EXPECT_EQ(comment.status().code(), absl::StatusCode::kInvalidArgument);
    }
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM comment JOIN article_state USING (bucket, article_key) "
                "WHERE first_name LIKE 'a%'"),
            "20");
  EXPECT_EQ(Sql("SELECT sum(comment_count) FROM article_state WHERE first_name LIKE 'a%'"), "20");
  EXPECT_EQ(Sql("SELECT sum(revision) FROM article_state WHERE first_name LIKE 'a%'"), "25");
}

TEST_F(WriteBatchesTest, WritesOfCallersWhoHaveGivenUpAreLeftOut) {
  std::atomic<bool> gone = false;
  Occupy(*narrow_);
  Created stays = Start(*narrow_, MakeComment("post", "stays"));
  Created leaves = Start(*narrow_, MakeComment("post", "leaves"),
                         {.cancelled = [&gone] { return gone.load(); }});
  Created runs_out = Start(*narrow_, MakeComment("post", "runs out"),
                           {.deadline = SteadyNow() + absl::Milliseconds(1), .cancelled = {}});
  Created alone = Start(*narrow_, MakeComment("other", "leaves"),
                        {.cancelled = [&gone] { return gone.load(); }});
  gone = true;
  absl::SleepFor(absl::Milliseconds(2));  // past the deadline
  Unlock();
  EXPECT_TRUE(stays.get().ok());
  EXPECT_EQ(ReasonOf(leaves.get().status()), "CANCELLED");
  EXPECT_EQ(ReasonOf(runs_out.get().status()), "DEADLINE_EXCEEDED");
  EXPECT_EQ(ReasonOf(alone.get().status()), "CANCELLED");
  EXPECT_TRUE(Start(*narrow_, MakeComment("other", "comes")).get().ok());
  EXPECT_EQ(Sql("SELECT string_agg(body, ' ' ORDER BY body) FROM comment"), "comes first stays");
}

// ---- Connections that break ----

class BrokenBatchTest : public WriteBatchesTest {
 protected:
  // Writes that are started before Unlock are one batch, whose commit is cut.
  void OccupyAndCut(Proxy& proxy, Store& store, Proxy::Cut cut,
                    const std::function<void()>& meanwhile) {
    Lock("gate");
    store.CreateComment({}, MakeComment("gate", "first"),
                        [&proxy, cut, meanwhile](const absl::StatusOr<v1::Comment>& first) {
                          EXPECT_TRUE(first.ok()) << first.status();
                          proxy.CutNextCommit(cut, meanwhile);
                        });
    testing::AwaitWaitersForLocks(url_, 1);
  }

  // Starts such a batch, with writes of every kind and to several articles.
  std::vector<Created> StartAndCut(Proxy& proxy, Store& store, Proxy::Cut cut,
                                   const std::function<void()>& meanwhile = {},
                                   const CallContext& context = {}) {
    OccupyAndCut(proxy, store, cut, meanwhile);
    std::vector<Created> answers;
    for (int i = 0; i < 20; ++i) {
      answers.push_back(Start(store, MakeComment(i % 2 == 0 ? "post" : "other", "more"), context));
    }
    answers.push_back(Start<CommentEdit>(store, &CommentWrites::UpdateComment,
                                         {.comment = edited_, .body = "edited"}, context));
    answers.push_back(
        Start<CommentModeration>(store, &CommentWrites::ModerateComment,
                                 {.comment = hidden_, .state = v1::COMMENT_STATE_HIDDEN}, context));
    Unlock();
    return answers;
  }

  void SetUp() override {
    WriteBatchesTest::SetUp();
    edited_ = *ParseCommentName(Add("post", "text"));
    hidden_ = *ParseCommentName(Add("post", "text"));
  }

  CommentRef edited_;
  CommentRef hidden_;
};

TEST_F(BrokenBatchTest, IsDoneOnceIfTheConnectionBreaksDuringItsCommit) {
  int round = 0;
  for (const auto cut : {Proxy::Cut::kBeforeCommit, Proxy::Cut::kAfterCommit}) {
    ++round;
    Proxy proxy(url_);
    const std::unique_ptr<Store> store = OpenNarrow(proxy.url());
    std::set<std::string> names;
    for (Created& answer : StartAndCut(proxy, *store, cut)) {
      const auto comment = answer.get();
      ASSERT_TRUE(comment.ok()) << comment.status();
      names.insert(comment->name());
    }
    EXPECT_THAT(names, SizeIs(22));
    EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body = 'more'"), absl::StrCat(20 * round));
    EXPECT_EQ(Sql("SELECT max(edit_count) FROM comment"), "1");
    // Publishing, two comments, and in the first round an edit and a moderation. Repeating them
    // changes nothing.
    EXPECT_EQ(Sql("SELECT revision FROM article_state WHERE first_name = 'post'"),
              absl::StrCat(5 + 10 * round));
    ExpectExactCounts();
  }
}

TEST_F(BrokenBatchTest, IsNeverReportedAsNotDoneIfThatIsNotKnown) {
  for (const auto cut : {Proxy::Cut::kBeforeCommit, Proxy::Cut::kAfterCommit}) {
    Proxy proxy(url_);
    const std::unique_ptr<Store> store = OpenNarrow(proxy.url());
    for (Created& answer : StartAndCut(proxy, *store, cut, [&proxy] { proxy.Close(); })) {
      EXPECT_EQ(ReasonOf(answer.get().status()), "OUTCOME_UNKNOWN");
    }
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body = 'more'"), "20") << "of the second";
}

// The second attempt looks for the first under the articles' locks, because the first may still be
// running without its connection. Here, somebody else holds the locks by then.
TEST_F(BrokenBatchTest, FindsItsFirstAttemptEvenIfItHasToWaitForLocks) {
  Proxy proxy(url_);
  const std::unique_ptr<Store> store = OpenNarrow(proxy.url());
  testing::Session another(url_);
  std::promise<void> locked;
  auto answers = StartAndCut(proxy, *store, Proxy::Cut::kAfterCommit, [&] {
    another.Run("BEGIN; " + testing::LockArticles(url_));
    locked.set_value();
  });
  locked.get_future().wait();
  testing::AwaitWaitersForLocks(url_, 1);
  another.Run("COMMIT");
  for (Created& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body = 'more'"), "20");
}

// Running it again would undo later changes.
TEST_F(BrokenBatchTest, AWriteThatChangedNothingIsNotDoneAgain) {
  Proxy proxy(url_);
  const std::unique_ptr<Store> store = OpenNarrow(proxy.url());
  const std::string edited = CommentName("post", edited_.comment_id);
  const std::string hidden = CommentName("post", hidden_.comment_id);
  OccupyAndCut(proxy, *store, Proxy::Cut::kAfterCommit, [&] {
    EXPECT_TRUE(Update({.comment = edited_, .body = "came later"}).ok());
    EXPECT_TRUE(Moderate(hidden, v1::COMMENT_STATE_HIDDEN).ok());
  });
  Created change = Start(*store, MakeComment("post", "a change"));
  Created same_text = Start<CommentEdit>(*store, &CommentWrites::UpdateComment,
                                         {.comment = edited_, .body = "text"});
  Created same_state =
      Start<CommentModeration>(*store, &CommentWrites::ModerateComment,
                               {.comment = hidden_, .state = v1::COMMENT_STATE_VISIBLE});
  Unlock();
  for (Created* answer : {&change, &same_text, &same_state}) EXPECT_TRUE(answer->get().ok());
  EXPECT_EQ(GetComment(edited)->body(), "came later");
  EXPECT_EQ(ReasonOf(GetComment(hidden).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body = 'a change'"), "1");
}

TEST_F(BrokenBatchTest, IsNeverReportedAsNotDoneIfItCannotWaitForLocks) {
  Proxy proxy(url_);
  const std::unique_ptr<Store> store = OpenNarrow(proxy.url());
  testing::Session another(url_);
  auto answers = StartAndCut(proxy, *store, Proxy::Cut::kAfterCommit,
                             [&] { another.Run("BEGIN; " + testing::LockArticles(url_)); },
                             {.deadline = SteadyNow() + absl::Seconds(3), .cancelled = {}});
  for (Created& answer : answers) EXPECT_EQ(ReasonOf(answer.get().status()), "OUTCOME_UNKNOWN");
}

// ---- One article does not hold up the others ----

TEST_F(WriteBatchesTest, OtherArticlesGoOnWhileOneIsLocked) {
  PublishMany(100);
  Lock("post");
  std::vector<Created> waiting;
  std::vector<Created> others;
  for (int i = 0; i < 100; ++i) {
    waiting.push_back(Start(*store_, MakeComment("post", "waits")));
    others.push_back(Start(*store_, MakeComment(absl::StrCat("a", i), "goes on")));
  }
  for (Created& answer : others) EXPECT_TRUE(answer.get().ok());
  for (Created& answer : waiting) {
    EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  }
  Unlock();
  for (Created& answer : waiting) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(GetOne("post").comment_count(), 100);
}

TEST_F(WriteBatchesTest, OtherArticlesGoOnHoweverManyAreLocked) {
  PublishMany(20);
  for (int i = 0; i < 10; ++i) Add(absl::StrCat("a", i), "by user-1");
  session_.Run("BEGIN; " + testing::LockArticles(url_, "first_name ~ '^a.$'"));
  std::vector<Created> waiting;
  std::vector<std::future<void>> erasing;
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(Start(*store_, MakeComment(absl::StrCat("a", i), "waits")));
    auto erased = std::make_shared<std::promise<void>>();
    erasing.push_back(erased->get_future());
    store_->EraseAuthor({}, {"user-1"},
                        [erased](const absl::StatusOr<ErasedComments>&) { erased->set_value(); });
  }
  testing::AwaitWaitersForLocks(url_, 3);
  for (int round = 0; round < 5; ++round) {
    for (int i = 10; i < 20; ++i) Add(absl::StrCat("a", i), "goes on");
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body = 'goes on'"), "50");
  EXPECT_EQ(testing::WaitersForLocks(url_), 3);
  Unlock();
  for (Created& answer : waiting) EXPECT_TRUE(answer.get().ok());
  for (auto& erased : erasing) erased.wait();
  ExpectExactCounts();
}

TEST_F(WriteBatchesTest, OneArticleDoesNotFillTheQueue) {
  const std::unique_ptr<Store> store =
      *NewPostgresStore({.url = url_, .write_connections = 2, .queue_limit = 20});
  Lock("post");
  std::vector<Created> waiting;
  waiting.push_back(Start(*store, MakeComment("post", "first")));
  testing::AwaitWaitersForLocks(url_, 1);
  for (int i = 0; i < 15; ++i) waiting.push_back(Start(*store, MakeComment("post", "waits")));
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(ReasonOf(Start(*store, MakeComment("post", "x")).get().status()), "OVERLOADED");
    EXPECT_TRUE(Start(*store, MakeComment("other", "goes on")).get().ok());
  }
  Unlock();
  for (Created& answer : waiting) EXPECT_TRUE(answer.get().ok());
}

TEST_F(WriteBatchesTest, TwoInstancesShareTheirArticles) {
  const std::unique_ptr<Store> other = *Open(url_);
  PublishMany(3);
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 16; ++caller) {
    callers.emplace_back([this, caller, &other] {
      Store& store = caller % 2 == 0 ? *store_ : *other;
      for (int i = 0; i < 30; ++i) {
        const std::string article = i % 2 == 0 ? "post" : absl::StrCat("a", i % 3);
        const auto comment = Start(store, MakeComment(article, "text")).get();
        EXPECT_TRUE(comment.ok()) << comment.status();
      }
    });
  }
  callers.clear();
  EXPECT_EQ(GetOne("post").comment_count(), 240);
  EXPECT_EQ(Sql("SELECT sum(revision - 1 - comment_count) FROM article_state"), "0");
  EXPECT_EQ(Sql("SELECT count(DISTINCT (article_key, revision)) FROM comment"), "480");
  ExpectExactCounts();
}

// ---- Names ----

TEST_F(WriteBatchesTest, AnArticleByTwoOfItsNamesIsOneArticle) {
  ASSERT_TRUE(Rename({.id = "post", .new_id = "renamed"}).ok());
  Occupy(*narrow_);
  std::vector<Created> answers;
  for (int i = 0; i < 20; ++i) {
    answers.push_back(Start(*narrow_, MakeComment(i % 2 == 0 ? "post" : "renamed", "text")));
  }
  Unlock();
  std::set<int64_t> revisions;
  for (Created& answer : answers) {
    const auto comment = answer.get();
    ASSERT_TRUE(comment.ok()) << comment.status();
    EXPECT_EQ(ParseCommentName(comment->name())->article_id, "renamed");
    revisions.insert(comment->article_revision());
  }
  EXPECT_THAT(revisions, SizeIs(20));
  EXPECT_EQ(Transactions("body = 'text'"), 1);
  EXPECT_EQ(GetOne("post").comment_count(), 20);

  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([this, caller] {
      for (int i = 0; i < 25; ++i) {
        EXPECT_TRUE(
            Start(*store_, MakeComment(caller % 2 == 0 ? "post" : "renamed", "text")).get().ok());
      }
    });
  }
  callers.clear();
  EXPECT_EQ(GetOne("post").comment_count(), 220);
  EXPECT_EQ(Sql("SELECT count(DISTINCT revision) FROM comment WHERE " + OfArticle("post")), "220");
  ExpectExactCounts();
}

// ---- Change notices ----

TEST_F(WriteBatchesTest, EachArticleIsAnnouncedOnceBeforeItsCallersAreAnswered) {
  std::mutex mutex;
  std::vector<ChangeNotice> announced;
  const auto subscription = narrow_->Subscribe([&](const ChangeNotice& notice) {
    // A notice of the other store's earlier changes may arrive at any time.
    if (notice.state.comment_count == 0) return;
    const std::lock_guard lock(mutex);
    announced.push_back(notice);
  });
  ASSERT_TRUE(Rename({.id = "post", .new_id = "renamed"}).ok());
  Occupy(*narrow_);
  std::vector<Created> answers;
  for (int i = 0; i < 10; ++i) {
    answers.push_back(Start(*narrow_, MakeComment(i % 2 == 0 ? "post" : "other", "text")));
  }
  answers.push_back(Start(*narrow_, MakeComment("none", "text")));
  Unlock();
  answers.front().wait();
  const std::lock_guard lock(mutex);
  std::map<std::string, ChangeNotice> notices;
  for (const ChangeNotice& notice : announced) {
    EXPECT_TRUE(notices.emplace(notice.state.article_id, notice).second) << notice.state.article_id;
  }
  ASSERT_THAT(notices, SizeIs(3));
  EXPECT_EQ(notices["post"].name, "renamed");
  EXPECT_EQ(notices["post"].state.revision, 7);
  EXPECT_EQ(notices["post"].state.comment_count, 5);
  EXPECT_EQ(absl::StrCat(notices["post"].state.version),
            Sql("SELECT feed_position FROM article_state WHERE first_name = 'post'"));
  EXPECT_EQ(notices["other"].state.revision, 6);
}

}  // namespace
}  // namespace content::store
