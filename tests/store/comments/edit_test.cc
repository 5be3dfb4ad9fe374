#include <string>

#include "google/protobuf/util/time_util.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;

class EditCommentTest : public CommentWriteTest {};

TEST_F(EditCommentTest, ChangesTheGivenFieldsAndCountsTheEdit) {
  const std::string name = Add("post", "first");
  const v1::Comment before = Read(name);
  const auto edited = Rewrite(name, "second", before.etag());
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_EQ(edited->article_revision(), 3);

  v1::Comment after = Read(name);
  EXPECT_EQ(after.body(), "second");
  EXPECT_EQ(after.author().display_name(), "A Reader");
  EXPECT_EQ(after.edit_count(), 1);
  EXPECT_EQ(after.revision(), 3);
  EXPECT_NE(after.etag(), before.etag());
  EXPECT_EQ(after.create_time(), before.create_time());
  EXPECT_GT(after.update_time(), before.update_time());
  after.set_article_revision(3);
  EXPECT_EQ(after.SerializeAsString(), edited->SerializeAsString());

  ASSERT_TRUE(Update({.comment = *ParseCommentName(name), .author_display_name = "Ana"}).ok());
  after = Read(name);
  EXPECT_EQ(after.body(), "second");
  EXPECT_EQ(after.author().display_name(), "Ana");
  EXPECT_EQ(after.author().id(), "user-1");
  EXPECT_EQ(after.edit_count(), 2);
  EXPECT_EQ(CommentCount(), 1);
}

TEST_F(EditCommentTest, AnEditWithoutEffectChangesNothingAndNeedsNoEtag) {
  const std::string name = Add("post", "text");
  const v1::Comment before = Read(name);
  const auto same = Rewrite(name, "text", "stale");
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->edit_count(), 0);
  EXPECT_EQ(same->article_revision(), 2);
  EXPECT_EQ(Read(name).SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(GetOne("post").revision(), 2);
}

// Otherwise an author could replace what a moderator has approved: a CLOSED article no longer says
// that it was PREMODERATED.
TEST_F(EditCommentTest, AClosedArticleTakesNoEditsButDeletions) {
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  const std::string name = Add("post", "approved");
  ASSERT_TRUE(Moderate(name, kVisible).ok());
  const CommentEdit edit{.comment = *ParseCommentName(name),
                         .body = "approved, too",
                         .request = {.id = NewUuid(), .fingerprint = "aa"}};
  ASSERT_TRUE(Update(edit).ok());
  ASSERT_TRUE(Moderate(name, kVisible).ok());
  SetPolicy(v1::COMMENT_POLICY_CLOSED);
  const int64_t revision = GetOne("post").revision();

  EXPECT_EQ(ReasonOf(Rewrite(name, "not approved").status()), "COMMENTS_CLOSED");
  EXPECT_EQ(ReasonOf(Rewrite(name, "approved, too").status()), "COMMENTS_CLOSED");
  CommentEdit dry_run{.comment = *ParseCommentName(name), .author_display_name = "Ana"};
  dry_run.validate_only = true;
  EXPECT_EQ(ReasonOf(Update(dry_run).status()), "COMMENTS_CLOSED");
  EXPECT_EQ(Read(name).body(), "approved, too");
  EXPECT_TRUE(Update(edit).ok()) << "it was done before";
  EXPECT_EQ(GetOne("post").revision(), revision);

  EXPECT_TRUE(Moderate(name, kHidden).ok());
  EXPECT_EQ(*Delete(name), revision + 2);
}

TEST_F(EditCommentTest, NeedsTheCurrentEtag) {
  const std::string name = Add("post", "first");
  const std::string etag = Read(name).etag();
  ASSERT_TRUE(Rewrite(name, "second", etag).ok());
  EXPECT_EQ(ReasonOf(Rewrite(name, "third", etag).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Read(name).body(), "second");
}

TEST_F(EditCommentTest, AReplyDoesNotChangeTheEtagOfItsParent) {
  const std::string name = Add("post", "text");
  const std::string etag = Read(name).etag();
  Add("post", "reply", name);
  EXPECT_EQ(Read(name).etag(), etag);
  EXPECT_EQ(Read(name).revision(), 3);
  EXPECT_EQ(Read(name).reply_count(), 1);
}

TEST_F(EditCommentTest, AnEditOnAPremoderatedArticleIsPendingAgain) {
  const std::string parent = Add("post", "parent");
  const std::string name = Add("post", "reply", parent);
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_EQ(Rewrite(name, "reply")->state(), kVisible) << "nothing changed";
  const auto edited = Rewrite(name, "rude");
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_EQ(edited->state(), kPending);
  EXPECT_EQ(edited->body(), "rude");
  EXPECT_EQ(CommentCount(), 1);
  EXPECT_EQ(Read(parent).reply_count(), 0);
  EXPECT_FALSE(IsShown(name));
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 9}), ElementsAre("parent"));

  EXPECT_EQ(Rewrite(name, "polite")->state(), kPending);
  EXPECT_EQ(Moderate(name, kVisible)->body(), "polite");
  EXPECT_EQ(CommentCount(), 2);
  EXPECT_EQ(Update({.comment = *ParseCommentName(name), .author_display_name = "Boo"})->state(),
            kPending);
}

TEST_F(EditCommentTest, HiddenAndDeletedCommentsCannotBeEdited) {
  const std::string hidden = Add("post", "hidden");
  const std::string deleted = Add("post", "deleted");
  ASSERT_TRUE(Moderate(hidden, kHidden).ok());
  ASSERT_TRUE(Delete(deleted).ok());
  EXPECT_EQ(ReasonOf(Rewrite(hidden, "other").status()), "COMMENT_HIDDEN");
  EXPECT_EQ(ReasonOf(Rewrite(hidden, "hidden").status()), "COMMENT_HIDDEN");
  EXPECT_EQ(ReasonOf(Rewrite(deleted, "other").status()), "COMMENT_DELETED");
}

TEST_F(EditCommentTest, NeedsAnExistingCommentOnAReadableArticle) {
  const std::string name = Add("post", "text");
  const std::string id = ParseCommentName(name)->comment_id;
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  EXPECT_EQ(ReasonOf(Rewrite(CommentName("other", id), "x").status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Rewrite(CommentName("none", id), "x").status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(CommentName("none", id)).status()), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(ReasonOf(Rewrite(name, "x").status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(name).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(EditCommentTest, ValidatingAnEditChangesNothing) {
  const std::string name = Add("post", "text");
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  const v1::Comment before = Read(name);
  CommentEdit edit{.comment = *ParseCommentName(name), .body = "other", .validate_only = true};
  for (const char* body : {"other", "text"}) {
    edit.body = body;
    const auto preview = Update(edit);
    ASSERT_TRUE(preview.ok()) << preview.status();
    EXPECT_EQ(preview->name(), name);
    EXPECT_EQ(preview->body(), body);
    EXPECT_EQ(preview->state(), edit.body == "other" ? kPending : kVisible);
    EXPECT_EQ(preview->edit_count(), edit.body == "other" ? 1 : 0);
    EXPECT_FALSE(preview->has_update_time());
    EXPECT_EQ(preview->revision(), 0);
    EXPECT_EQ(preview->etag(), "");
    EXPECT_EQ(preview->article_revision(), 0);
  }
  edit.body = "other";
  edit.etag = "stale";
  EXPECT_EQ(ReasonOf(Update(edit).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Read(name).SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(GetOne("post").revision(), 3);
}

}  // namespace
}  // namespace content::store
