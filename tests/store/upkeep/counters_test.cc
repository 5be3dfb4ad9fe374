#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"
#include "support/missing_standby.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class CountersTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  // The drifts as `field of name: stored -> actual`, followed by `!` if repaired. A comment's name
  // is its text.
  std::vector<std::string> Drifts(const VerifyQuery& query) {
    const auto verified = Verify(query);
    if (!verified.ok()) return {ReasonOf(verified.status())};
    std::vector<std::string> drifts;
    for (const v1::CounterDrift& drift : verified->drifts) {
      const auto comment = ParseCommentName(drift.name());
      const std::string of = comment
                                 ? Sql(absl::StrCat("SELECT body FROM comment WHERE comment_id = '",
                                                    comment->comment_id, "'"))
                                 : drift.name();
      drifts.push_back(absl::StrCat(drift.field(), " of ", of, ": ", drift.stored(), " -> ",
                                    drift.actual(), drift.repaired() ? "!" : ""));
    }
    return drifts;
  }

  void Set(const std::string& assignments, const std::string& body) {
    Sql(absl::StrCat("UPDATE comment SET ", assignments, " WHERE body = '", body, "'"));
  }

  // All columns that a repair may change.
  std::string Rows() {
    return Sql("SELECT string_agg(concat_ws(' ', comment_id, reply_count, shown, ever_shown, "
               "revision), ', ' ORDER BY comment_id) FROM comment") +
           Sql("SELECT revision || ' ' || comment_count FROM article_state "
               "WHERE first_name = 'post'");
  }

  // a1 has the replies b1 and b2, b1 the reply c1.
  void AddThread() {
    a1_ = Add("post", "a1");
    b1_ = Add("post", "b1", a1_);
    Add("post", "b2", a1_);
    c1_ = Add("post", "c1", b1_);
  }

  std::string a1_;
  std::string b1_;
  std::string c1_;
};

