#include "store/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/database.h"

namespace content::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Migrations, AreNumberedFromOneWithoutGaps) {
  const std::vector<Migration> known = KnownMigrations();
  ASSERT_FALSE(known.empty());
  for (size_t i = 0; i < known.size(); ++i) EXPECT_EQ(known[i].version, static_cast<int>(i) + 1);
}

TEST(Migrations, BringANewDatabaseToTheNeededVersionOnce) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  const auto first = Migrate(url);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->size(), KnownMigrations().size());
  const auto second = Migrate(url);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(*second, IsEmpty());
  EXPECT_TRUE(CheckSchema(url).ok());
}

TEST(Migrations, TakeTurns) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  std::vector<absl::StatusOr<std::vector<std::string>>> results(4, absl::UnknownError(""));
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) threads.emplace_back([&result, &url] { result = Migrate(url); });
  }
  size_t applied = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result.ok()) << result.status();
    applied += result->size();
  }
  EXPECT_EQ(applied, KnownMigrations().size());
}

TEST(Migrations, AnEmptyDatabaseIsNotServed) {
  const absl::Status status = CheckSchema(testing::NewDatabase(/*migrated=*/false));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("has schema version 0; this contentd needs version ",
                                     NeededSchemaVersion(), ": run `contentd migrate` first")));
}

TEST(Migrations, ANewerDatabaseIsNeitherServedNorTouched) {
  const std::string url = testing::NewDatabase();
  testing::Query(url, "INSERT INTO schema_migration VALUES (999, 'future', 'x', now())");
  for (const absl::Status& status : {CheckSchema(url), Migrate(url).status()}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr("version 999, newer than version"));
  }
}

TEST(Migrations, AChangedMigrationIsNoticed) {
  const std::string url = testing::NewDatabase();
  testing::Query(url, "UPDATE schema_migration SET checksum = 'x' WHERE version = 1");
  EXPECT_THAT(std::string(CheckSchema(url).message()),
              HasSubstr("is not the one that was applied"));
}

TEST(Migrations, SayThatTheDatabaseCannotBeReached) {
  const absl::Status status = CheckSchema("host=" + testing::ScratchDirectory() + "/nowhere");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("database: "));
}

}  // namespace
}  // namespace content::store
