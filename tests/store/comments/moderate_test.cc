#include <string>

#include "absl/time/clock.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ModerateCommentTest : public CommentWriteTest {};

TEST_F(ModerateCommentTest, ModeratorsCanMoveCommentsBetweenAllStates) {
  const std::string parent = Add("post", "parent");
  const std::string name = Add("post", "text", parent);
  int64_t revision = 3;
  v1::CommentState from = kVisible;
  for (const v1::CommentState to :
       {kPending, kHidden, kPending, kVisible, kHidden, kVisible, kPending, kVisible}) {
    const std::string etag = Moderate(name, from)->etag();
    const auto moved = Moderate(name, to, etag);
    ASSERT_TRUE(moved.ok()) << moved.status();
    EXPECT_EQ(moved->state(), to);
    EXPECT_EQ(moved->body(), "text");
    EXPECT_EQ(moved->author().id(), "user-1");
    EXPECT_EQ(moved->edit_count(), 0);
    EXPECT_EQ(moved->article_revision(), ++revision);
    EXPECT_EQ(moved->revision(), revision);
    EXPECT_NE(moved->etag(), etag);
    EXPECT_EQ(IsShown(name), to == kVisible);
    EXPECT_EQ(CommentCount(), to == kVisible ? 2 : 1);
    EXPECT_EQ(Read(parent).reply_count(), to == kVisible ? 1 : 0);
    EXPECT_EQ(ReasonOf(Moderate(name, from, etag).status()), "ETAG_MISMATCH");
    EXPECT_EQ(Moderate(name, to, "stale")->article_revision(), revision)
        << "it is in that state already";
    from = to;
  }
}

TEST_F(ModerateCommentTest, NeedsAnExistingComment) {
  const std::string id = NewUuid();
  EXPECT_EQ(ReasonOf(Moderate(CommentName("post", id), kHidden).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Moderate(CommentName("none", id), kHidden).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(ModerateCommentTest, CommentsOnRetractedArticlesCanBeModerated) {
  const std::string name = Add("post", "text");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(Moderate(name, kHidden)->article_revision(), 4);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_FALSE(IsShown(name));
  EXPECT_EQ(CommentCount(), 0);
}

TEST_F(ModerateCommentTest, AHiddenCommentKeepsItsRepliesButShowsNoText) {
  NewComment comment = MakeComment("post", "unspeakable");
  comment.author.set_id("villain-id");
  comment.author.set_display_name("Villain");
  const std::string name = Create(comment)->name();
  const std::string reply = Add("post", "calm", name);
  const std::string below = Add("post", "calmer", reply);
  for (const v1::CommentState state : {kHidden, kPending}) {
    ASSERT_TRUE(Moderate(name, state).ok());
    const std::string everything = EverythingReadersGet({name, reply, below});
    for (const char* secret : {"unspeakable", "villain", "Villain"}) {
      EXPECT_THAT(everything, Not(HasSubstr(secret)));
    }
    EXPECT_THAT(everything, HasSubstr(v1::CommentState_Name(state)));
    EXPECT_THAT(ListBodies({.article_id = "post",
                            .order = v1::COMMENT_ORDER_THREADED,
                            .reply_to = *ParseCommentName(name),
                            .page_size = 1}),
                ElementsAre("calm", "calmer"));
    EXPECT_EQ(ReasonOf(Create(MakeComment("post", "re", name)).status()), "COMMENT_NOT_FOUND");
    EXPECT_EQ(Read(name).reply_count(), 1);
  }
  EXPECT_TRUE(Create(MakeComment("post", "calmest", below)).ok());
  ASSERT_TRUE(Moderate(name, kVisible).ok());
  EXPECT_EQ(Read(name).body(), "unspeakable");
}

TEST_F(ModerateCommentTest, InspectingShowsACommentInAnyStateOnAnyArticle) {
  const std::string name = Add("post", "text");
  EXPECT_EQ(InspectComment(name)->SerializeAsString(), Read(name).SerializeAsString());
  for (const v1::CommentState state : {kPending, kHidden}) {
    const auto moderated = Moderate(name, state);
    v1::Comment expected = *moderated;
    expected.clear_article_revision();
    EXPECT_EQ(InspectComment(name)->SerializeAsString(), expected.SerializeAsString());
  }
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(InspectComment(name)->body(), "text");
  ASSERT_TRUE(Rename({.id = "post", .new_id = "other"}).ok());
  EXPECT_EQ(InspectComment(name)->name(), CommentName("other", ParseCommentName(name)->comment_id));
  ASSERT_TRUE(Delete({.comment = *ParseCommentName(name), .by_moderator = true}).ok());
  EXPECT_EQ(InspectComment(name)->state(), kDeleted);
  EXPECT_EQ(InspectComment(name)->body(), "");
  EXPECT_FALSE(InspectComment(name)->has_author());

  const std::string id = NewUuid();
  EXPECT_EQ(ReasonOf(InspectComment(CommentName("post", id)).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(InspectComment(CommentName("none", id)).status()), "ARTICLE_NOT_FOUND");
}

}  // namespace
}  // namespace content::store
