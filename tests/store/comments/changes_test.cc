#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class CommentChangesTest : public StoreTest {
 protected:
  CommentChangesTest() { EXPECT_TRUE(Publish(MakeArticle("story")).ok()); }

  absl::StatusOr<CommentChanges> Read(const std::string& id, int64_t after_revision) {
    return Await<CommentChanges>([&](auto done) {
      store_->ReadCommentChanges({}, id, {.revision = after_revision}, std::move(done));
    });
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

  // Reads all batches and checks that no revision is split between two of them.
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

TEST_F(CommentChangesTest, ComeInRevisionOrderWithEachCommentOnce) {
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

TEST_F(CommentChangesTest, IncludeTheParentThatAReplyChanged) {
  const std::string parent = Add("story", "parent");
  const int64_t before = Revision();
  Add("story", "reply", parent);
  const CommentChanges changes = Changes(before);
  ASSERT_THAT(changes.comments, SizeIs(2));
  EXPECT_EQ(changes.comments[0].revision(), changes.comments[1].revision());
  EXPECT_THAT(Bodies(changes.comments), UnorderedElementsAre("parent", "reply"));
}

TEST_F(CommentChangesTest, AreEmptyWhenOnlyTheArticleChanged) {
  Add("story", "comment");
  const int64_t before = Revision();
  ASSERT_TRUE(Publish(MakeArticle("story", "Other text.")).ok());
  const CommentChanges changes = Changes(before);
  EXPECT_THAT(changes.comments, IsEmpty());
  EXPECT_TRUE(changes.complete);
  EXPECT_EQ(changes.article_revision, before + 1);
  EXPECT_EQ(changes.comment_count, 1);
}

TEST_F(CommentChangesTest, ReportHiddenAndDeletedCommentsWithoutTheirText) {
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
  ASSERT_TRUE(Delete(parent).ok());  // it becomes a placeholder
  changes = Changes(before);
  ASSERT_THAT(changes.comments, SizeIs(1));
  EXPECT_EQ(changes.comments[0].state(), v1::COMMENT_STATE_DELETED);
  EXPECT_EQ(changes.comments[0].reply_count(), 1);

  before = Revision();
  ASSERT_TRUE(Delete(reply).ok());  // the placeholder goes too
  changes = Changes(before);
  ASSERT_THAT(changes.comments, SizeIs(2));
  for (const v1::Comment& comment : changes.comments) {
    EXPECT_EQ(comment.state(), v1::COMMENT_STATE_DELETED);
    EXPECT_EQ(comment.reply_count(), 0);
    EXPECT_EQ(comment.body(), "");
  }
  EXPECT_EQ(changes.comment_count, 0);
}

TEST_F(CommentChangesTest, OmitCommentsThatReadersNeverSaw) {
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

TEST_F(CommentChangesTest, ComeInBatchesOfWholeRevisions) {
  for (int i = 0; i < 230; ++i) Add("story", absl::StrCat(i));
  // Many comments of one revision, where the first batch would end.
  Sql("UPDATE comment SET revision = 120 WHERE revision BETWEEN 91 AND 120");
  size_t batches = 0;
  const std::vector<v1::Comment> all = ReadAll(&batches);
  EXPECT_THAT(all, SizeIs(230));
  EXPECT_EQ(batches, 3);
  EXPECT_THAT(Changes(0).comments, SizeIs(119));
  EXPECT_FALSE(Changes(0).complete);
  EXPECT_EQ(Changes(0).article_revision, 120);
}

TEST_F(CommentChangesTest, ComeInBatchesOfLimitedSize) {
  const std::string body = []() {
    std::string characters;
    for (int i = 0; i < kMaxCommentCharacters; ++i) characters += "\U0001F389";
    return characters;
  }();
  for (int i = 0; i < 90; ++i) Add("story", body);
  Sql("UPDATE comment SET revision = 80 WHERE revision BETWEEN 70 AND 80");
  const CommentChanges first = Changes(0);
  EXPECT_FALSE(first.complete);
  EXPECT_EQ(first.article_revision, 69);  // with revision 80 it would exceed 3 MiB
  size_t batches = 0;
  EXPECT_THAT(ReadAll(&batches), SizeIs(90));
  EXPECT_EQ(batches, 2);

  Sql("UPDATE comment SET revision = 80");  // too large, but one revision
  const CommentChanges whole = Changes(0);
  EXPECT_THAT(whole.comments, SizeIs(90));
  EXPECT_TRUE(whole.complete);
}

TEST_F(CommentChangesTest, NeedAReadableArticle) {
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

}  // namespace
}  // namespace content::store
