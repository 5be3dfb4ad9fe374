#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ModerationQueueTest : public StoreTest {
 protected:
  void SetUp() override {
    for (const char* id : {"first", "second"}) {
      v1::Article article = MakeArticle(id);
      article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
      ASSERT_TRUE(Publish(article).ok());
    }
  }

  // Bodies in the queue, over all pages.
  std::vector<std::string> Queue(v1::CommentState state = v1::COMMENT_STATE_PENDING,
                                 int page_size = 2) {
    std::vector<std::string> bodies;
    ModerationQuery query{.state = state, .page_size = page_size};
    do {
      const auto page = ModerationQueue(query);
      if (!page.ok()) {
        ADD_FAILURE() << page.status();
        return bodies;
      }
      EXPECT_LE(page->items.size(), static_cast<size_t>(page_size));
      for (const auto& comment : page->items) {
        EXPECT_EQ(comment.state(), state);
        bodies.push_back(comment.body());
      }
      query.after_key = page->next_key;
    } while (!query.after_key.empty());
    return bodies;
  }
};

TEST_F(ModerationQueueTest, HoldsPendingCommentsOfAllArticlesOldestFirst) {
  EXPECT_THAT(Queue(), IsEmpty());
  for (int i = 0; i < 5; ++i) Add(i % 2 == 0 ? "second" : "first", absl::StrCat(i));
  EXPECT_THAT(Queue(), ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(ModerationQueueTest, ShowsAuthorAndText) {
  const std::string name = Add("first", "What do you think?");
  const auto page = ModerationQueue({.page_size = 10});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items[0].name(), name);
  EXPECT_EQ(page->items[0].author().id(), "user-1");
  EXPECT_EQ(page->items[0].body(), "What do you think?");
  EXPECT_EQ(page->next_key, "");
}

TEST_F(ModerationQueueTest, DecidedCommentsLeaveTheQueue) {
  const std::string visible = Add("first", "to be seen");
  const std::string hidden = Add("first", "to be hidden");
  const std::string deleted = Add("second", "to be deleted");
  Add("second", "still waits");
  ASSERT_TRUE(Moderate(visible, v1::COMMENT_STATE_VISIBLE).ok());
  ASSERT_TRUE(Moderate(hidden, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Delete(deleted).ok());
  EXPECT_THAT(Queue(), ElementsAre("still waits"));
  EXPECT_THAT(Queue(v1::COMMENT_STATE_HIDDEN), ElementsAre("to be hidden"));
  ASSERT_TRUE(Moderate(hidden, v1::COMMENT_STATE_PENDING).ok());
  EXPECT_THAT(Queue(), ElementsAre("to be hidden", "still waits"));
  EXPECT_THAT(Queue(v1::COMMENT_STATE_HIDDEN), IsEmpty());
}

TEST_F(ModerationQueueTest, HoldsCommentsOfUnreadableArticles) {
  Add("first", "on a retracted article");
  ASSERT_TRUE(Retract("first").ok());
  EXPECT_THAT(Queue(), ElementsAre("on a retracted article"));
}

TEST_F(ModerationQueueTest, ShowsTheCurrentNameOfTheArticle) {
  Add("first", "hello");
  ASSERT_TRUE(Rename({.id = "first", .new_id = "renamed"}).ok());
  const auto page = ModerationQueue({.page_size = 10});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(ParseCommentName(page->items.at(0).name())->article_id, "renamed");
}

TEST_F(ModerationQueueTest, APageHasALimitedSize) {
  std::string body;
  for (int i = 0; i < kMaxCommentCharacters; ++i) body += "\xF0\x9F\x90\x8B";
  for (int i = 0; i < 90; ++i) Add("first", body);
  ModerationQuery query{.page_size = 200};
  size_t count = 0;
  do {
    const auto page = ModerationQueue(query);
    ASSERT_TRUE(page.ok()) << page.status();
    size_t bytes = 0;
    for (const auto& comment : page->items) bytes += comment.ByteSizeLong();
    EXPECT_LE(bytes, static_cast<size_t>(kMaxReplyBytes));
    count += page->items.size();
    query.after_key = page->next_key;
  } while (!query.after_key.empty());
  EXPECT_EQ(count, 90U);
}

}  // namespace
}  // namespace content::store
