#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "store/store_fixture.h"
#include "support/locks.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReadCommentsTest : public StoreTest {};

TEST_F(ReadCommentsTest, AddsACommentAndCountsIt) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const auto created = Create(MakeComment("post", "Well said — “truly”. 🙂"));
  ASSERT_TRUE(created.ok()) << created.status();
  const auto reference = ParseCommentName(created->name());
  ASSERT_TRUE(reference) << created->name();
  EXPECT_EQ(reference->article_id, "post");
  EXPECT_EQ(created->state(), v1::COMMENT_STATE_VISIBLE);
  EXPECT_EQ(created->article_revision(), 2);
  EXPECT_EQ(created->revision(), 2);

  auto stored = Await<v1::Comment>(
      [&](auto done) { store_->GetComment({}, *reference, 0, std::move(done)); });
  ASSERT_TRUE(stored.ok());
  stored->set_article_revision(2);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*stored, *created))
      << stored->DebugString() << created->DebugString();
  EXPECT_EQ(GetOne("post").comment_count(), 1);
}

TEST_F(ReadCommentsTest, ValidatingACommentAddsNothing) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  NewComment comment = MakeComment("post", "try");
  comment.validate_only = true;
  const auto preview = Create(comment);
  ASSERT_TRUE(preview.ok());
  EXPECT_EQ(preview->name(), "");
  EXPECT_EQ(preview->body(), "try");
  EXPECT_EQ(GetOne("post").revision(), 1);
  comment.article_id = "none";
  EXPECT_EQ(ReasonOf(Create(comment).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(ReadCommentsTest, ClosedArticlesRefuseCommentsAndPremoderatedOnesHoldThem) {
  v1::Article closed = MakeArticle("closed");
  closed.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
  ASSERT_TRUE(Publish(closed).ok());
  EXPECT_EQ(ReasonOf(Create(MakeComment("closed", "no")).status()), "COMMENTS_CLOSED");

  v1::Article held = MakeArticle("held");
  held.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  ASSERT_TRUE(Publish(held).ok());
  const auto pending = Create(MakeComment("held", "wait"));
  EXPECT_EQ(pending->state(), v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(GetOne("held").comment_count(), 0);
  EXPECT_THAT(ListBodies({.article_id = "held", .page_size = 5}), IsEmpty());
  const auto read = Await<v1::Comment>([&](auto done) {
    store_->GetComment({}, *ParseCommentName(pending->name()), 0, std::move(done));
  });
  EXPECT_EQ(ReasonOf(read.status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Create(MakeComment("held", "re", pending->name())).status()),
            "COMMENT_NOT_FOUND");
}

TEST_F(ReadCommentsTest, ConcurrentCommentsGetConsecutiveRevisionsAndAnExactCount) {
  ASSERT_TRUE(Publish(MakeArticle("hot")).ok());
  std::vector<std::jthread> callers;
  std::mutex mutex;
  std::set<int64_t> revisions;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const auto comment = Create(MakeComment("hot", "hi"));
        const std::lock_guard lock(mutex);
        revisions.insert(comment.ok() ? comment->revision() : -1);
      }
    });
  }
  callers.clear();
  EXPECT_EQ(revisions.size(), 160);
  EXPECT_EQ(*revisions.begin(), 2);
  EXPECT_EQ(*revisions.rbegin(), 161);
  EXPECT_EQ(GetOne("hot").comment_count(), 160);
}

TEST_F(ReadCommentsTest, ListsCommentsInEveryOrderInPages) {
  ASSERT_TRUE(Publish(MakeArticle("talk")).ok());
  const std::string a = Add("talk", "a");
  const std::string b = Add("talk", "b");
  const std::string a1 = Add("talk", "a1", a);
  Add("talk", "b1", b);
  Add("talk", "a2", a);
  Add("talk", "a11", a1);
  for (int page_size : {1, 2, 10}) {
    CommentQuery query{.article_id = "talk", .page_size = page_size};
    EXPECT_THAT(ListBodies(query), ElementsAre("a11", "a2", "b1", "a1", "b", "a"));
    query.order = v1::COMMENT_ORDER_OLDEST;
    EXPECT_THAT(ListBodies(query), ElementsAre("a", "b", "a1", "b1", "a2", "a11"));
    query.order = v1::COMMENT_ORDER_THREADED;
    EXPECT_THAT(ListBodies(query), ElementsAre("a", "a1", "a11", "a2", "b", "b1"));
    query.reply_to = *ParseCommentName(a);
    EXPECT_THAT(ListBodies(query), ElementsAre("a1", "a11", "a2"));
    query.order = v1::COMMENT_ORDER_NEWEST;
    EXPECT_THAT(ListBodies(query), ElementsAre("a2", "a1"));
  }
  const auto page = List({.article_id = "talk", .page_size = 1});
  EXPECT_EQ(page->article.revision, 7);
  EXPECT_EQ(page->article.comment_count, 6);
}

