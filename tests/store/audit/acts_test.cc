// Which acts the audit trail has, and that an act and its event are committed together.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/uuid.h"
#include "store/audit/audit_fixture.h"
#include "support/locks.h"
#include "support/pending.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using testing::Pending;
using ::testing::SizeIs;

constexpr char kCms[] = "spiffe://example.org/cms";
constexpr char kDesk[] = "jwt:ana";

class ActsTest : public AuditTest {
 protected:
  v1::Article Scheduled() {
    v1::Article article = MakeArticle("later");
    article.mutable_publish_time()->set_seconds(4'000'000'000);
    return article;
  }

  ArticleEdit Summarising(const std::string& id, const std::string& summary) {
    ArticleEdit edit{.id = id, .article = {}, .paths = {"summary"}};
    edit.article.set_summary(summary);
    return edit;
  }

  CommentModeration Hiding(const std::string& name) {
    return {.comment = *ParseCommentName(name), .state = v1::COMMENT_STATE_HIDDEN};
  }
};

TEST_F(ActsTest, ActsOnArticles) {
  EXPECT_EQ(PublishBy(kCms, MakeArticle("post")), "");
  EXPECT_EQ(PublishBy(kCms, MakeArticle("post", "Other text.")), "");
  EXPECT_EQ(EditBy(kDesk, Summarising("post", "New.")), "");
  EXPECT_EQ(RenameBy(kDesk, {.id = "post", .new_id = "moved"}), "");
  EXPECT_EQ(PublishBy("os:operator", MakeArticle("post", "Third."), {.imported = true}), "");
  EXPECT_EQ(RetractBy(kDesk, {.id = "post"}), "");
  EXPECT_THAT(Texts(),
              ElementsAre("retract_article, moved, r6, by jwt:ana",
                          "import_article, moved, r5, replaced, by os:operator",
                          "rename_article, moved, was post, r4, by jwt:ana",
                          "update_article, post, r3, by jwt:ana",
                          "publish_article, post, r2, replaced, by spiffe://example.org/cms",
                          "publish_article, post, r1, created, by spiffe://example.org/cms"));
}

TEST_F(ActsTest, AReleaseHasNoCaller) {
  ASSERT_EQ(PublishBy(kCms, Scheduled()), "");
  Sql("UPDATE article_state SET publish_time = now()");
  ReleaseDueArticles();
  EXPECT_EQ(Newest(1), "release_article, later, r1");
}

TEST_F(ActsTest, ActsOnComments) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string name = Add("post", "hello");
  EXPECT_EQ(ModerateBy("cn:moderator", Hiding(name)), "");
  EXPECT_EQ(Newest(1), "moderate_comment, post, comment, r3, hidden, by cn:moderator");
  EXPECT_EQ(Events()[0].comment(), name);
  EXPECT_EQ(EraseCommentBy("cn:moderator", {.comment = *ParseCommentName(name)}), "");
  EXPECT_EQ(Newest(2), "erase_comment, post, comment, r4, by cn:moderator");
  EXPECT_EQ(Events()[0].comment(), name);
}

TEST_F(ActsTest, AnImportIsOneActIfItAddsComments) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  CommentImport import{.article_id = "post", .source = "isso:blog"};
  for (const char* const id : {"1", "2"}) {
    v1::ImportedComment& comment = import.comments.emplace_back();
    comment.set_source_id(id);
    comment.set_state(v1::COMMENT_STATE_DELETED);
    comment.mutable_create_time();
  }
  for (const bool validate_only : {true, false, false}) {
    import.validate_only = validate_only;
    ASSERT_TRUE(Await<v1::ImportCommentsResponse>([&](auto done) {
                  store_->ImportComments(By("cn:operator"), import, std::move(done));
                }).ok());
  }
  EXPECT_EQ(Newest(1), "import_comments, post, r3, count 2, by cn:operator");
}

