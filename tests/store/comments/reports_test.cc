#include <future>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"
#include "support/locks.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReportsTest : public CommentWriteTest {
 protected:
  void Open(int threshold) {
    store_ = *NewPostgresStore({.url = url_, .report_threshold = threshold});
  }

  // The reason of the error; empty if there is none.
  std::string Report(const std::string& name, const std::string& reporter_id) {
    return ReasonOf(Await<void>([&](auto done) {
      store_->ReportComment({}, {.comment = *ParseCommentName(name), .reporter_id = reporter_id},
                            std::move(done));
    }));
  }

  void ReportTimes(const std::string& name, int times) {
    for (int i = 0; i < times; ++i) EXPECT_EQ(Report(name, absl::StrCat("reader-", i)), "");
  }

  int ReportCount(const std::string& name) { return InspectComment(name)->report_count(); }
  v1::CommentState StateOf(const std::string& name) { return InspectComment(name)->state(); }
  int64_t Revision() { return GetOne("post").revision(); }

  // The comments that readers have reported, with their counts, over all pages.
  std::vector<std::string> Reported(int page_size) {
    std::vector<std::string> found;
    ModerationQuery query{.order = v1::MODERATION_ORDER_REPORTS, .page_size = page_size};
    do {
      const auto page = ModerationQueue(query);
      if (!page.ok()) {
        ADD_FAILURE() << page.status();
        return found;
      }
      EXPECT_LE(page->items.size(), static_cast<size_t>(page_size));
      for (const v1::Comment& comment : page->items) {
        found.push_back(absl::StrCat(comment.body(), " ", comment.report_count()));
      }
      query.after_key = page->next_key;
    } while (!query.after_key.empty());
    return found;
  }

  std::string Stored() {
    return Sql(
        "SELECT (SELECT count(*) FROM comment_report) || ' ' || "
        "(SELECT count(*) FROM comment_report_count)");
  }
};

TEST_F(ReportsTest, EachReaderCountsOnce) {
  const std::string name = Add("post", "text");
  EXPECT_EQ(ReportCount(name), 0);
  EXPECT_EQ(Report(name, "ana"), "");
  EXPECT_EQ(Report(name, "ana"), "");
  EXPECT_EQ(ReportCount(name), 1);
  EXPECT_EQ(Report(name, "bo"), "");
  EXPECT_EQ(ReportCount(name), 2);
}

TEST_F(ReportsTest, ReadersSeeNothingOfThem) {
  const std::string name = Add("post", "text");
  const int64_t revision = Revision();
  const std::string before = EverythingReadersGet({name});
  ReportTimes(name, 4);
  EXPECT_EQ(Revision(), revision);
  EXPECT_EQ(EverythingReadersGet({name}), before);
}

TEST_F(ReportsTest, TheOneThatReachesTheThresholdLetsTheCommentWait) {
  const std::string name = Add("post", "text");
  ReportTimes(name, 4);
  const int64_t revision = Revision();
  EXPECT_EQ(Report(name, "the fifth"), "");
  EXPECT_EQ(StateOf(name), kPending);
  EXPECT_EQ(ReportCount(name), 5);
  EXPECT_FALSE(IsShown(name));
  EXPECT_EQ(CommentCount(), 0);
  EXPECT_EQ(Revision(), revision + 1);
  EXPECT_EQ(LastChanged(), "text") << "watchers are told";
  EXPECT_EQ(Report(name, "the fifth"), "") << "as the first time";
  EXPECT_EQ(Report(name, "a sixth"), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReportCount(name), 5);
}

TEST_F(ReportsTest, AThresholdMayHideTheCommentsAbove) {
  const std::string parent = Add("post", "parent");
  const std::string reply = Add("post", "reply", parent);
  ASSERT_TRUE(Moderate(parent, kHidden).ok());
  EXPECT_TRUE(IsShown(parent)) << "as a placeholder";
  ReportTimes(reply, 5);
  EXPECT_FALSE(IsShown(parent));
}

TEST_F(ReportsTest, WithoutAThresholdTheCommentStays) {
  Open(0);
  const std::string name = Add("post", "text");
  ReportTimes(name, 9);
  EXPECT_EQ(StateOf(name), kVisible);
  EXPECT_EQ(ReportCount(name), 9);
}

