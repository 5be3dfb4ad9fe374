#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;

class CommentTreeTest : public CommentWriteTest {
 protected:
  // top -> hidden -> deleted -> last, of which the second and third are placeholders, and
  // top -> beside.
  void SetUp() override {
    CommentWriteTest::SetUp();
    top_ = Add("post", "top");
    hidden_ = Add("post", "hidden", top_);
    deleted_ = Add("post", "deleted", hidden_);
    last_ = Add("post", "last", deleted_);
    Add("post", "beside", top_);
    ASSERT_TRUE(Moderate(hidden_, kHidden).ok());
    ASSERT_TRUE(Delete(deleted_).ok());
    Sql("UPDATE comment SET body = 'deleted' WHERE state = 4");  // for LastChanged
  }

  std::vector<bool> Shown() { return {IsShown(hidden_), IsShown(deleted_), IsShown(last_)}; }

  std::string top_, hidden_, deleted_, last_;
};

TEST_F(CommentTreeTest, DeletingTheLastShownReplyRemovesThePlaceholdersAbove) {
  EXPECT_THAT(Shown(), Each(true));
  EXPECT_EQ(Read(top_).reply_count(), 2);
  ASSERT_TRUE(Delete(last_).ok());
  EXPECT_THAT(Shown(), Each(false));
  EXPECT_EQ(LastChanged(), " deleted hidden top");
  EXPECT_EQ(Read(top_).reply_count(), 1);
  EXPECT_EQ(CommentCount(), 2);
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 9}), ElementsAre("beside", "top"));
}

TEST_F(CommentTreeTest, ApprovingAReplyRestoresThePlaceholdersAbove) {
  ASSERT_TRUE(Moderate(last_, kPending).ok());
  EXPECT_THAT(Shown(), Each(false));
  EXPECT_EQ(
      ReasonOf(List({.article_id = "post", .reply_to = *ParseCommentName(deleted_), .page_size = 9})
                   .status()),
      "COMMENT_NOT_FOUND");
  ASSERT_TRUE(Moderate(last_, kVisible).ok());
  EXPECT_THAT(Shown(), Each(true));
  EXPECT_EQ(LastChanged(), "deleted hidden last top");
  EXPECT_EQ(Read(top_).reply_count(), 2);
  EXPECT_EQ(Read(hidden_).reply_count(), 1);
  EXPECT_EQ(Read(deleted_).reply_count(), 1);
}

TEST_F(CommentTreeTest, ApprovingAPlaceholderShowsOnlyIt) {
  ASSERT_TRUE(Delete(last_).ok());
  ASSERT_TRUE(Moderate(hidden_, kVisible).ok());
  EXPECT_THAT(Shown(), ElementsAre(true, false, false));
  EXPECT_EQ(LastChanged(), "hidden top");
  EXPECT_EQ(Read(hidden_).reply_count(), 0);
  EXPECT_EQ(Read(top_).reply_count(), 2);
}

TEST_F(CommentTreeTest, HidingACommentWithRepliesChangesNoOther) {
  ASSERT_TRUE(Moderate(top_, kHidden).ok());
  EXPECT_EQ(LastChanged(), "top");
  EXPECT_TRUE(IsShown(top_));
}

TEST_F(CommentTreeTest, AWriteStampsExactlyTheCommentsItChanges) {
  Add("post", "another", last_);
  EXPECT_EQ(LastChanged(), "another last");
  ASSERT_TRUE(Rewrite(last_, "last!").ok());
  EXPECT_EQ(LastChanged(), "last!");
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_EQ(LastChanged(), "");
  Add("post", "waits", top_);
  EXPECT_EQ(LastChanged(), "waits");
  ASSERT_TRUE(Rewrite(last_, "last?").ok());
  EXPECT_EQ(LastChanged(), "last?") << "it is pending now, and stays as a placeholder";
}

// ---- Under load ----

class CommentTreeLoadTest : public CommentWriteTest {
 protected:
  // A random comment that was added before, or "".
  std::string Pick(std::mt19937& random) {
    const std::lock_guard lock(mutex_);
    if (names_.empty()) return "";
    return names_[random() % names_.size()];
  }

  // Writes something at random. Returns the reason of the error, if any.
  std::string ActAtRandom(std::mt19937& random) {
    const std::string name = Pick(random);
    const std::string text = absl::StrCat(random());
    if (name.empty() || random() % 8 == 0) {
      return Keep(Create(MakeComment(random() % 4 == 0 ? "other" : "post", text)));
    }
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        return Keep(Create(MakeComment(ParseCommentName(name)->article_id, text, name)));
      case 3:
        return ReasonOf(Rewrite(name, text).status());
      case 4:
        return ReasonOf(Delete(name).status());
      default:
        return ReasonOf(
            Moderate(name, std::vector{kVisible, kPending, kHidden}[random() % 3]).status());
    }
  }

  std::string Keep(const absl::StatusOr<v1::Comment>& created) {
    if (created.ok()) {
      const std::lock_guard lock(mutex_);
      names_.push_back(created->name());
    }
    return ReasonOf(created.status());
  }

  std::mutex mutex_;
  std::vector<std::string> names_;
};