// It leaves the comment as it is.
TEST_F(ActsTest, JudgingReportsIsAnAct) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const CommentRef comment = *ParseCommentName(Add("post", "hello"));
  ASSERT_TRUE(Await<void>([&](auto done) {
                store_->ReportComment({}, {.comment = comment, .reporter_id = "ben"},
                                      std::move(done));
              }).ok());
  const CommentModeration approval{.comment = comment, .state = v1::COMMENT_STATE_VISIBLE};
  EXPECT_EQ(ModerateBy(kDesk, approval), "");
  EXPECT_EQ(Newest(1), "moderate_comment, post, comment, r2, visible, by jwt:ana");
  EXPECT_EQ(ModerateBy(kDesk, approval), "");
  EXPECT_THAT(Texts(), SizeIs(2)) << "there was nothing left to judge";
}

TEST_F(ActsTest, ActsOnAuthors) {
  EXPECT_EQ(BlockBy(By(kDesk, "ana"), "troll", "sells shoes"), "");
  EXPECT_EQ(Newest(0), "block_author, author troll, by jwt:ana, for ana");
  EXPECT_EQ(BlockBy(By(kDesk, "ana"), "troll", "sells more shoes"), "");
  EXPECT_EQ(Newest(1), "block_author, author troll, by jwt:ana, for ana");
  EXPECT_EQ(UnblockBy(kCms, "troll"), "");
  EXPECT_EQ(Newest(2), "unblock_author, author troll, by spiffe://example.org/cms");
  EXPECT_EQ(Sql("SELECT count(*) FROM audit_event e WHERE e::text LIKE '%shoes%'"), "0");
}

TEST_F(ActsTest, AnErasureIsOneEventThatCounts) {
  for (const char* id : {"one", "two"}) {
    ASSERT_TRUE(Publish(MakeArticle(id)).ok());
    Add(id, "hello");
    Add(id, "again");
  }
  EraseAllBy(By(kDesk), "user-1");
  EXPECT_EQ(Newest(2), "erase_author, count 4, by jwt:ana");
  EraseAllBy(By(kDesk), "user-1");
  EXPECT_THAT(Texts(), SizeIs(3)) << "nothing was left to erase";
}

TEST_F(ActsTest, ARepairIsAnAct) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Add("post", "hello");
  Sql("UPDATE article_state SET comment_count = 7");
  Sql("UPDATE comment SET reply_count = 3");
  EXPECT_EQ(VerifyBy(kDesk, {.repair = false}), "");
  EXPECT_THAT(Texts(), SizeIs(1));
  EXPECT_EQ(VerifyBy(kDesk, {.repair = true}), "");
  EXPECT_EQ(Newest(1), "verify_counters, post, r3, count 2, by jwt:ana");
  EXPECT_EQ(VerifyBy(kDesk, {.repair = true}), "");
  EXPECT_THAT(Texts(), SizeIs(2));
}

TEST_F(ActsTest, TheServerItselfAndUnknownCallersHaveNoName) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_THAT(Texts(), ElementsAre("publish_article, post, r1, created"));
}

