#include <string>

#include "absl/time/clock.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;

class DeleteCommentTest : public CommentWriteTest {};

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

}  // namespace
}  // namespace content::store
