#include <string>

#include "absl/time/clock.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;

class DeleteCommentTest : public CommentWriteTest {
 protected:
  absl::StatusOr<int64_t> DeleteAsModerator(const std::string& name) {
    return Delete({.comment = *ParseCommentName(name), .by_moderator = true});
  }

  void Schedule(int64_t seconds) {
    v1::Article article;
    article.mutable_publish_time()->set_seconds(seconds);
    ASSERT_TRUE(Edit({.id = "post", .article = article, .paths = {"publish_time"}}).ok());
  }
};

TEST_F(DeleteCommentTest, DeletesTextAndAuthor) {
  const std::string name = Add("post", "very secret");
  Add("post", "kept");
  EXPECT_EQ(*Delete(name), 4);
  EXPECT_FALSE(IsShown(name));
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 9}), ElementsAre("kept"));
  EXPECT_EQ(CommentCount(), 1);
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body LIKE '%secret%'"), "0");
  EXPECT_EQ(Sql("SELECT author_id || author_display_name || body FROM comment WHERE state = 4"),
            "");
  EXPECT_EQ(ReasonOf(Create(MakeComment("post", "re", name)).status()), "COMMENT_NOT_FOUND");
}

TEST_F(DeleteCommentTest, LeavesAPlaceholderWhileRepliesAreShown) {
  const std::string name = Add("post", "secret");
  const std::string reply = Add("post", "reply", name);
  ASSERT_TRUE(Delete(name).ok());
  const v1::Comment placeholder = Read(name);
  EXPECT_EQ(placeholder.state(), kDeleted);
  EXPECT_FALSE(placeholder.has_author());
  EXPECT_EQ(placeholder.body(), "");
  EXPECT_EQ(placeholder.reply_count(), 1);
  EXPECT_EQ(CommentCount(), 1);
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body LIKE '%secret%'"), "0");
  EXPECT_EQ(ReasonOf(Create(MakeComment("post", "re", name)).status()), "COMMENT_NOT_FOUND");

  ASSERT_TRUE(Delete(reply).ok());
  EXPECT_FALSE(IsShown(name));
  EXPECT_FALSE(IsShown(reply));
  EXPECT_EQ(CommentCount(), 0);
}

TEST_F(DeleteCommentTest, DeletingTwiceChangesNothing) {
  const std::string name = Add("post", "text");
  Add("post", "reply", name);
  EXPECT_EQ(*Delete(name), 4);
  EXPECT_EQ(*Delete(name), 4);
  EXPECT_EQ(*Delete({.comment = *ParseCommentName(name), .etag = "stale"}), 4);
  EXPECT_EQ(GetOne("post").revision(), 4);
}

TEST_F(DeleteCommentTest, NeedsTheCurrentEtag) {
  const std::string name = Add("post", "text");
  const CommentRef reference = *ParseCommentName(name);
  EXPECT_EQ(ReasonOf(Delete({.comment = reference, .etag = "stale"}).status()), "ETAG_MISMATCH");
  EXPECT_TRUE(Delete({.comment = reference, .etag = Read(name).etag()}).ok());
}

TEST_F(DeleteCommentTest, AMissingCommentIsAnErrorUnlessAllowed) {
  const CommentRef none{"post", NewUuid()};
  EXPECT_EQ(ReasonOf(Delete({.comment = none}).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(*Delete({.comment = none, .etag = "x", .allow_missing = true}), 1);
}

TEST_F(DeleteCommentTest, HiddenAndPendingCommentsCanBeDeleted) {
  for (const v1::CommentState state : {kHidden, kPending}) {
    const std::string name = Add("post", "text");
    ASSERT_TRUE(Moderate(name, state).ok());
    EXPECT_TRUE(Delete(name).ok());
    EXPECT_EQ(ReasonOf(Moderate(name, kVisible).status()), "COMMENT_DELETED");
  }
  EXPECT_EQ(CommentCount(), 0);
}

TEST_F(DeleteCommentTest, OnlyAModeratorCanDeleteOnAnArticleThatReadersDoNotSee) {
  const std::string first = Add("post", "secret");
  const std::string reply = Add("post", "kept", first);
  const std::string second = Add("post", "secret, too");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(ReasonOf(Delete(first).status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(*DeleteAsModerator(first), 6);
  EXPECT_EQ(*DeleteAsModerator(first), 6);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Schedule(32'000'000'000);
  EXPECT_EQ(ReasonOf(Delete(second).status()), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(DeleteAsModerator(second).ok());
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body LIKE '%secret%'"), "0");

  Schedule(1'600'000'000);
  EXPECT_EQ(Read(first).state(), kDeleted);
  EXPECT_EQ(Read(first).reply_count(), 1);
  EXPECT_EQ(Read(reply).body(), "kept");
  EXPECT_FALSE(IsShown(second));
  EXPECT_EQ(CommentCount(), 1);
}

TEST_F(DeleteCommentTest, AModeratorsDeletionIsSafeToRepeatAndNeedsTheCurrentEtag) {
  const std::string name = Add("post", "text");
  const CommentRef reference = *ParseCommentName(name);
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(ReasonOf(Delete({.comment = reference, .etag = "x", .by_moderator = true}).status()),
            "ETAG_MISMATCH");
  CommentDeletion deletion{.comment = reference,
                           .by_moderator = true,
                           .request = {.id = NewUuid(), .fingerprint = "aa"}};
  EXPECT_EQ(*Delete(deletion), 4);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_EQ(*Delete(deletion), 4);
  deletion.request.fingerprint = "bb";
  EXPECT_EQ(ReasonOf(Delete(deletion).status()), "REQUEST_ID_REUSED");

  const CommentRef none{"post", NewUuid()};
  EXPECT_EQ(ReasonOf(Delete({.comment = none, .by_moderator = true}).status()),
            "COMMENT_NOT_FOUND");
  EXPECT_TRUE(Delete({.comment = none, .allow_missing = true, .by_moderator = true}).ok());
  EXPECT_EQ(ReasonOf(Delete({.comment = {"none", none.comment_id}, .by_moderator = true}).status()),
            "ARTICLE_NOT_FOUND");
}

}  // namespace
}  // namespace content::store