TEST_F(ActsTest, WhatChangesNothingIsNoAct) {
  const RequestKey request{.id = NewUuid(), .fingerprint = "aa"};
  ASSERT_EQ(PublishBy(kCms, MakeArticle("post"), {.request = request}), "");
  ASSERT_EQ(PublishBy(kCms, Scheduled()), "");
  ASSERT_EQ(RetractBy(kCms, {.id = "later"}), "");
  const std::string name = Add("post", "hello");
  const std::string erased = Add("post", "bad");
  ASSERT_EQ(ModerateBy(kCms, Hiding(name)), "");
  ASSERT_EQ(EraseCommentBy(kCms, {.comment = *ParseCommentName(erased)}), "");
  ASSERT_EQ(BlockBy(By(kCms), "troll", "spam"), "");
  const std::vector<std::string> before = Texts();

  EXPECT_EQ(PublishBy(kCms, MakeArticle("post"), {.request = request}), "") << "repeated";
  EXPECT_EQ(PublishBy(kCms, MakeArticle("post")), "") << "unchanged";
  EXPECT_EQ(PublishBy(kCms, MakeArticle("post", "New."), {.validate_only = true}), "");
  EXPECT_EQ(PublishBy(kCms, MakeArticle("none"), {.validate_only = true}), "");
  EXPECT_EQ(PublishBy(kCms, MakeArticle("post", "New."), {.may_replace = false}), "ARTICLE_EXISTS");
  ArticleEdit preview = Summarising("post", "New.");
  preview.validate_only = true;
  EXPECT_EQ(EditBy(kCms, preview), "");
  EXPECT_EQ(EditBy(kCms, Summarising("post", "")), "");
  EXPECT_EQ(EditBy(kCms, Summarising("none", "New.")), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(RenameBy(kCms, {.id = "post", .new_id = "post"}), "");
  EXPECT_EQ(RenameBy(kCms, {.id = "post", .new_id = "later"}), "ARTICLE_EXISTS");
  EXPECT_EQ(RetractBy(kCms, {.id = "post", .etag = "0"}), "ETAG_MISMATCH");
  EXPECT_EQ(RetractBy(kCms, {.id = "later"}), "");
  EXPECT_EQ(ModerateBy(kCms, Hiding(name)), "");
  EXPECT_EQ(ModerateBy(kCms, Hiding(erased)), "COMMENT_DELETED");
  EXPECT_EQ(EraseCommentBy(kCms, {.comment = *ParseCommentName(erased)}), "");
  EXPECT_EQ(BlockBy(By(kCms), "troll", "spam"), "");
  EXPECT_EQ(UnblockBy(kCms, "nobody"), "AUTHOR_NOT_BLOCKED");
  EXPECT_EQ(UnblockBy(kCms, "nobody", /*allow_missing=*/true), "");
  EXPECT_EQ(Texts(), before);
}

TEST_F(ActsTest, WhatReadersDoIsNotInTheTrail) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string name = Add("post", "hello");
  ASSERT_TRUE(Update({.comment = *ParseCommentName(name), .body = "changed"}).ok());
  ASSERT_TRUE(Delete(name).ok());
  EXPECT_THAT(Texts(), SizeIs(1));
}

// ---- Times ----

TEST_F(ActsTest, EventsHaveTheTimeOfTheDatabase) {
  const auto now = [this] {
    return Sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
  };
  const std::string before = now();
  ASSERT_EQ(PublishBy(kCms, MakeArticle("post")), "");
  ASSERT_EQ(BlockBy(By(kCms), "troll", ""), "");
  const std::string after = now();
  for (const v1::AuditEvent& event : Events()) {
    const std::string time =
        absl::StrCat(absl::ToUnixMicros(absl::FromUnixSeconds(event.create_time().seconds()) +
                                        absl::Nanoseconds(event.create_time().nanos())));
    EXPECT_LE(before, time);
    EXPECT_LE(time, after);
    EXPECT_TRUE(IsUuid(event.id()));
  }
  v1::Article article = GetOne("post");
  EXPECT_EQ(Events()[1].create_time().DebugString(), article.update_time().DebugString())
      << "the time that the article has";
}

TEST_F(ActsTest, ABlockHasTheTimeOfItsEvent) {
  const auto time_of_block = [this](const std::string& reason) {
    const auto blocked = Await<v1::BlockedAuthor>(
        [&](auto done) { store_->BlockAuthor(By(kDesk), "troll", reason, std::move(done)); });
    return absl::FromUnixSeconds(blocked->block_time().seconds()) +
           absl::Nanoseconds(blocked->block_time().nanos());
  };
  const absl::Time first = time_of_block("spam");
  EXPECT_EQ(TimeOfUuid(Events()[0].id()), first);
  EXPECT_EQ(time_of_block("more spam"), first);
  EXPECT_GT(TimeOfUuid(Events()[0].id()), first) << "the time of the second act";
}

// ---- Transactions ----