TEST_F(ReadCommentsTest, RepliesHaveADepthAndParentsCountReplies) {
  ASSERT_TRUE(Publish(MakeArticle("deep")).ok());
  std::string parent;
  for (int depth = 0; depth <= kMaxThreadDepth; ++depth) {
    const auto comment = Create(MakeComment("deep", "x", parent));
    ASSERT_TRUE(comment.ok()) << comment.status();
    EXPECT_EQ(comment->depth(), depth);
    EXPECT_EQ(comment->reply_to(), parent);
    parent = comment->name();
  }
  EXPECT_EQ(ReasonOf(Create(MakeComment("deep", "x", parent)).status()), "THREAD_TOO_DEEP");
  const auto page = List({.article_id = "deep", .page_size = 100});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->page.items.front().reply_count(), 0);
  EXPECT_EQ(page->page.items.back().reply_count(), 1);
}

TEST_F(ReadCommentsTest, AReplyNeedsAParentOnTheSameArticle) {
  ASSERT_TRUE(Publish(MakeArticle("here")).ok());
  ASSERT_TRUE(Publish(MakeArticle("there")).ok());
  const std::string elsewhere = Add("there", "hello");
  EXPECT_EQ(ReasonOf(Create(MakeComment("here", "x", elsewhere)).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(
      ReasonOf(
          List({.article_id = "here", .reply_to = *ParseCommentName(elsewhere), .page_size = 1})
              .status()),
      "COMMENT_NOT_FOUND");
  EXPECT_EQ(GetOne("here").revision(), 1);
}

// The id alone is not enough, even if it is that of a comment on this article.
TEST_F(ReadCommentsTest, AReplyNamesItsParentByANameOfTheSameArticle) {
  for (const char* id : {"here", "there", "gone"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  ASSERT_TRUE(Retract("gone").ok());
  const std::string parent = Add("here", "hello");
  const std::string id = ParseCommentName(parent)->comment_id;
  ASSERT_TRUE(Rename({.id = "here", .new_id = "renamed"}).ok());
  ASSERT_TRUE(Rename({.id = "renamed", .new_id = "again"}).ok());
  const int64_t revision = GetOne("again").revision();
  for (const std::string article : {"here", "renamed", "again"}) {
    for (const char* other : {"there", "gone", "no-such"}) {
      const std::string wrong = CommentName(other, id);
      const auto reply = Create(MakeComment(article, "x", wrong));
      EXPECT_EQ(ReasonOf(reply.status()), "COMMENT_NOT_FOUND");
      EXPECT_THAT(reply.status().message(), ::testing::HasSubstr(wrong));
      NewComment dry_run = MakeComment(article, "x", wrong);
      dry_run.validate_only = true;
      EXPECT_EQ(ReasonOf(Create(dry_run).status()), "COMMENT_NOT_FOUND");
      for (const auto order : {v1::COMMENT_ORDER_NEWEST, v1::COMMENT_ORDER_THREADED}) {
        const auto replies = List({.article_id = article,
                                   .order = order,
                                   .reply_to = *ParseCommentName(wrong),
                                   .page_size = 9});
        EXPECT_EQ(ReasonOf(replies.status()), "COMMENT_NOT_FOUND");
        EXPECT_THAT(replies.status().message(), ::testing::HasSubstr(wrong));
      }
    }
  }
  EXPECT_EQ(GetOne("again").revision(), revision);
  for (const std::string article : {"here", "renamed", "again"}) {
    for (const char* same : {"here", "renamed", "again"}) {
      EXPECT_TRUE(Create(MakeComment(article, "x", CommentName(same, id))).ok());
      EXPECT_TRUE(List({.article_id = article, .reply_to = {same, id}, .page_size = 9}).ok());
    }
  }
  EXPECT_EQ(GetComment(parent)->reply_count(), 9);
}

TEST_F(ReadCommentsTest, APageOfCommentsHasALimitedSize) {
  ASSERT_TRUE(Publish(MakeArticle("long")).ok());
  std::string body;
  for (int i = 0; i < kMaxCommentCharacters; ++i) body += "🙂";
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(Create(MakeComment("long", body)).ok());
  const auto first = List({.article_id = "long", .page_size = 200});
  ASSERT_TRUE(first.ok());
  EXPECT_LT(first->page.items.size(), 80);
  EXPECT_FALSE(first->page.next_key.empty());
  EXPECT_EQ(ListBodies({.article_id = "long", .page_size = 200}).size(), 80);
}

TEST_F(ReadCommentsTest, ReadsFailIfMinRevisionIsNotReached) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const auto comment = Create(MakeComment("post", "hello"));
  EXPECT_TRUE(List({.article_id = "post", .page_size = 1, .min_revision = 2}).ok());
  EXPECT_EQ(ReasonOf(List({.article_id = "post", .page_size = 1, .min_revision = 3}).status()),
            "REVISION_NOT_REACHED");
  const auto read = Await<v1::Comment>([&](auto done) {
    store_->GetComment({}, *ParseCommentName(comment->name()), 3, std::move(done));
  });
  EXPECT_EQ(ReasonOf(read.status()), "REVISION_NOT_REACHED");
}

TEST_F(ReadCommentsTest, ListsPlaceholdersInEveryOrder) {
  ASSERT_TRUE(Publish(MakeArticle("talk")).ok());
  const std::string a = Add("talk", "a");
  const std::string b = Add("talk", "b");
  const std::string a1 = Add("talk", "a1", a);
  Add("talk", "a11", a1);
  Add("talk", "b1", b);
  const std::string a2 = Add("talk", "a2", a);
  ASSERT_TRUE(Moderate(a1, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Delete(b).ok());
  ASSERT_TRUE(Moderate(a2, v1::COMMENT_STATE_PENDING).ok());  // without replies: not shown
  for (int page_size : {1, 2, 10}) {
    CommentQuery query{.article_id = "talk", .page_size = page_size};
    EXPECT_THAT(ListBodies(query), ElementsAre("b1", "a11", "", "", "a"));
    query.order = v1::COMMENT_ORDER_OLDEST;
    EXPECT_THAT(ListBodies(query), ElementsAre("a", "", "", "a11", "b1"));
    query.order = v1::COMMENT_ORDER_THREADED;
    EXPECT_THAT(ListBodies(query), ElementsAre("a", "", "a11", "", "b1"));
    query.reply_to = *ParseCommentName(a);
    EXPECT_THAT(ListBodies(query), ElementsAre("", "a11"));
    query.order = v1::COMMENT_ORDER_OLDEST;
    EXPECT_THAT(ListBodies(query), ElementsAre(""));
    query.reply_to = *ParseCommentName(a1);
    EXPECT_THAT(ListBodies(query), ElementsAre("a11"));
    query.reply_to = *ParseCommentName(b);
    EXPECT_THAT(ListBodies(query), ElementsAre("b1"));
  }
  EXPECT_EQ(List({.article_id = "talk", .page_size = 1})->article.comment_count, 3);
}

// ---- An article and its comments ----

TEST_F(ReadCommentsTest, AnArticlePageHasTheArticleAndItsFirstComments) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  for (const char* body : {"a", "b", "c"}) Add("post", body);
  CommentQuery query{.article_id = "post", .order = v1::COMMENT_ORDER_OLDEST, .page_size = 2};
  const auto page = GetPage(query);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(ArticleOf(*page).SerializeAsString(), GetOne("post").SerializeAsString());
  ASSERT_EQ(page->comments.items.size(), 2);
  EXPECT_EQ(page->comments.items[0].body(), "a");
  query.after_key = page->comments.next_key;
  EXPECT_THAT(ListBodies(query), ElementsAre("c"));

  EXPECT_EQ(ArticleOf(*GetPage(query, v1::ARTICLE_VIEW_BASIC)).body(), "");
  query.min_revision = 4;
  EXPECT_TRUE(GetPage(query).ok());
  query.min_revision = 5;
  EXPECT_EQ(ReasonOf(GetPage(query).status()), "REVISION_NOT_REACHED");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(ReasonOf(GetPage(query).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(ReadCommentsTest, AnArticlePageIsOneSnapshotWhileOthersWrite) {
  ASSERT_TRUE(Publish(MakeArticle("busy")).ok());
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const std::string name = Add("busy", "comment");
        Add("busy", "reply", name);
        EXPECT_TRUE(Delete(name).ok());
        EXPECT_TRUE(Moderate(name, v1::COMMENT_STATE_HIDDEN).status().code() ==
                    absl::StatusCode::kFailedPrecondition);
        const auto replies =
            List({.article_id = "busy", .reply_to = *ParseCommentName(name), .page_size = 1});
        EXPECT_TRUE(Delete(replies->page.items.front().name()).ok());
      }
    });
  }
  std::set<int64_t> revisions;
  while (revisions.size() < 100) {
    const auto page = GetPage({.article_id = "busy", .page_size = 200});
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_EQ(page->comments.next_key, "") << "all comments fit";
    const auto visible =
        std::count_if(page->comments.items.begin(), page->comments.items.end(),
                      [](const v1::Comment& c) { return c.state() == v1::COMMENT_STATE_VISIBLE; });
    ASSERT_EQ(visible, page->article.state.comment_count);
    for (const v1::Comment& comment : page->comments.items) {
      ASSERT_LE(comment.revision(), page->article.state.revision);
    }
    revisions.insert(page->article.state.revision);
  }
}

TEST_F(ReadCommentsTest, AnArticlePageHasALimitedSize) {
  ASSERT_TRUE(Publish(MakeArticle("long", std::string(kMaxBodyBytes, 'x'))).ok());
  std::string body;
  for (int i = 0; i < kMaxCommentCharacters; ++i) body += "🙂";
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(Create(MakeComment("long", body)).ok());
  CommentQuery query{.article_id = "long", .page_size = 200};
  const auto page = GetPage(query);
  ASSERT_TRUE(page.ok()) << page.status();
  size_t bytes = page->article.text->size();
  for (const v1::Comment& comment : page->comments.items) bytes += comment.ByteSizeLong();
  EXPECT_LE(bytes, kMaxReplyBytes);
  EXPECT_GT(bytes, kMaxReplyBytes - 2 * 4 * kMaxCommentCharacters);
  query.after_key = page->comments.next_key;
  EXPECT_EQ(page->comments.items.size() + ListBodies(query).size(), 80);
}

// Otherwise comments of several servers would not sort in the order of their revisions.
TEST_F(ReadCommentsTest, ACommentIsDatedAfterItsArticleWasLocked) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  testing::Session other(url_);
  for (const std::string change : {"", "UPDATE article_state SET revision = revision + 1;"}) {
    other.Run(absl::StrCat("BEGIN; ", testing::LockArticles(url_), "; ", change));
    std::jthread writer([&] { Add("post", absl::StrCat("text", change)); });
    testing::AwaitWaitersForLocks(url_, 1);
    const std::string before = other.Run("SELECT clock_timestamp()");
    other.Run("COMMIT");
    writer.join();
    EXPECT_EQ(Sql(absl::StrCat("SELECT create_time > '", before,
                               "' FROM comment WHERE body = 'text", change, "'")),
              "t");
  }
}

// Its server's clock may have been ahead, or the database's may have gone back.
TEST_F(ReadCommentsTest, AReplySortsAfterItsParentEvenIfThatIsFromTheFuture) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Add("post", "parent");
  Sql("UPDATE comment SET comment_id = 'f1980000-0000-7000-8000-000000000000', "
      "thread_key = '\\xf1980000000070008000000000000000', "
      "create_time = '2999-01-01', update_time = '2999-01-01'");
  const std::string parent = CommentName("post", "f1980000-0000-7000-8000-000000000000");
  const std::string reply = Add("post", "reply", parent);
  Add("post", "reply to the reply", reply);
  EXPECT_THAT(ListBodies({.article_id = "post", .order = v1::COMMENT_ORDER_OLDEST, .page_size = 9}),
              ElementsAre("parent", "reply", "reply to the reply"));
  EXPECT_EQ(Sql("SELECT bool_and(create_time = '2999-01-01') FROM comment"), "t")
      << "the times do not contradict the order";

  const auto edited = Update({.comment = *ParseCommentName(reply), .body = "edited"});
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_EQ(edited->update_time().seconds(), edited->create_time().seconds());

  // Comments of other threads are not pushed ahead.
  Add("post", "another");
  EXPECT_EQ(Sql("SELECT create_time <= now() FROM comment WHERE body = 'another'"), "t");
}

}  // namespace
}  // namespace content::store
