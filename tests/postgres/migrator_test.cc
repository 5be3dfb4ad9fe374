#include "postgres/migrator.h"

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/database.h"

namespace content::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<Migration> kFirst = {{1, "0001_one", "CREATE TABLE one ()"}};
const std::vector<Migration> kBoth = {{1, "0001_one", "CREATE TABLE one ()"},
                                      {2, "0002_two", "CREATE TABLE two (n integer)"}};

class MigratorTest : public ::testing::Test {
 protected:
  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
};

TEST_F(MigratorTest, AppliesWhatIsMissing) {
  EXPECT_THAT(*Migrate(url_, kFirst), ElementsAre("0001_one"));
  EXPECT_THAT(*Migrate(url_, kBoth), ElementsAre("0002_two"));
  EXPECT_THAT(*Migrate(url_, kBoth), IsEmpty());
  testing::Query(url_, "SELECT FROM one, two");
}

TEST_F(MigratorTest, ChecksTheSchema) {
  EXPECT_THAT(std::string(CheckSchema(url_, kFirst).message()), HasSubstr("schema version 0"));
  ASSERT_TRUE(Migrate(url_, kFirst).ok());
  EXPECT_TRUE(CheckSchema(url_, kFirst).ok());
  const absl::Status old = CheckSchema(url_, kBoth);
  EXPECT_EQ(old.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(old.message()), HasSubstr("schema version 1"));
}

TEST_F(MigratorTest, RefusesANewerSchemaAndChangedFiles) {
  ASSERT_TRUE(Migrate(url_, kBoth).ok());
  const std::vector<Migration> changed = {{1, "0001_one", "CREATE TABLE another ()"}, kBoth[1]};
  for (const auto& known : {kFirst, changed}) {
    EXPECT_EQ(Migrate(url_, known).status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(CheckSchema(url_, known).code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST_F(MigratorTest, AMigrationThatFailsLeavesNothing) {
  const std::vector<Migration> broken = {
      {1, "0001_broken", "CREATE TABLE one (); SELECT nonsense"}};
  const absl::Status status = Migrate(url_, broken).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("nonsense"));
  EXPECT_THAT(*Migrate(url_, kFirst), ElementsAre("0001_one"));
}

TEST_F(MigratorTest, ConcurrentProcessesTakeTurns) {
  std::vector<std::jthread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([this] { EXPECT_TRUE(Migrate(url_, kBoth).ok()); });
  }
}

}  // namespace
}  // namespace content::postgres