TEST_F(ActsTest, WritesThatShareATransactionKeepTheirCallers) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  std::vector<std::string> comments;
  for (int i = 0; i < 20; ++i) comments.push_back(Add("post", absl::StrCat(i)));
  std::vector<Pending<v1::Comment>> moderations(comments.size());
  std::vector<Pending<v1::Article>> edits(20);
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_, "first_name = 'post'"));
  for (size_t i = 0; i < comments.size(); ++i) {
    store_->ModerateComment(By(absl::StrCat("cn:", i)), Hiding(comments[i]),
                            moderations[i].callback());
    store_->UpdateArticle(By(absl::StrCat("dns:", i)), Summarising("post", absl::StrCat(i)),
                          edits[i].callback());
  }
  session.Run("ROLLBACK");
  for (size_t i = 0; i < comments.size(); ++i) {
    ASSERT_TRUE(moderations[i].Get().ok());
    ASSERT_TRUE(edits[i].Get().ok());
    const auto moderated = Events({.caller = absl::StrCat("cn:", i)});
    ASSERT_THAT(moderated, SizeIs(1)) << i;
    EXPECT_EQ(moderated[0].comment(), comments[i]);
    EXPECT_THAT(Events({.caller = absl::StrCat("dns:", i)}), SizeIs(1)) << i;
  }
  EXPECT_EQ(Sql(absl::StrCat("SELECT count(DISTINCT xmin::text) < ", comments.size() + edits.size(),
                             " FROM audit_event WHERE caller <> ''")),
            "t")
      << "each write had a transaction of its own";
  // In the order of the revisions.
  const auto events = Events({.article_id = "post", .page_size = 7});
  ASSERT_THAT(events, SizeIs(41));
  for (size_t i = 1; i < events.size(); ++i) {
    EXPECT_GT(events[i - 1].revision(), events[i].revision());
  }
}

TEST_F(ActsTest, NothingIsDoneWithoutItsEvent) {
  ASSERT_EQ(PublishBy(kCms, MakeArticle("post")), "");
  const std::string name = Add("post", "hello");
  Sql("ALTER TABLE audit_event ADD CONSTRAINT full_up CHECK (false) NOT VALID");
  EXPECT_EQ(PublishBy(kCms, MakeArticle("other")), "INTERNAL");
  EXPECT_EQ(RetractBy(kCms, {.id = "post"}), "INTERNAL");
  EXPECT_EQ(ModerateBy(kCms, Hiding(name)), "INTERNAL");
  EXPECT_EQ(BlockBy(By(kCms), "troll", ""), "INTERNAL");
  EXPECT_EQ(ReasonOf(Erase("user-1").status()), "INTERNAL");
  EXPECT_FALSE(Exists("other"));
  EXPECT_TRUE(Exists("post"));
  EXPECT_EQ(GetComment(name)->body(), "hello");
  EXPECT_EQ(Sql("SELECT count(*) FROM author_block"), "0");
}

TEST_F(ActsTest, NoEventIsLeftOfWhatFailed) {
  ASSERT_EQ(PublishBy(kCms, MakeArticle("post")), "");
  Sql("ALTER TABLE article_state ADD CONSTRAINT full_up CHECK (revision < 2) NOT VALID");
  EXPECT_EQ(RetractBy(kCms, {.id = "post"}), "INTERNAL");
  EXPECT_THAT(Texts(), SizeIs(1));
}

