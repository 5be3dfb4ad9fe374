// deploy/OPERATING.md explains every event that the service logs, except those of level debug.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace {

namespace fs = std::filesystem;

// A file without its comments.
std::string Code(const fs::path& path) {
  std::ifstream file(path);
  std::string code;
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "//")) code += line + "\n";
  }
  return code;
}

// The first string after each `call` in `code`: the event that it logs, or that a variable which is
// set there does.
std::set<std::string> EventsOf(absl::string_view call, absl::string_view code) {
  std::set<std::string> events;
  for (size_t at = code.find(call); at != code.npos; at = code.find(call, at + 1)) {
    const size_t begin = code.find('"', at) + 1;
    events.emplace(code.substr(begin, code.find('"', begin) - begin));
  }
  return events;
}

std::set<std::string> LoggedEvents() {
  std::set<std::string> events;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(CONTENT_SOURCE_DIR) / "service")) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
    const std::string code = Code(entry.path());
    for (const char* const call : {"log::Info", "log::Warning", "log::Error", "log::Record"}) {
      events.merge(EventsOf(call, code));
    }
    // The log's own.
    events.merge(EventsOf("Level::kWarning, \"", code));
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
    const std::string column = line.substr(0, line.find('|', 1));
    const std::vector<std::string> parts = absl::StrSplit(column, '`');
    for (size_t i = 1; i < parts.size(); i += 2) events.insert(parts[i]);
  }
  return events;
}

TEST(Events, AreThoseThatTheOperatorsManualExplains) {
  EXPECT_GT(LoggedEvents().size(), 15U);
  EXPECT_THAT(ExplainedEvents(), ::testing::ContainerEq(LoggedEvents()));
}

}  // namespace