TEST_F(CountersTest, ReportsNothingIfAllCountersAreRight) {
  AddThread();
  ASSERT_TRUE(Moderate(a1_, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Delete(c1_).ok());
  ASSERT_TRUE(Moderate(Add("post", "alone"), v1::COMMENT_STATE_PENDING).ok());
  const std::string before = Rows();
  EXPECT_THAT(Drifts({}), IsEmpty());
  EXPECT_THAT(Drifts({.repair = true}), IsEmpty());
  EXPECT_EQ(Rows(), before);
}

TEST_F(CountersTest, ReportsDriftWithoutChangingAnything) {
  AddThread();
  Sql("UPDATE article_state SET comment_count = 9");
  Set("reply_count = 5", "a1");
  const std::string before = Rows();
  EXPECT_THAT(Drifts({}), UnorderedElementsAre("comment_count of articles/post: 9 -> 4",
                                               "reply_count of a1: 5 -> 2"));
  EXPECT_EQ(Rows(), before);
}

TEST_F(CountersTest, ARepairIsARevisionOfTheArticle) {
  AddThread();
  const int64_t revision = GetOne("post").revision();
  Sql("UPDATE article_state SET comment_count = 9");
  Set("reply_count = 5", "a1");
  Set("reply_count = 0", "b1");
  EXPECT_THAT(Drifts({.repair = true}),
              UnorderedElementsAre("comment_count of articles/post: 9 -> 4!",
                                   "reply_count of a1: 5 -> 2!", "reply_count of b1: 0 -> 1!"));
  EXPECT_EQ(GetOne("post").comment_count(), 4);
  EXPECT_EQ(GetOne("post").revision(), revision + 1);
  EXPECT_EQ(GetComment(a1_)->reply_count(), 2);
  EXPECT_EQ(GetComment(a1_)->revision(), revision + 1);
  EXPECT_EQ(GetComment(b1_)->revision(), revision + 1);
  EXPECT_EQ(GetComment(c1_)->revision(), revision);
  EXPECT_THAT(Drifts({}), IsEmpty());
}

TEST_F(CountersTest, RepairsACommentCount) {
  AddThread();
  Sql("UPDATE article_state SET comment_count = 0");
  EXPECT_THAT(Drifts({.repair = true}), ElementsAre("comment_count of articles/post: 0 -> 4!"));
  EXPECT_EQ(GetOne("post").comment_count(), 4);
}

// A comment at the bottom is wrongly hidden, and so missing in all counts above.
TEST_F(CountersTest, RepairsCountsUpTheThread) {
  AddThread();
  ASSERT_TRUE(Moderate(a1_, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Moderate(b1_, v1::COMMENT_STATE_HIDDEN).ok());
  Sql("DELETE FROM comment WHERE body = 'b2'");
  Set("shown = false, ever_shown = false", "c1");
  Set("shown = false, reply_count = 0", "b1");
  Set("shown = false, reply_count = 0", "a1");
  Sql("UPDATE article_state SET comment_count = 1");
  EXPECT_THAT(Drifts({}),
              UnorderedElementsAre("reply_count of b1: 0 -> 1", "reply_count of a1: 0 -> 1"));
  EXPECT_THAT(Drifts({.repair = true}),
              UnorderedElementsAre("reply_count of b1: 0 -> 1!", "reply_count of a1: 0 -> 1!"));
  EXPECT_EQ(GetComment(c1_)->body(), "c1");
  EXPECT_EQ(GetComment(a1_)->reply_count(), 1);
  EXPECT_THAT(
      ListBodies({.article_id = "post", .order = v1::COMMENT_ORDER_THREADED, .page_size = 10}),
      ElementsAre("", "", "c1"));
  EXPECT_THAT(Drifts({}), IsEmpty());
}

// The reverse: placeholders stay although nothing below them is shown.
TEST_F(CountersTest, HidesPlaceholdersWithoutShownReplies) {
  AddThread();
  ASSERT_TRUE(Moderate(a1_, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Moderate(b1_, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Delete(c1_).ok());
  Sql("DELETE FROM comment WHERE body = 'b2'");
  Sql("UPDATE comment SET shown = true");
  Set("reply_count = 1", "a1");
  Set("reply_count = 1", "b1");
  Sql("UPDATE article_state SET comment_count = 0");
  EXPECT_THAT(Drifts({.repair = true}),
              UnorderedElementsAre("reply_count of b1: 1 -> 0!", "reply_count of a1: 1 -> 0!"));
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 10}), IsEmpty());
  EXPECT_THAT(Drifts({}), IsEmpty());
}

// A count that matches the stored rows can be wrong, and one that does not match can be right.
TEST_F(CountersTest, DerivesCountsFromRightValuesNotStoredOnes) {
  AddThread();
  Set("shown = false", "b2");
  EXPECT_THAT(Drifts({}), IsEmpty());
  Set("reply_count = 1", "a1");
  EXPECT_THAT(Drifts({}), ElementsAre("reply_count of a1: 1 -> 2"));
}

TEST_F(CountersTest, RepairsVisibilityWhenNoCounterDiffers) {
  Add("post", "alone");
  Set("shown = false, ever_shown = false", "alone");
  EXPECT_THAT(Drifts({}), IsEmpty());
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 10}), IsEmpty());
  const int64_t revision = GetOne("post").revision();
  EXPECT_THAT(Drifts({.repair = true}), IsEmpty());
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 10}), ElementsAre("alone"));
  EXPECT_EQ(GetOne("post").revision(), revision + 1);
  Set("ever_shown = false", "alone");
  EXPECT_THAT(Drifts({.repair = true}), IsEmpty());
  EXPECT_EQ(Sql("SELECT ever_shown FROM comment"), "t");
}

TEST_F(CountersTest, ChecksAgainUnderTheLockBeforeRepairing) {
  Sql("UPDATE article_state SET comment_count = 7");
  testing::Session other(url_);
  other.Run("BEGIN; UPDATE article_state SET comment_count = 0");
  auto answer = std::async(std::launch::async, [&] { return Drifts({.repair = true}); });
  testing::AwaitWaitersForLocks(url_, 1);
  other.Run("COMMIT");
  EXPECT_THAT(answer.get(), IsEmpty());
  EXPECT_EQ(GetOne("post").revision(), 1);
}

TEST_F(CountersTest, VerifiesOneArticleOrAll) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  Sql("UPDATE article_state SET comment_count = 7");
  ASSERT_TRUE(Retract("post").ok());
  ASSERT_TRUE(Rename({.id = "post", .new_id = "renamed"}).ok());
  for (const char* id : {"post", "renamed"}) {
    EXPECT_THAT(Drifts({.article_id = id}),
                ElementsAre("comment_count of articles/renamed: 7 -> 0"));
  }
  EXPECT_EQ(Verify({.article_id = "post"})->article_count, 1);
  EXPECT_EQ(Verify({.article_id = "post"})->next_key, "");
  EXPECT_THAT(Drifts({}), UnorderedElementsAre("comment_count of articles/other: 7 -> 0",
                                               "comment_count of articles/renamed: 7 -> 0"));
  EXPECT_EQ(Verify({})->article_count, 2);
  EXPECT_THAT(Drifts({.article_id = "nothing"}), ElementsAre("ARTICLE_NOT_FOUND"));
}

