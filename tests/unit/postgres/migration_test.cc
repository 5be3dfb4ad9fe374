#include "postgres/migration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace content::postgres {
namespace {

using Kind = MigrationStep::Kind;

std::vector<MigrationStep> Steps(absl::string_view sql) {
  const auto steps = StepsOf({1, "0001_test", sql});
  EXPECT_TRUE(steps.ok()) << steps.status();
  return steps.value_or(std::vector<MigrationStep>());
}

std::string ErrorOf(absl::string_view sql) {
  return std::string(StepsOf({1, "0001_test", sql}).status().message());
}

TEST(Migration, WithoutMarksIsOneTransaction) {
  const auto steps = Steps("-- Text.\nSELECT '-- step: transaction';\n");
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].kind, Kind::kTransaction);
  EXPECT_EQ(steps[0].sql, "-- Text.\nSELECT '-- step: transaction';\n");
}

TEST(Migration, HasStepsOfFourKinds) {
  const auto steps = Steps(
      "-- Text.\n\n-- step: transaction\nA;\nB;\n-- step: index a_by_b2\nC;\n"
      "-- step: no transaction\nD;\n-- step: batches of a_table\nE");
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps[0].kind, Kind::kTransaction);
  EXPECT_EQ(steps[0].sql, "\nA;\nB;\n");
  EXPECT_EQ(steps[1].kind, Kind::kIndex);
  EXPECT_EQ(steps[1].object, "a_by_b2");
  EXPECT_EQ(steps[1].sql, "\nC;\n");
  EXPECT_EQ(steps[2].kind, Kind::kStatement);
  EXPECT_EQ(steps[2].sql, "\nD;\n");
  EXPECT_EQ(steps[3].kind, Kind::kBatches);
  EXPECT_EQ(steps[3].object, "a_table");
  EXPECT_EQ(steps[3].sql, "\nE");
}

TEST(Migration, IsRefusedIfItsStepsAreNotClear) {
  for (const char* mark : {"", "transactions", "index", "index A", "index a; DROP TABLE a",
                           "batches", "batches of ", "no transaction "}) {
    EXPECT_EQ(ErrorOf(std::string("-- step: ") + mark + "\nSELECT 1;\n"),
              "migration 0001_test has a step of an unknown kind");
  }
  EXPECT_EQ(ErrorOf("SELECT 1;\n-- step: transaction\nSELECT 2;\n"),
            "migration 0001_test has SQL before its first step");
}

TEST(Migration, IsRefusedIfAMarkIsMistyped) {
  for (const char* mark : {"-- Step: transaction", "--step: transaction", "--  STEP transaction",
                           "-- steps: transaction", "-- step:transaction"}) {
    EXPECT_EQ(ErrorOf(std::string(mark) + "\nSELECT 1;\n"),
              std::string("migration 0001_test has a mistyped mark: ") + mark);
  }
}

TEST(Migration, IsCompatibleIfItSaysSo) {
  const auto is_compatible = [](absl::string_view sql) { return IsCompatible({1, "x", sql}); };
  EXPECT_TRUE(is_compatible("-- Text.\n-- compatible: yes\nSELECT 1"));
  EXPECT_FALSE(is_compatible("-- compatible: no\nSELECT 1"));
  EXPECT_FALSE(is_compatible("-- It is\n-- compatible: yes, but\nSELECT 1"));
}

TEST(Migration, MustSayWhetherItIsCompatible) {
  const auto is_clear = [](int version, absl::string_view sql) {
    return StepsOf({version, "x", sql}).ok();
  };
  EXPECT_TRUE(is_clear(5, "SELECT 1"));
  EXPECT_FALSE(is_clear(6, "SELECT 1"));
  EXPECT_FALSE(is_clear(6, "-- compatible: perhaps\nSELECT 1"));
  EXPECT_TRUE(is_clear(6, "-- compatible: yes\nSELECT 1"));
  EXPECT_TRUE(is_clear(6, "-- compatible: no\nSELECT 1"));
}

}  // namespace
}  // namespace content::postgres
