// What the sources of a store tell the feeds, and the tokens of their messages.

#include "watch/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/await.h"
#include "base/errors.h"
#include "content/page_token.h"
#include "content/v1/content_service.pb.h"
#include "support/fake_clock.h"
#include "support/fakes/scripted_article_source.h"

namespace content::watch {
namespace {

using ::testing::ElementsAre;

// Answers every read with one change, in the latest epoch.
class FakeChangeFeed final : public ChangeFeed {
 public:
  void ReadCommentChanges(CallContext, std::string, CommentCursor after,
                          Callback<CommentChanges> done) override {
    comment_cursor = std::move(after);
    CommentChanges changes;
    changes.article_revision = 4;
    changes.epoch = epoch;
    changes.comments.emplace_back().set_revision(4);
    std::move(done)(std::move(changes));
  }

  void ReadArticleChanges(CallContext, ArticleCursor after,
                          Callback<ArticleChanges> done) override {
    article_cursor = std::move(after);
    ArticleChanges changes;
    changes.cursor = {.position = 8, .epoch = epoch};
    changes.changes.emplace_back().cursor = {.position = 7, .epoch = epoch};
    std::move(done)(std::move(changes));
  }

  void GetArticleCursor(CallContext, Callback<ArticleCursor> done) override {
    std::move(done)(ArticleCursor{.position = 6, .epoch = epoch});
  }

  Epoch LatestEpoch() override { return epoch; }

  Epoch epoch = "1.1";
  CommentCursor comment_cursor;
  ArticleCursor article_cursor;
};

class SourcesTest : public ::testing::Test {
 protected:
  static Batch Read(Source& source, Position position) {
    auto batch = Await<Batch>(
        [&](Callback<Batch> done) { source.Read({}, std::move(position), std::move(done)); });
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch.ok() ? *std::move(batch) : Batch();
  }

  std::vector<bool> Poll(const std::vector<Position>& positions) {
    auto answer = Await<std::vector<bool>>([&](Callback<std::vector<bool>> done) {
      comments_->Poll({}, std::make_shared<const std::vector<Position>>(positions),
                      std::move(done));
    });
    return *answer;
  }

  template <class Response>
  static std::string TokenOf(const Message& message) {
    Response response;
    EXPECT_TRUE(response.ParseFromString(*message));
    return response.resume_token();
  }

  testing::FakeClock clock_;
  testing::ScriptedArticleSource states_{clock_};
  FakeChangeFeed changes_;
  const std::unique_ptr<Source> comments_ = NewCommentSource(states_, changes_);
  const std::unique_ptr<Source> articles_ = NewArticleSource(changes_);
};

TEST_F(SourcesTest, ATokenOfCommentsHasTheRevisionAndTheEpoch) {
  const Batch batch = Read(*comments_, CommentPosition("a", 3));
  EXPECT_EQ(changes_.comment_cursor.revision, 3);
  EXPECT_EQ(changes_.comment_cursor.epoch, "");
  for (const Message& message : {batch.messages[0], batch.heartbeat}) {
    const auto position = ResumedCommentPosition("a", TokenOf<v1::WatchCommentsResponse>(message));
    ASSERT_TRUE(position);
    EXPECT_EQ(position->cursor, batch.cursor);
    Read(*comments_, *position);
    EXPECT_EQ(changes_.comment_cursor.revision, 4);
    EXPECT_EQ(changes_.comment_cursor.epoch, "1.1");
  }
  EXPECT_FALSE(ResumedCommentPosition("a", "made up"));
}

TEST_F(SourcesTest, ATokenOfArticlesHasThePositionAndTheEpoch) {
  const Batch batch = Read(*articles_, FirstArticlePosition(/*skip_existing=*/true));
  const auto first = ResumedArticlePosition(TokenOf<v1::WatchArticlesResponse>(batch.heartbeat));
  ASSERT_TRUE(first);
  const Batch next = Read(*articles_, *first);
  EXPECT_EQ(changes_.article_cursor.position, 6);
  EXPECT_EQ(changes_.article_cursor.epoch, "1.1");
  const auto second = ResumedArticlePosition(TokenOf<v1::WatchArticlesResponse>(next.messages[0]));
  ASSERT_TRUE(second);
  Read(*articles_, *second);
  EXPECT_EQ(changes_.article_cursor.position, 7);
  EXPECT_EQ(changes_.article_cursor.epoch, "1.1");
}

TEST_F(SourcesTest, ATokenOfAFormerVersionHasNoEpoch) {
  const auto position = ResumedArticlePosition(
      MakePageToken("content.v1.WatchArticlesRequest/resume_token", "7/future//5"));
  ASSERT_TRUE(position);
  Read(*articles_, *position);
  EXPECT_EQ(changes_.article_cursor.position, 7);
  EXPECT_EQ(changes_.article_cursor.known_position, 5);
  EXPECT_EQ(changes_.article_cursor.epoch, "");
}

// Its revision may be that of another change now.
TEST_F(SourcesTest, APositionOfAnotherEpochCountsAsChanged) {
  EncodedArticle article;
  article.state.revision = 4;
  states_.AnswerAtOnce(article);
  const std::vector<Position> positions = {{"a", "3@1.1"}, {"a", "4@1.1"}, {"b", "4@1.1"}};
  EXPECT_THAT(Poll(positions), ElementsAre(true, false, false));
  changes_.epoch = "1.2";
  EXPECT_THAT(Poll(positions), ElementsAre(true, true, true));
}

}  // namespace
}  // namespace content::watch
