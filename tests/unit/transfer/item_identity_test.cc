// Which items of an import are one.

#include "transfer/item_identity.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/civil_time.h"
#include "transfer/parse.h"

namespace content::transfer {
namespace {

constexpr int64_t kDayOfSeconds = 24 * 60 * 60;

struct ComparedItem {
  std::string title = "Links";
  std::string address = {};
  int64_t seconds = 0;
  std::string key = {};
  std::string source = "wordpress:a.example";
  bool is_dated = true;
  std::string name = {};  // in an export of this service
  bool may_be_redated = false;
  std::optional<absl::CivilDay> day_in_name = {};
};

ItemIdentity Identify(const ComparedItem& item) {
  ParsedArticle parsed;
  parsed.is_dated = item.is_dated;
  parsed.may_be_redated = item.may_be_redated;
  parsed.day_in_name = item.day_in_name;
  parsed.source = item.source;
  parsed.key = item.key;
  parsed.article.set_title(item.title);
  parsed.article.set_source_uri(item.address);
  parsed.article.mutable_publish_time()->set_seconds(item.seconds);
  parsed.article.set_name(item.name.empty() ? "articles/made" : item.name);
  if (!item.name.empty()) parsed.restoration = {.key = 17};
  return IdentityOf(parsed);
}

Likeness CompareItems(const ComparedItem& one, const ComparedItem& other) {
  const Likeness likeness = Compare(Identify(one), Identify(other));
  EXPECT_EQ(likeness, Compare(Identify(other), Identify(one)));
  return likeness;
}

TEST(ItemIdentityTest, TheKeyTellsInOneSource) {
  EXPECT_EQ(
      CompareItems({.key = "1"}, {.title = "Edited", .seconds = 9 * kDayOfSeconds, .key = "1"}),
      Likeness::kSame);
  EXPECT_EQ(CompareItems({.key = "1"}, {.key = "2"}), Likeness::kOther);
  EXPECT_EQ(CompareItems({.seconds = kDayOfSeconds, .key = "1"}, {.key = "1", .source = "ghost"}),
            Likeness::kOther);
  // Two sites under one --source.
  EXPECT_EQ(CompareItems({.address = "https://a.example/x", .key = "1"},
                         {.address = "https://b.example/x", .seconds = kDayOfSeconds, .key = "1"}),
            Likeness::kOther);
}

TEST(ItemIdentityTest, TheAddressTellsWhateverWasEdited) {
  EXPECT_EQ(
      CompareItems({.address = "https://www.a.example/x/"},
                   {.title = "Edited", .address = "http://a.example/x", .seconds = kDayOfSeconds}),
      Likeness::kSame);
}

TEST(ItemIdentityTest, ItemsWithTwoAddressesMustHaveTheSameSecond) {
  const ComparedItem item{.address = "https://a.example/2012/x"};
  EXPECT_EQ(CompareItems(item, {.address = "https://b.example/x"}), Likeness::kSame);
  EXPECT_EQ(CompareItems(item, {.address = "https://b.example/x", .seconds = 1}), Likeness::kOther);
  EXPECT_EQ(CompareItems(item, {.title = "Other", .address = "https://a.example/x"}),
            Likeness::kUnknown);
  EXPECT_EQ(CompareItems(item, {.title = "Other", .address = "https://b.example/2012/x"}),
            Likeness::kOther);
}

TEST(ItemIdentityTest, ATitleTellsOnOneDay) {
  EXPECT_EQ(CompareItems({}, {.seconds = kDayOfSeconds - 1}), Likeness::kSame);
  EXPECT_EQ(CompareItems({}, {.address = "https://a.example/x"}), Likeness::kSame);
  EXPECT_EQ(CompareItems({}, {.seconds = kDayOfSeconds}), Likeness::kOther);
  EXPECT_EQ(CompareItems({}, {.title = "Other", .seconds = 1}), Likeness::kUnknown);
}

// Nobody knows whether the file is another one, or whether its date was corrected.
TEST(ItemIdentityTest, ADateInAFileMayHaveBeenCorrected) {
  const ComparedItem file{.seconds = 9 * kDayOfSeconds, .may_be_redated = true};
  EXPECT_EQ(CompareItems(file, {}), Likeness::kUnknown);
  EXPECT_EQ(CompareItems(file, {.seconds = 10 * kDayOfSeconds - 1}), Likeness::kSame);
  EXPECT_EQ(CompareItems({.address = "https://a.example/x", .may_be_redated = true},
                         {.address = "https://b.example/x", .seconds = 1}),
            Likeness::kUnknown);
}

TEST(ItemIdentityTest, TheDayInTheNameOfAFileStays) {
  ComparedItem file{.seconds = 9 * kDayOfSeconds,
                    .may_be_redated = true,
                    .day_in_name = absl::CivilDay(1970, 1, 10)};
  EXPECT_EQ(CompareItems(file, {.seconds = 8 * kDayOfSeconds}), Likeness::kOther);
  // The date in the file was corrected, and is not that in its name any more.
  file.seconds = 20 * kDayOfSeconds;
  EXPECT_EQ(CompareItems(file, {.seconds = 9 * kDayOfSeconds}), Likeness::kUnknown);
}

TEST(ItemIdentityTest, WithoutADateOnlyTheTitleTells) {
  EXPECT_EQ(CompareItems({.is_dated = false}, {.seconds = 9 * kDayOfSeconds}),
            Likeness::kSameTitle);
  EXPECT_EQ(CompareItems({.is_dated = false}, {.title = "Other", .seconds = 9 * kDayOfSeconds}),
            Likeness::kUnknown);
}

TEST(ItemIdentityTest, WithoutADateTwoAddressesMayBeTwoPages) {
  const ComparedItem about{.address = "https://a.example/about", .is_dated = false};
  EXPECT_EQ(CompareItems(about, {.address = "https://b.example/about"}), Likeness::kUnknown);
  EXPECT_EQ(CompareItems(about, {.address = "https://a.example/x/about"}), Likeness::kUnknown);
  EXPECT_EQ(CompareItems(about, {.seconds = kDayOfSeconds}), Likeness::kSameTitle);
}

TEST(ItemIdentityTest, AnArticleOfThisServiceKeepsItsNameAndTime) {
  const ComparedItem exported{.name = "articles/a"};
  const ComparedItem edited{.title = "Edited", .name = "articles/a"};
  EXPECT_EQ(CompareItems(exported, edited), Likeness::kSame);
  v1::Article stored;
  stored.set_name("articles/a");
  stored.mutable_publish_time()->set_seconds(0);
  EXPECT_EQ(Compare(Identify(exported), IdentityOf(stored)), Likeness::kSame);
  EXPECT_EQ(CompareItems(exported, {.title = "Edited", .name = "articles/b"}), Likeness::kUnknown);
  EXPECT_EQ(CompareItems(exported, {.title = "Edited", .seconds = 1, .name = "articles/a"}),
            Likeness::kUnknown);
  // The names of what comes from elsewhere tell nothing.
  EXPECT_EQ(CompareItems({}, {.title = "Edited"}), Likeness::kUnknown);
}

}  // namespace
}  // namespace content::transfer