// Number of comments with a wrong derived column. By definition, a comment is shown if it or any
// comment below it is VISIBLE.
constexpr char kWrongComments[] = R"sql(
WITH actual AS (
  SELECT bucket, article_key, comment_id, parent_id,
         EXISTS (SELECT FROM comment d WHERE d.bucket = c.bucket AND d.article_key = c.article_key
                 AND d.state = 1 AND substring(d.thread_key FOR length(c.thread_key)) = c.thread_key) AS shown
  FROM comment c
)
SELECT count(*) FROM comment c JOIN actual a USING (bucket, article_key, comment_id)
WHERE c.shown <> a.shown OR (a.shown AND NOT c.ever_shown)
   OR c.reply_count <> (SELECT count(*) FROM actual r
                        WHERE r.bucket = c.bucket AND r.article_key = c.article_key
                        AND r.parent_id = c.comment_id AND r.shown)
   OR c.depth <> length(c.thread_key) / 16 - 1
   OR (c.state = 4 AND c.author_id || c.author_display_name || c.body <> '')
   OR (c.state <> 4 AND (c.author_id = '' OR c.author_display_name = '' OR c.body = ''))
   OR c.text_revision > c.revision
)sql";
constexpr char kWrongArticles[] = R"sql(
SELECT count(*) FROM article_state s
WHERE comment_count <> (SELECT count(*) FROM comment c
                        WHERE c.bucket = s.bucket AND c.article_key = s.article_key AND c.state = 1)
   OR revision < (SELECT max(c.revision) FROM comment c
                  WHERE c.bucket = s.bucket AND c.article_key = s.article_key)
)sql";

TEST_F(CommentTreeLoadTest, CountsAreExactUnderConcurrentWrites) {
  constexpr int kCallers = 16;
  constexpr int kActionsEach = 60;
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  std::map<std::string, int> outcomes;
  {
    std::vector<std::jthread> callers;
    for (unsigned seed = 0; seed < kCallers; ++seed) {
      callers.emplace_back([this, seed, &outcomes] {
        std::mt19937 random(seed);
        for (int i = 0; i < kActionsEach; ++i) {
          if (seed == 0 && i % 15 == 0) {
            SetPolicy(i % 30 == 0 ? v1::COMMENT_POLICY_OPEN : v1::COMMENT_POLICY_PREMODERATED);
          }
          const std::string outcome = ActAtRandom(random);
          const std::lock_guard lock(mutex_);
          ++outcomes[outcome];
        }
      });
    }
  }
  for (const auto& [outcome, count] : outcomes) {
    EXPECT_THAT(outcome, AnyOf("", "COMMENT_NOT_FOUND", "COMMENT_HIDDEN", "COMMENT_DELETED",
                               "THREAD_TOO_DEEP"));
  }
  EXPECT_GT(outcomes[""], kCallers * kActionsEach / 3);
  EXPECT_EQ(Sql(kWrongComments), "0");
  EXPECT_EQ(Sql(kWrongArticles), "0");
  EXPECT_EQ(Sql("SELECT count(*) - count(DISTINCT (article_key, text_revision)) FROM comment"), "0")
      << "each write has a revision of its own";
  EXPECT_EQ(Sql("SELECT count(*) < sum(comments) * 0.7 "
                "FROM (SELECT xmin::text, count(*) AS comments FROM comment GROUP BY 1) AS groups"),
            "t")
      << "many are written together";
  EXPECT_EQ(Sql("SELECT count(DISTINCT state) FROM comment"), "4");
  EXPECT_GT(std::stoi(Sql("SELECT max(depth) FROM comment")), 2);
  EXPECT_GT(std::stoi(Sql("SELECT count(*) FROM comment WHERE shown AND state <> 1")), 0);
  EXPECT_GT(std::stoi(Sql("SELECT count(*) FROM comment WHERE NOT shown AND ever_shown")), 0);

  // Readers get the same.
  const auto threaded =
      ListBodies({.article_id = "post", .order = v1::COMMENT_ORDER_THREADED, .page_size = 7});
  EXPECT_EQ(std::to_string(threaded.size()),
            Sql("SELECT count(*) FROM comment WHERE shown AND " + OfArticle("post")));
  EXPECT_EQ(std::count_if(threaded.begin(), threaded.end(),
                          [](const std::string& body) { return !body.empty(); }),
            CommentCount());
}

}  // namespace
}  // namespace content::store