TEST_F(ReportsTest, NeedACommentWhoseTextReadersSee) {
  const std::string hidden = Add("post", "hidden");
  Add("post", "reply", hidden);
  ASSERT_TRUE(Moderate(hidden, kHidden).ok());
  const std::string pending = Add("post", "pending");
  ASSERT_TRUE(Moderate(pending, kPending).ok());
  const std::string deleted = Add("post", "deleted");
  ASSERT_TRUE(Delete(deleted).ok());
  for (const std::string& name : {hidden, pending, deleted, CommentName("post", NewUuid())}) {
    EXPECT_EQ(Report(name, "ana"), "COMMENT_NOT_FOUND") << name;
  }
  EXPECT_EQ(Report(CommentName("none", NewUuid()), "ana"), "ARTICLE_NOT_FOUND");
  const std::string visible = Add("post", "visible");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(Report(visible, "ana"), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(Stored(), "0 0");
}

TEST_F(ReportsTest, AJudgementSettlesThem) {
  for (const v1::CommentState judgement : {kVisible, kHidden}) {
    const std::string name = Add("post", "text");
    ReportTimes(name, 5);
    const auto judged = Moderate(name, judgement);
    ASSERT_TRUE(judged.ok()) << judged.status();
    EXPECT_EQ(judged->report_count(), 0);
    EXPECT_EQ(ReportCount(name), 0);
    ASSERT_TRUE(Moderate(name, kVisible).ok());
    ReportTimes(name, 5);
    EXPECT_EQ(ReportCount(name), 0) << "the same readers are not counted again";
    for (int i = 5; i < 9; ++i) EXPECT_EQ(Report(name, absl::StrCat("reader-", i)), "");
    EXPECT_EQ(StateOf(name), kVisible);
    EXPECT_EQ(Report(name, "reader-9"), "");
    EXPECT_EQ(StateOf(name), kPending);
  }
}

TEST_F(ReportsTest, AJudgementNeedNotChangeTheState) {
  const std::string name = Add("post", "text");
  ReportTimes(name, 3);
  const std::string etag = InspectComment(name)->etag();
  ASSERT_TRUE(Rewrite(name, "worse").ok());
  EXPECT_EQ(ReasonOf(Moderate(name, kVisible, etag).status()), "ETAG_MISMATCH")
      << "another text was judged";
  const int64_t revision = Revision();
  EXPECT_EQ(Moderate(name, kVisible)->report_count(), 0);
  EXPECT_EQ(ReportCount(name), 0);
  EXPECT_EQ(Revision(), revision);
}

TEST_F(ReportsTest, WaitingForAModeratorIsNoJudgement) {
  const std::string name = Add("post", "text");
  ReportTimes(name, 3);
  EXPECT_EQ(Moderate(name, kPending)->report_count(), 3);
  EXPECT_EQ(ReportCount(name), 3);
  EXPECT_EQ(ModerationQueue({.page_size = 10})->items.at(0).report_count(), 3);
}

TEST_F(ReportsTest, GoWithTheComment) {
  const std::string first = Add("post", "text");
  ReportTimes(first, 5);
  EXPECT_EQ(Stored(), "5 1");
  ASSERT_TRUE(Delete(first).ok());
  EXPECT_EQ(Stored(), "0 0");
  EXPECT_EQ(Report(first, "reader-1"), "COMMENT_NOT_FOUND");
  const std::string second = Add("post", "text");
  ReportTimes(second, 2);
  ASSERT_TRUE(Erase("user-1").ok());
  EXPECT_EQ(Stored(), "0 0");
}

TEST_F(ReportsTest, AreListedMostReportedFirst) {
  std::map<int, std::string> names;
  for (int i = 0; i < 7; ++i) {
    names[i] = Add("post", absl::StrCat("c", i));
    ReportTimes(names[i], i % 6);
  }
  const std::vector<std::string> expected = {"c5 5", "c4 4", "c3 3", "c2 2", "c1 1"};
  for (int page_size = 1; page_size <= 6; ++page_size) EXPECT_EQ(Reported(page_size), expected);
  ReportTimes(names[0], 3);
  EXPECT_THAT(Reported(2), ElementsAre("c5 5", "c4 4", "c3 3", "c0 3", "c2 2", "c1 1"))
      << "of equal ones the latest first";
  ASSERT_TRUE(Moderate(names[5], kHidden).ok());
  ASSERT_TRUE(Moderate(names[3], kVisible).ok());
  ASSERT_TRUE(Delete(names[4]).ok());
  EXPECT_THAT(Reported(2), ElementsAre("c0 3", "c2 2", "c1 1"));
}

// As a server of the version before does, which knows no reports.
TEST_F(ReportsTest, TheListPassesByWhatWasDeletedWithoutThem) {
  const std::string name = Add("post", "text");
  ReportTimes(name, 2);
  Sql("UPDATE comment SET state = 4");
  EXPECT_THAT(Reported(10), IsEmpty());
}

TEST_F(ReportsTest, OfManyAtOnceAreCountedExactly) {
  Open(0);
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) names.push_back(Add("post", absl::StrCat("c", i)));
  std::vector<std::promise<absl::Status>> answers(60);
  testing::Session session(url_);
  session.Run("BEGIN; SELECT FROM article_state FOR UPDATE");
  for (int i = 0; i < 60; ++i) {
    store_->ReportComment({},
                          {.comment = *ParseCommentName(names[static_cast<size_t>(i % 3)]),
                           .reporter_id = absl::StrCat("reader-", i / 6)},
                          [&answer = answers[static_cast<size_t>(i)]](const absl::Status& status) {
                            answer.set_value(status);
                          });
  }
  session.Run("ROLLBACK");
  for (auto& answer : answers) EXPECT_EQ(answer.get_future().get(), absl::OkStatus());
  for (const std::string& name : names) EXPECT_EQ(ReportCount(name), 10);
  EXPECT_EQ(Stored(), "30 3");
}

