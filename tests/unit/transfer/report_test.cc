#include "transfer/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "support/fake_clock.h"

namespace content::transfer {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class ReportTest : public ::testing::Test {
 protected:
  Report::Output Output(bool is_terminal = false) {
    return {
        .results = results_, .messages = messages_, .is_terminal = is_terminal, .lines = &lines_};
  }

  std::ostringstream results_;
  std::ostringstream messages_;
  std::ostringstream lines_;
  testing::FakeClock clock_;
};

ItemReport Taken(const std::string& id) {
  return {.outcome = Outcome::kTaken, .path = id + ".md", .name = "articles/" + id};
}

ItemReport Refused(const std::string& path, const std::string& reason) {
  return {.outcome = Outcome::kRefused, .path = path, .reason = reason, .problems = "It is bad."};
}

TEST_F(ReportTest, SumsUpByOutcomeAndReasonWithTheFirstNames) {
  Report report(Output(), clock_);
  for (const char* id : {"a", "b", "c", "d"}) report.Add(Taken(id));
  report.Add({.outcome = Outcome::kDraft, .path = "draft.md", .reason = "draft"});
  report.Add(Refused("x.md", "no title"));
  report.Add(Refused("y.md", "no text"));
  report.Add(Refused("z.md", "no title"));
  report.Add({.outcome = Outcome::kLeftOut, .path = ".git", .reason = "hidden"});
  report.Finish(/*is_complete=*/true);
  EXPECT_EQ(results_.str(),
            "taken                            4  articles/a, articles/b, articles/c, ...\n"
            "draft                            1  draft.md\n"
            "refused                          3  x.md, y.md, z.md\n"
            "  no text                        1  y.md\n"
            "  no title                       2  x.md, z.md\n"
            "left out                         1  .git\n"
            "  hidden                         1  .git\n");
  EXPECT_EQ(report.ExitStatus(), 1);
}

TEST_F(ReportTest, CountsIgnoredKeys) {
  Report report(Output(), clock_);
  ItemReport item = Taken("a");
  item.ignored_keys = {"image", "layout"};
  report.Add(item);
  item.ignored_keys = {"layout"};
  report.Add(item);
  report.Finish(/*is_complete=*/true);
  EXPECT_THAT(results_.str(), HasSubstr("\nKeys that were ignored: layout (2), image (1)\n"));
}

TEST_F(ReportTest, ExitStatusTellsWhetherAnythingCameInOrWasRefused) {
  Report nothing(Output(), clock_);
  EXPECT_EQ(nothing.ExitStatus(), 2);
  nothing.Add(Refused("x.md", "no title"));
  EXPECT_EQ(nothing.ExitStatus(), 2);
  Report unchanged(Output(), clock_);
  unchanged.Add({.outcome = Outcome::kUnchanged, .path = "a.md"});
  unchanged.Add({.outcome = Outcome::kDraft, .path = "b.md"});
  unchanged.Add({.outcome = Outcome::kLeftOut, .path = ".git"});
  EXPECT_EQ(unchanged.ExitStatus(), 0);
  unchanged.Add({.is_comment = true, .outcome = Outcome::kConflict, .path = "c.xml"});
  EXPECT_EQ(unchanged.ExitStatus(), 1);
}

TEST_F(ReportTest, SaysThatThereIsNothing) {
  Report report(Output(), clock_);
  report.Finish(/*is_complete=*/true);
  EXPECT_EQ(messages_.str(), "contentd: there is nothing to import\n");
  EXPECT_THAT(results_.str(), IsEmpty());
}

TEST_F(ReportTest, SaysNothingOfWhatItHasNotSeen) {
  Report report(Output(), clock_);
  report.Finish(/*is_complete=*/false);
  EXPECT_THAT(messages_.str(), IsEmpty());
}

TEST_F(ReportTest, KnowsAReport) {
  Report report(Output(), clock_);
  report.Add(Taken("a"));
  EXPECT_TRUE(BeginsAsReport(lines_.str()));
  EXPECT_FALSE(BeginsAsReport("{\"title\": \"A page\"}\n\nText."));
}

TEST_F(ReportTest, WritesALineOfJsonForEachItem) {
  Report report(Output(), clock_);
  ItemReport item = Taken("a");
  item.title = "Tête";
  item.notes = {"a note"};
  item.ignored_keys = {"layout"};
  item.words = 2;
  item.sections = 1;
  item.body_bytes = 7;
  report.Add(item);
  ItemReport refused = Refused("b\xFF.md", "no title");
  refused.problems = "One.\nTwo.";
  report.Add(refused);
  EXPECT_EQ(lines_.str(),
            R"({"path":"a.md","outcome":"taken","name":"articles/a","title":"Tête",)"
            R"("ignored_keys":["layout"],"notes":["a note"],"sections":1,"words":2,"body_bytes":7})"
            "\n"
            "{\"path\":\"b\uFFFD.md\",\"outcome\":\"refused\",\"reason\":\"no title\","
            "\"problems\":[\"One.\",\"Two.\"]}\n");
}

TEST_F(ReportTest, ExplainsTheFirstRefusals) {
  Report report(Output(), clock_);
  ItemReport odd = Refused("odd\nname\xFF.md", "no title");
  odd.problems = "One.\nTwo.";
  report.Add(odd);
  EXPECT_EQ(messages_.str(),
            "contentd: odd\\nname\\xff.md: One.\ncontentd: odd\\nname\\xff.md: Two.\n");
  for (int i = 0; i < 100; ++i) report.Add(Refused(absl::StrCat(i, ".md"), "no title"));
  EXPECT_THAT(messages_.str(), HasSubstr("18.md: It is bad.\ncontentd: more did not come in; "));
  EXPECT_THAT(messages_.str(), Not(HasSubstr("19.md")));
}

// What a file or its name contains does nothing to a terminal.
TEST_F(ReportTest, PrintsLinesOfPrintableText) {
  Report report(Output(), clock_);
  ItemReport odd = Refused("a\x1b[2J\r\u202Eb.md", "no title");
  odd.problems = "One\x1b[31m\r\u0085two.\nThree\xFF.";
  odd.ignored_keys = {"k\x1b[1mey\n"};
  report.Add(odd);
  report.Finish(/*is_complete=*/true);
  EXPECT_EQ(messages_.str(),
            "contentd: a [2J b.md: One [31m two.\ncontentd: a [2J b.md: Three\\xff.\n");
  EXPECT_EQ(results_.str(),
            "refused                          1  a [2J b.md\n"
            "  no title                       1  a [2J b.md\n"
            "Keys that were ignored: k [1mey (1)\n");
}

TEST_F(ReportTest, SaysWhereTheOtherRefusalsAre) {
  Report with_lines(Output(), clock_);
  for (int i = 0; i < 21; ++i) with_lines.Add(Refused("x.md", "no title"));
  EXPECT_THAT(messages_.str(), EndsWith("contentd: more did not come in; the report lists all\n"));
  Report without_lines({.results = results_, .messages = messages_}, clock_);
  for (int i = 0; i < 21; ++i) without_lines.Add(Refused("x.md", "no title"));
  EXPECT_THAT(messages_.str(),
              EndsWith("contentd: more did not come in; --report FILE lists all\n"));
}

TEST_F(ReportTest, SaysNowAndThenHowFarItIs) {
  Report report(Output(), clock_);
  report.SetTotal(4000);
  clock_.Advance(absl::Seconds(9));
  for (int i = 0; i < 999; ++i) report.Add(Taken("a"));
  EXPECT_THAT(messages_.str(), IsEmpty());
  clock_.Advance(absl::Seconds(1));
  report.Add(Taken("a"));
  report.Add(Taken("a"));
  EXPECT_EQ(messages_.str(), "1,000 of 4,000 files, 100/s, 30s left\n");
}

TEST_F(ReportTest, KnowsNoRateUntilSomethingIsDone) {
  Report report(Output(), clock_);
  report.SetTotal(1);
  clock_.Advance(absl::Seconds(10));
  report.Expect(5000);
  EXPECT_EQ(messages_.str(), "0 of 5,001 items\n");
}

TEST_F(ReportTest, ShowsABarOnATerminal) {
  Report report(Output(/*is_terminal=*/true), clock_);
  report.SetTotal(4);
  clock_.Advance(absl::Seconds(1));
  report.Add(Taken("a"));
  EXPECT_EQ(messages_.str(), "\r\x1b[K[######..................]  25% 1 of 4 files, 1/s, 3s left");
  report.Add(Refused("b.md", "no title"));
  EXPECT_THAT(messages_.str(), HasSubstr("3s left\r\x1b[Kcontentd: b.md: It is bad.\n"));
  clock_.Advance(absl::Seconds(1));
  report.Add(Taken("c"));
  report.Finish(/*is_complete=*/true);
  EXPECT_TRUE(messages_.str().ends_with("left\r\x1b[K"));
}

}  // namespace
}  // namespace content::transfer