// Whether or not the first attempt was committed, there is one event.
TEST_F(ActsTest, AnActWhoseCommitWasInDoubtHasOneEvent) {
  int id = 0;
  for (const auto cut : {testing::Proxy::Cut::kBeforeCommit, testing::Proxy::Cut::kAfterCommit}) {
    testing::Proxy proxy(url_);
    const std::unique_ptr<Store> direct =
        std::exchange(store_, *NewPostgresStore({.url = proxy.url(), .notifications = false}));
    const std::string post = absl::StrCat("post-", ++id);
    std::string comment;
    const auto add = [&] { comment = Add(post + "-new", "hello"); };
    const auto none = [] {};
    // What is done before, the act, and what it is in the trail.
    struct Act {
      std::string action;
      std::function<void()> prepare;
      std::function<std::string()> run;
    };
    const std::vector<Act> acts = {
        {"publish_article", none, [&] { return PublishBy(kCms, MakeArticle(post)); }},
        {"update_article", none, [&] { return EditBy(kCms, Summarising(post, "New.")); }},
        {"import_article", none,
         [&] { return PublishBy(kCms, MakeArticle(post, "Other text."), {.imported = true}); }},
        {"rename_article", none,
         [&] { return RenameBy(kCms, {.id = post, .new_id = post + "-new"}); }},
        {"moderate_comment", add, [&] { return ModerateBy(kCms, Hiding(comment)); }},
        {"erase_comment", add,
         [&] { return EraseCommentBy(kCms, {.comment = *ParseCommentName(comment)}); }},
        {"verify_counters", [&] { Sql("UPDATE article_state SET comment_count = 7"); },
         [&] { return VerifyBy(kCms, {.article_id = post + "-new", .repair = true}); }},
        {"retract_article", none, [&] { return RetractBy(kCms, {.id = post + "-new"}); }},
        {"release_article",
         [&] {
           v1::Article article = Scheduled();
           article.set_name(ArticleName(post + "-later"));
           ASSERT_EQ(PublishBy(kCms, article), "");
           Sql("UPDATE article_state SET publish_time = now() WHERE scheduled");
         },
         [&] {
           ReleaseDueArticles();
           return "";
         }},
        {"block_author", none, [&] { return BlockBy(By(kCms), "troll", ""); }},
        {"unblock_author", none, [&] { return UnblockBy(kCms, "troll"); }},
    };
    for (const Act& act : acts) {
      SCOPED_TRACE(
          absl::StrCat(act.action, cut == testing::Proxy::Cut::kBeforeCommit ? " lost" : ""));
      act.prepare();
      const size_t before = Texts().size();
      proxy.CutNextCommit(cut);
      EXPECT_EQ(act.run(), "");
      EXPECT_THAT(Newest(before), ::testing::StartsWith(act.action));
    }
    store_.reset();  // before the proxy
  }
}

// Each step of an erasure has a transaction: one for the comments on an article, one for the
// reports, one for the trail.
TEST_F(ActsTest, AnErasureWhoseCommitWasInDoubtHasOneEvent) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  for (const auto cut : {testing::Proxy::Cut::kBeforeCommit, testing::Proxy::Cut::kAfterCommit}) {
    testing::Proxy proxy(url_);
    const std::unique_ptr<Store> direct =
        std::exchange(store_, *NewPostgresStore({.url = proxy.url(), .notifications = false}));
    for (int doubtful = 0; doubtful < 3; ++doubtful) {
      SCOPED_TRACE(
          absl::StrCat(doubtful, cut == testing::Proxy::Cut::kBeforeCommit ? " lost" : ""));
      const CommentRef other = *ParseCommentName(Add("post", "by user-1"));
      NewComment comment = MakeComment("post", "hello");
      comment.author.set_id("troll");
      ASSERT_TRUE(Create(comment).ok());
      ASSERT_TRUE(Await<void>([&](auto done) {
                    store_->ReportComment({}, {.comment = other, .reporter_id = "troll"},
                                          std::move(done));
                  }).ok());
      ASSERT_EQ(BlockBy(By(kDesk, "troll"), "ben", absl::StrCat(Texts().size())), "");
      const size_t before = Texts().size();
      Erasure erasure{"troll"};
      bool complete = false;
      for (int step = 0; !complete; ++step) {
        if (step == doubtful) proxy.CutNextCommit(cut);
        const auto erased = Await<ErasedComments>(
            [&](auto done) { store_->EraseAuthor(By(kCms), erasure, std::move(done)); });
        ASSERT_TRUE(erased.ok()) << erased.status();
        erasure.event_id = erased->event_id;
        complete = erased->complete;
        ASSERT_LE(step, 3);
      }
      EXPECT_EQ(Newest(before), "erase_author, count 1, by spiffe://example.org/cms");
      EXPECT_EQ(Sql("SELECT count(*) FROM comment_report"), "0");
      EXPECT_EQ(Sql("SELECT count(*) FROM audit_event WHERE person_id = 'troll'"), "0");
    }
    store_.reset();  // before the proxy
  }
}

}  // namespace
}  // namespace content::store