TEST_F(ReportsTest, KeepTheirOrderAmongOtherWrites) {
  const std::string judged = Add("post", "judged");
  const std::string deleted = Add("post", "deleted");
  std::vector<std::promise<absl::Status>> answers(6);
  size_t asked = 0;
  const auto report = [&](const std::string& name, const std::string& reporter_id) {
    store_->ReportComment(
        {}, {.comment = *ParseCommentName(name), .reporter_id = reporter_id},
        [&answer = answers[asked]](const absl::Status& status) { answer.set_value(status); });
    ++asked;
  };
  const auto pass_on = [&] {
    return [&answer = answers[asked++]](const auto& result) { answer.set_value(result.status()); };
  };
  testing::Session session(url_);
  session.Run("BEGIN; SELECT FROM article_state FOR UPDATE");
  report(judged, "ana");
  store_->ModerateComment({}, {.comment = *ParseCommentName(judged), .state = kVisible}, pass_on());
  report(judged, "ana");
  report(judged, "bo");
  report(deleted, "ana");
  store_->DeleteComment({}, {.comment = *ParseCommentName(deleted)}, pass_on());
  session.Run("ROLLBACK");
  for (auto& answer : answers) EXPECT_EQ(answer.get_future().get(), absl::OkStatus());
  EXPECT_EQ(ReportCount(judged), 1);
  EXPECT_EQ(Sql("SELECT string_agg(reporter_id || ' ' || settled, ', ' ORDER BY reporter_id) "
                "FROM comment_report"),
            "ana true, bo false");
  EXPECT_EQ(Stored(), "2 1");
}

TEST_F(ReportsTest, AreErasedWithTheirReader) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  const std::string first = Add("post", "first");
  const std::string second = Add("other", "second");
  const std::string judged = Add("post", "judged");
  for (const std::string& name : {first, second, judged}) {
    EXPECT_EQ(Report(name, "ana"), "");
    EXPECT_EQ(Report(name, "bo"), "");
  }
  ASSERT_TRUE(Moderate(judged, kVisible).ok());
  int steps = 0;
  for (bool complete = false; !complete; ++steps) {
    const auto erased = Erase("ana");
    ASSERT_TRUE(erased.ok()) << erased.status();
    EXPECT_EQ(erased->comment_count, 0);
    complete = erased->complete;
  }
  EXPECT_EQ(steps, 3) << "one for each article, and one that finds nothing";
  EXPECT_EQ(Sql("SELECT count(*) FROM comment_report WHERE reporter_id = 'ana'"), "0");
  EXPECT_EQ(ReportCount(first), 1);
  EXPECT_EQ(ReportCount(second), 1);
  EXPECT_EQ(ReportCount(judged), 0);
  EXPECT_TRUE(Erase("bo").ok());
  EXPECT_TRUE(Erase("bo").ok());
  EXPECT_EQ(Stored(), "0 0");
}

}  // namespace
}  // namespace content::store
