#include "http/statusz/problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"

namespace content::statusz {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromCivil(absl::CivilHour(2026, 11, 29, 12), absl::UTCTimeZone());

// Of a server without problems.
Status Well() {
  Status status{.now = kNow, .start = kNow - absl::Hours(1), .has_server = true};
  status.database.is_up = true;
  status.certificates = {{"tls.crt", kNow + absl::Hours(24 * 90)}};
  status.process = {.open_files = 50, .max_files = 1000};
  status.database.replication_lags = {{"s1", 0.1}};
  status.database.clock_skew = -0.01;
  return status;
}

// `minutes_ago` 0 is the present.
Sample SampleWith(double calls, double failures, double refused, int minutes_ago = 0) {
  return {.at = SteadyTime() + absl::Hours(1) - absl::Minutes(minutes_ago),
          .calls_per_second = calls,
          .failures_per_second = failures,
          .refused_per_second = refused};
}

std::vector<Trouble> TroublesOf(const Status& status) {
  std::vector<Trouble> troubles;
  for (const Problem& problem : FindProblems(status)) troubles.push_back(problem.trouble);
  return troubles;
}

TEST(ProblemsTest, AWellServerHasNone) {
  Status status = Well();
  EXPECT_THAT(TroublesOf(status), IsEmpty());
  status.history = {SampleWith(100, 0.5, 0)};
  EXPECT_THAT(TroublesOf(status), IsEmpty());
}

TEST(ProblemsTest, TheDatabaseIsAway) {
  Status status = Well();
  status.database.is_up = false;
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kDatabaseAway));
  EXPECT_EQ(FindProblems(status)[0].what,
            "Serving stale articles: the database has not been usable");
}

TEST(ProblemsTest, TheDatabaseHangs) {
  Status status = Well();
  status.database.is_up = false;
  status.database.breaker_is_open = true;
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kDatabaseAway));
  EXPECT_EQ(FindProblems(status)[0].what, "Serving stale articles: the database has not answered");
  EXPECT_EQ(FindProblems(status)[0].section, "The database hangs");
}

TEST(ProblemsTest, TheSchemaDoesNotFit) {
  Status status = Well();
  status.phase = Phase::kSchemaUnfit;
  status.database.is_up = false;
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kSchemaUnfit));
  EXPECT_EQ(FindProblems(status)[0].severity, Severity::kCritical);
}

TEST(ProblemsTest, NothingIsWrongWithAServerThatStartsOrStops) {
  Status status{.now = kNow, .start = kNow - absl::Minutes(1)};
  status.phase = Phase::kStarting;
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kStarting));
  EXPECT_EQ(FindProblems(status)[0].severity, Severity::kNotice);
  EXPECT_EQ(FindProblems(status)[0].since, kNow - absl::Minutes(1));
  status.phase = Phase::kStopping;
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kStopping));
  EXPECT_EQ(FindProblems(status)[0].severity, Severity::kNotice);
}

TEST(ProblemsTest, MemoryIsShort) {
  Status status = Well();
  status.process.memory_is_short = true;
  EXPECT_THAT(TroublesOf(status), ElementsAre(Trouble::kMemoryShort));
}

TEST(ProblemsTest, CertificatesExpire) {
  Status status = Well();
  status.certificates["ca.crt"] = kNow + absl::Hours(24 * 13);
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kCertificateExpires));
  EXPECT_EQ(FindProblems(status)[0].what, "Serving, but ca.crt expires in 13 d");
  status.certificates["ca.crt"] = kNow - absl::Hours(1);
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kCertificateExpired));
  EXPECT_EQ(FindProblems(status)[0].since, kNow - absl::Hours(1));
}

TEST(ProblemsTest, ManyCallsOfTheLastMinuteFail) {
  Status status = Well();
  status.history = {SampleWith(100, 100, 0, 2), SampleWith(100, 8, 0), SampleWith(100, 0, 0)};
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kCallsFail));
  EXPECT_THAT(FindProblems(status)[0].what, HasSubstr("4.0 %"));
}

TEST(ProblemsTest, CallsOfTheLastMinuteWereRefused) {
  Status status = Well();
  status.history = {SampleWith(100, 0, 1), SampleWith(100, 0, 0)};
  EXPECT_THAT(TroublesOf(status), ElementsAre(Trouble::kQueueFull));
  status.history = {SampleWith(100, 0, 1, 2), SampleWith(100, 0, 0)};
  EXPECT_THAT(TroublesOf(status), IsEmpty());
}

TEST(ProblemsTest, ChangedFilesAreRefused) {
  Status status = Well();
  status.history = {SampleWith(100, 0, 0), SampleWith(100, 0, 0)};
  status.history[0].policy_is_refused = true;
  EXPECT_THAT(TroublesOf(status), IsEmpty());
  status.history[1].policy_is_refused = true;
  status.history[1].certificates_are_refused = true;
  EXPECT_THAT(TroublesOf(status),
              ElementsAre(Trouble::kCertificatesRefused, Trouble::kPolicyRefused));
}

