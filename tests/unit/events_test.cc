// deploy/OPERATING.md explains every event that the service logs, except those of level debug.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/match.h"

namespace {

namespace fs = std::filesystem;

// The first group of each match of `pattern`.
std::set<std::string> FindAll(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

// A file without its comments.
std::string Code(const fs::path& path) {
  std::ifstream file(path);
  std::string code;
  for (std::string line; std::getline(file, line);) {
    code += std::regex_replace(line, std::regex(R"(^\s*//.*)"), "") + "\n";
  }
  return code;
}

// The event is the first string after the name of the function that logs it.
std::set<std::string> LoggedEvents() {
  std::set<std::string> events;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(CONTENT_SOURCE_DIR) / "service")) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
    events.merge(
        FindAll(Code(entry.path()), R"re(\blog::(?:Info|Warning|Error)\b[^"]*"([^"]*)")re"));
    // The log's own.
    events.merge(FindAll(Code(entry.path()), R"re(\bLevel::kWarning, "([^"]*)")re"));
  }
  return events;
}

// What is between backquotes in the first column of the table of events.
std::set<std::string> ExplainedEvents() {
  std::ifstream file(fs::path(CONTENT_SOURCE_DIR) / "deploy" / "OPERATING.md");
  std::string line;
  while (std::getline(file, line) && !absl::StartsWith(line, "| event ")) {
  }
  std::set<std::string> events;
  while (std::getline(file, line) && absl::StartsWith(line, "|")) {
    events.merge(FindAll(line.substr(0, line.find('|', 1)), "`([^`]+)`"));
  }
  return events;
}

TEST(Events, AreThoseThatTheOperatorsManualExplains) {
  EXPECT_GT(LoggedEvents().size(), 15U);
  EXPECT_THAT(ExplainedEvents(), ::testing::ContainerEq(LoggedEvents()));
}

}  // namespace