TEST_F(CountersTest, ReportsTheCurrentNameOfTheArticle) {
  AddThread();
  Set("reply_count = 5", "a1");
  ASSERT_TRUE(Rename({.id = "post", .new_id = "renamed"}).ok());
  const auto verified = Verify({});
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->drifts.at(0).name(),
            CommentName("renamed", ParseCommentName(a1_)->comment_id));
}

TEST_F(CountersTest, VerifiesAllArticlesInBatches) {
  for (int i = 0; i < 249; ++i) ASSERT_TRUE(Publish(MakeArticle(absl::StrCat("a", i))).ok());
  Sql("UPDATE article_state SET comment_count = 1 WHERE first_name LIKE '%7'");
  const auto count_drifts = [&](bool repair) {
    VerifyQuery query{.repair = repair};
    int64_t articles = 0;
    size_t drifts = 0;
    do {
      const auto verified = Verify(query);
      EXPECT_TRUE(verified.ok()) << verified.status();
      if (!verified.ok()) return drifts;
      articles += verified->article_count;
      drifts += verified->drifts.size();
      query.after_key = verified->next_key;
    } while (!query.after_key.empty());
    EXPECT_EQ(articles, 250);
    return drifts;
  };
  EXPECT_EQ(count_drifts(false), 25U);
  EXPECT_EQ(count_drifts(true), 25U);
  EXPECT_EQ(count_drifts(false), 0U);
}

// The connection breaks at the commit of a repair. Whether or not that was committed, the repair is
// reported, and announced before the caller is answered.
TEST_F(CountersTest, ReportsARepairWhoseCommitWasInDoubt) {
  for (const auto cut : {testing::Proxy::Cut::kBeforeCommit, testing::Proxy::Cut::kAfterCommit}) {
    Sql("UPDATE article_state SET comment_count = 7");
    const int64_t revision = GetOne("post").revision();
    testing::Proxy proxy(url_);
    const std::unique_ptr<Store> store =
        *NewPostgresStore({.url = proxy.url(), .notifications = false});
    std::vector<std::string> announced;
    const auto subscription = store->Subscribe(
        [&](const ChangeNotice& notice) { announced.push_back(notice.state.article_id); });
    proxy.CutNextCommit(cut);
    const auto verified = Await<VerifiedCounters>(
        [&](auto done) { store->VerifyCounters({}, {.repair = true}, std::move(done)); });
    ASSERT_TRUE(verified.ok()) << verified.status();
    ASSERT_EQ(verified->drifts.size(), 1U);
    EXPECT_EQ(verified->drifts.front().stored(), 7);
    EXPECT_TRUE(verified->drifts.front().repaired());
    EXPECT_THAT(announced, ElementsAre("post"));
    EXPECT_EQ(GetOne("post").revision(), revision + 1);
  }
}

TEST_F(CountersTest, ClaimsNothingToBeRepairedBeforeAStandbyHasThat) {
  if (testing::OnCitus()) GTEST_SKIP() << "the workers have standbys of their own";
  Sql("UPDATE article_state SET comment_count = 7");
  const auto verified = testing::AnswerOnceAStandbyHasIt(
      url_, &testing::MissingStandby::Terminate, [this] { return Verify({.repair = true}); });
  ASSERT_TRUE(verified.ok()) << verified.status();
  ASSERT_EQ(verified->drifts.size(), 1U);
  EXPECT_TRUE(verified->drifts.front().repaired());
}

TEST_F(CountersTest, ReportsNothingWhileOthersWrite) {
  const std::string top = Add("post", "top");
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    while (!stop) {
      const std::string reply = Add("post", "reply", top);
      ASSERT_TRUE(Moderate(top, v1::COMMENT_STATE_HIDDEN).ok());
      Add("post", "below", reply);
      ASSERT_TRUE(Delete(reply).ok());
      ASSERT_TRUE(Moderate(top, v1::COMMENT_STATE_VISIBLE).ok());
    }
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(Drifts({.repair = i % 2 == 0}), IsEmpty());
  }
  stop = true;
}

}  // namespace
}  // namespace content::store