TEST(ProblemsTest, FilesAreShort) {
  Status status = Well();
  status.process.open_files = 801;
  EXPECT_THAT(TroublesOf(status), ElementsAre(Trouble::kFilesShort));
}

TEST(ProblemsTest, AStandbyLags) {
  Status status = Well();
  status.database.replication_lags["s2"] = 42;
  ASSERT_THAT(TroublesOf(status), ElementsAre(Trouble::kStandbyLags));
  EXPECT_THAT(FindProblems(status)[0].what, HasSubstr("the standby s2 is 42 s behind"));
}

TEST(ProblemsTest, ClocksDiffer) {
  Status status = Well();
  status.database.clock_skew = -6;
  EXPECT_THAT(TroublesOf(status), ElementsAre(Trouble::kClocksDiffer));
}

// Has every problem that there is, in every phase.
std::vector<Problem> AllProblems() {
  std::vector<Problem> all;
  for (const Phase phase : {Phase::kStarting, Phase::kSchemaUnfit, Phase::kStopping}) {
    for (const bool hangs : {false, true}) {
      Status status = Well();
      status.phase = phase;
      status.database.is_up = false;
      status.database.breaker_is_open = hangs;
      status.process = {.memory_is_short = true, .open_files = 1000, .max_files = 1000};
      status.certificates = {{"new", kNow + absl::Hours(1)}, {"old", kNow - absl::Hours(1)}};
      status.history = {SampleWith(10, 10, 10)};
      status.history[0].policy_is_refused = true;
      status.history[0].certificates_are_refused = true;
      status.database.replication_lags = {{"s1", 100}};
      status.database.clock_skew = 100;
      const std::vector<Problem> problems = FindProblems(status);
      all.insert(all.end(), problems.begin(), problems.end());
    }
  }
  return all;
}

TEST(ProblemsTest, TheWorstComesFirst) {
  Status status = Well();
  status.process.memory_is_short = true;
  status.database.is_up = false;
  status.certificates = {{"new", kNow + absl::Hours(1)}, {"old", kNow - absl::Hours(1)}};
  EXPECT_THAT(TroublesOf(status),
              ElementsAre(Trouble::kDatabaseAway, Trouble::kMemoryShort,
                          Trouble::kCertificateExpired, Trouble::kCertificateExpires));
}

TEST(ProblemsTest, SectionsAreInTheOperatorsManual) {
  std::ifstream file(std::filesystem::path(CONTENT_SOURCE_DIR) / "deploy" / "OPERATING.md");
  std::set<std::string> headings;
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "#")) headings.insert(line.substr(line.find(' ') + 1));
  }
  std::set<Trouble> troubles;
  for (const Problem& problem : AllProblems()) {
    EXPECT_TRUE(headings.contains(problem.section)) << problem.section;
    troubles.insert(problem.trouble);
  }
  EXPECT_THAT(troubles, SizeIs(static_cast<size_t>(Trouble::kCertificateExpires) + 1));
}

Problem Of(Trouble trouble) {
  return {.trouble = trouble,
          .severity = Severity::kWarning,
          .what = "What",
          .advice = "Advice.",
          .section = "Section"};
}

TEST(OnsetsTest, RemembersSinceWhen) {
  Onsets onsets;
  std::vector<Problem> problems = {Of(Trouble::kMemoryShort)};
  onsets.Date(problems, kNow);
  EXPECT_EQ(problems[0].since, kNow);
  problems = {Of(Trouble::kQueueFull), Of(Trouble::kMemoryShort)};
  onsets.Date(problems, kNow + absl::Seconds(5));
  EXPECT_EQ(problems[0].since, kNow + absl::Seconds(5));
  EXPECT_EQ(problems[1].since, kNow);
}

TEST(OnsetsTest, WhatComesBackBeginsAnew) {
  Onsets onsets;
  std::vector<Problem> problems = {Of(Trouble::kMemoryShort)};
  onsets.Date(problems, kNow);
  std::vector<Problem> none;
  onsets.Date(none, kNow + absl::Seconds(5));
  problems = {Of(Trouble::kMemoryShort)};
  onsets.Date(problems, kNow + absl::Seconds(10));
  EXPECT_EQ(problems[0].since, kNow + absl::Seconds(10));
}

TEST(OnsetsTest, LeavesAloneWhatIsDatedOrLiesAhead) {
  Onsets onsets;
  std::vector<Problem> problems = {Of(Trouble::kCertificateExpired),
                                   Of(Trouble::kCertificateExpires)};
  problems[0].since = kNow - absl::Hours(1);
  problems[1].has_onset = false;
  onsets.Date(problems, kNow);
  EXPECT_EQ(problems[0].since, kNow - absl::Hours(1));
  EXPECT_FALSE(problems[1].since.has_value());
}

}  // namespace
}  // namespace content::statusz
