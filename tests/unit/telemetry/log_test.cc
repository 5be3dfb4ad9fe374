#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace content::log {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

std::string Logged(Level level, Format format, const std::function<void()>& action) {
  ::testing::internal::CaptureStderr();
  Configure(level, format);
  action();
  return ::testing::internal::GetCapturedStderr();
}

class Log : public ::testing::Test {
 protected:
  ~Log() override { Configure(Level::kInfo, Format::kAuto); }
};

// Each of these tests runs in its own process, in which logging has not been configured.
class LogDeathTest : public ::testing::Test {
 protected:
  LogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(LogDeathTest, WritesJsonFromTheStartIfStandardErrorIsNotATerminal) {
  EXPECT_EXIT(
      {
        Debug("not shown");
        Info("server started");
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), R"(^\{"time":".*","level":"info","event":"server started"\})");
}

TEST_F(LogDeathTest, WritesEverythingBeforeTheProcessExits) {
  EXPECT_EXIT(
      {
        WriteInBackground();
        for (int i = 0; i < 1000; ++i) Info("line", {{"number", i}});
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), R"("number":999\})");
}

TEST_F(LogDeathTest, LetsTheProcessExitIfNobodyReads) {
  EXPECT_EXIT(
      {
        int ends[2] = {};
        if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) std::exit(1);
        WriteInBackground();
        for (int i = 0; i < 5000; ++i) Info("line", {{"value", std::string(200, 'x')}});
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

std::string WrittenToATerminal(const std::function<void()>& action) {
  setenv("TERM", "xterm", 1);
  int reader = -1;
  int terminal = -1;
  if (openpty(&reader, &terminal, nullptr, nullptr, nullptr) != 0) return "cannot open a terminal";
  dup2(terminal, STDERR_FILENO);
  action();
  std::string text;
  char c;
  while (!absl::EndsWith(text, "\n") && read(reader, &c, 1) == 1) text += c;
  return text;
}

TEST_F(LogDeathTest, WritesTextWithAColouredLevelOnATerminal) {
  EXPECT_EXIT(
      {
        const std::string text = WrittenToATerminal([] { Info("server started"); });
        const bool coloured = absl::StrContains(text, "\033[") &&
                              absl::StrContains(text, "INFO ") &&
                              absl::EndsWith(text, " server started\r\n");
        std::exit(coloured ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(Log, WritesTheFieldsOfAJsonLineInOrderAfterTimeLevelAndEvent) {
  const std::string line = Logged(Level::kInfo, Format::kJson, [] {
    Warning("article imported", {{"name", "articles/x"},
                                 {"revision", 3},
                                 {"again", true},
                                 {"why", absl::string_view("x")}});
  });
  EXPECT_THAT(line, MatchesRegex(R"(\{"time":"[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\.[0-9]+Z",)"
                                 R"("level":"warning","event":"article imported",)"
                                 R"("name":"articles/x","revision":3,"again":true,"why":"x"\})"
                                 "\n"));
}

TEST_F(Log, ReplacesValuesThatJsonCannotHold) {
  const std::string line = Logged(Level::kInfo, Format::kJson, [] {
    Info("odd", {{"bytes", "a\xff\nb"}, {"ratio", std::nan("")}});
  });
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["bytes"], "a\xEF\xBF\xBD\nb");
  EXPECT_EQ(json["ratio"], "nan");
}

TEST_F(Log, WritesTextForPeopleWithoutColourOutsideATerminal) {
  const std::string line = Logged(Level::kInfo, Format::kText, [] {
    Info("article imported", {{"name", "articles/x"}, {"revision", 3}});
  });
  EXPECT_THAT(line, MatchesRegex("[0-9]+:[0-9]+:[0-9]+\\.[0-9]+ INFO  article imported  "
                                 "name=articles/x revision=3\n"));
}

TEST_F(Log, QuotesTextValuesThatAreNotOneWord) {
  const std::string line = Logged(Level::kInfo, Format::kText, [] {
    Info("e",
         {{"a", "two words"}, {"b", ""}, {"c", "x=\"y\""}, {"d", "line\nline"}, {"e", "\xff"}});
  });
  EXPECT_THAT(line, EndsWith(R"(a="two words" b="" c="x=\"y\"" d="line\nline" e=")"
                             "\xEF\xBF\xBD\"\n"));
}

TEST_F(Log, EscapesControlCharactersOfTerminals) {
  const std::string line = Logged(Level::kInfo, Format::kText, [] {
    Info("e", {{"a", "\x1B[2J\xC2\x80\xC2\x9B"}, {"b", "caf\xC3\xA9 \xC2\xA0"}});
  });
  EXPECT_THAT(line, EndsWith("a=\"\\u001b[2J\\u0080\\u009b\" b=\"caf\xC3\xA9 \xC2\xA0\"\n"));
}

// In UTF-8: U+007F, U+061C, U+200E, U+2028, U+2029, U+202A, U+202E, U+2066, and U+2069.
constexpr char kMisleading[] =
    "\x7F\xD8\x9C\xE2\x80\x8E\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA\xE2\x80\xAE\xE2\x81\xA6"
    "\xE2\x81\xA9";
constexpr char kEscaped[] = "\"\\u007f\\u061c\\u200e\\u2028\\u2029\\u202a\\u202e\\u2066\\u2069\"";

TEST_F(Log, EscapesCharactersThatChangeHowALineIsShown) {
  for (const Format format : {Format::kText, Format::kJson}) {
    const std::string line = Logged(Level::kInfo, format, [] { Info("e", {{"a", kMisleading}}); });
    EXPECT_THAT(line, HasSubstr(kEscaped));
  }
}

TEST_F(Log, LeavesOtherCharactersAsTheyAre) {
  // U+00E9, U+2027, U+202F, U+4E2D, and U+1F600.
  constexpr char kText[] = "\xC3\xA9\xE2\x80\xA7\xE2\x80\xAF\xE4\xB8\xAD\xF0\x9F\x98\x80";
  const std::string line = Logged(Level::kInfo, Format::kJson, [&] { Info("e", {{"a", kText}}); });
  EXPECT_THAT(line, HasSubstr(kText));
}

TEST_F(Log, CutsLongValuesBetweenCharacters) {
  const std::string value = std::string(1023, 'x') + "\xC3\xA9" + std::string(1000, 'y');
  for (const Format format : {Format::kText, Format::kJson}) {
    const std::string line = Logged(Level::kInfo, format, [&] {
      Info("e", {{"a", value}, {"b", 1}});
    });
    EXPECT_THAT(line, HasSubstr("xxx... (1002 more bytes)\""));
    EXPECT_THAT(line, Not(HasSubstr("y\"")));
  }
}

TEST_F(Log, CutsValuesThatAreNoText) {
  const std::string line = Logged(Level::kInfo, Format::kJson, [] {
    Info("e", {{"a", std::string(2000, '\x80')}});
  });
  EXPECT_TRUE(nlohmann::json::accept(line));
  EXPECT_THAT(line, HasSubstr("... (980 more bytes)\""));
}

TEST_F(Log, PrintsLinesThatAreNoEvents) {
  EXPECT_EQ(Logged(Level::kError, Format::kJson, [] { Print("contentd: no"); }), "contentd: no\n");
}

TEST_F(Log, DropsEventsBelowTheLevel) {
  const std::string lines = Logged(Level::kWarning, Format::kText, [] {
    Debug("d");
    Info("i");
    Warning("w");
    Error("e");
  });
  EXPECT_THAT(lines, MatchesRegex("[0-9:.]+ WARN  w\n[0-9:.]+ ERROR e\n"));
}

TEST_F(Log, DoesNotMixTheLinesOfThreads) {
  const std::string lines = Logged(Level::kInfo, Format::kJson, [] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int j = 0; j < 100; ++j) Info("line", {{"value", std::string(200, 'x')}});
      });
    }
  });
  const std::vector<std::string> split = absl::StrSplit(lines, '\n', absl::SkipEmpty());
  EXPECT_THAT(split, SizeIs(400));
  for (const std::string& line : split) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

}  // namespace
}  // namespace content::log
