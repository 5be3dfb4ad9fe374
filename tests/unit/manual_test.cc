// Each alert has a test and a section of deploy/OPERATING.md, whose links lead somewhere.
// SECURITY.md names tests that exist.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace {

namespace fs = std::filesystem;
using ::testing::ContainerEq;
using ::testing::Gt;
using ::testing::SizeIs;

std::string SourceFile(const fs::path& path) {
  const std::ifstream file(fs::path(CONTENT_SOURCE_DIR) / path);
  std::ostringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

// What follows `before` in `text`, wherever that is, up to the next of `ends`.
std::set<std::string> AllAfter(absl::string_view before, absl::string_view ends,
                               absl::string_view text) {
  std::set<std::string> found;
  for (size_t at = text.find(before); at != text.npos; at = text.find(before, at)) {
    at += before.size();
    found.emplace(text.substr(at, text.find_first_of(ends, at) - at));
  }
  return found;
}

// The headings of a document, but not the comments of its blocks of code.
std::vector<std::string> HeadingsOf(const std::string& document) {
  std::vector<std::string> headings;
  bool is_code = false;
  for (const absl::string_view line : absl::StrSplit(document, '\n')) {
    if (absl::StartsWith(line, "```")) is_code = !is_code;
    if (!is_code && absl::StartsWith(line, "#")) {
      headings.emplace_back(absl::StripAsciiWhitespace(line.substr(line.find_first_not_of('#'))));
    }
  }
  return headings;
}

// As GitHub makes them.
std::string AnchorOf(absl::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
      anchor += absl::ascii_tolower(static_cast<unsigned char>(c));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

constexpr char kManual[] = "deploy/OPERATING.md";
constexpr char kAlerts[] = "deploy/prometheus/contentd.rules.yml";

std::set<std::string> Alerts() { return AllAfter("- alert: ", "\n", SourceFile(kAlerts)); }

// servers.yml has a test in which none of them fires.
TEST(Alerts, HaveATestInWhichTheyFire) {
  std::set<std::string> tested;
  for (const char* const file : {"burns.yml", "servers.yml"}) {
    tested.merge(
        AllAfter("- alertname: ", "\n", SourceFile(fs::path("deploy/prometheus/tests") / file)));
  }
  EXPECT_THAT(tested, ContainerEq(Alerts()));
}

TEST(Manual, HasASectionForEveryAlert) {
  std::set<std::string> sections;
  for (const std::string& heading : HeadingsOf(SourceFile(kManual))) {
    if (absl::StartsWith(heading, "Contentd")) sections.insert(heading);
  }
  EXPECT_THAT(sections, SizeIs(Gt(15U)));
  EXPECT_THAT(Alerts(), ContainerEq(sections));
}

TEST(Manual, IsWhereAlertsPoint) {
  std::set<std::string> urls;
  for (const std::string& alert : Alerts()) {
    urls.insert(absl::StrCat(kManual, "#", AnchorOf(alert)));
  }
  EXPECT_THAT(AllAfter("runbook_url: ", "\n", SourceFile(kAlerts)), ContainerEq(urls));
}

TEST(Manual, HasNoLinkThatLeadsNowhere) {
  const std::string manual = SourceFile(kManual);
  std::set<std::string> anchors;
  for (const std::string& heading : HeadingsOf(manual)) anchors.insert(AnchorOf(heading));
  std::set<std::string> links = AllAfter("](#", ")", manual);
  links.merge(AllAfter("deploy/OPERATING.md#", ")", SourceFile("SECURITY.md")));
  for (const std::string& link : links) EXPECT_TRUE(anchors.contains(link)) << link;
}

// Suite.Name of each test, and attacks.name of each attack.
std::set<std::string> Tests() {
  std::set<std::string> tests;
  const fs::path folder = fs::path(CONTENT_SOURCE_DIR) / "tests";
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!absl::EndsWith(entry.path().string(), "_test.cc")) continue;
    const std::string code = SourceFile(entry.path());
    for (const char* const macro : {"\nTEST(", "\nTEST_F(", "\nTEST_P("}) {
      for (const std::string& arguments : AllAfter(macro, ")", code)) {
        tests.insert(absl::StrReplaceAll(arguments, {{" ", ""}, {"\n", ""}, {",", "."}}));
      }
    }
  }
  for (const std::string& attack :
       AllAfter("\ndef ", "(", SourceFile("tests/proxies/attacks.py"))) {
    tests.insert(absl::StrCat("attacks.", attack));
  }
  return tests;
}

// What a document has between backquotes.
std::vector<std::string> Quoted(const std::string& document) {
  const std::vector<std::string> parts = absl::StrSplit(document, '`');
  std::vector<std::string> quoted;
  for (size_t i = 1; i < parts.size(); i += 2) quoted.push_back(parts[i]);
  return quoted;
}

bool IsNameOfTest(absl::string_view text) {
  if (text.empty() || absl::StrContains(text, ' ')) return false;
  return absl::StartsWith(text, "attacks.") ||
         (absl::ascii_isupper(static_cast<unsigned char>(text[0])) && absl::StrContains(text, '.'));
}

TEST(Security, NamesTestsThatExist) {
  const std::set<std::string> tests = Tests();
  int names = 0;
  for (const std::string& text : Quoted(SourceFile("SECURITY.md"))) {
    if (IsNameOfTest(text)) {
      ++names;
      EXPECT_TRUE(tests.contains(text)) << text;
    } else if (absl::StartsWith(text, "tests/")) {
      EXPECT_TRUE(fs::exists(fs::path(CONTENT_SOURCE_DIR) / text)) << text;
    }
  }
  EXPECT_GT(names, 40);
}

}  // namespace
