#include "postgres/migrator.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
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
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("nonsense"));
  EXPECT_THAT(*Migrate(url_, kFirst), ElementsAre("0001_one"));
}

// ---- Databases that do not fit ----

// Both must fail with this code and with a message that contains this text.
void ExpectRefused(const std::string& url, absl::StatusCode code, const std::string& text) {
  for (const absl::Status& status : {Migrate(url, kFirst).status(), CheckSchema(url, kFirst)}) {
    EXPECT_EQ(status.code(), code);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
}

TEST_F(MigratorTest, RefusesADatabaseOfAnotherEncoding) {
  for (const char* encoding : {"LATIN1", "SQL_ASCII", "EUC_JP"}) {
    const std::string url = testing::NewDatabaseWith(
        absl::StrCat("TEMPLATE template0 LOCALE 'C' ENCODING '", encoding, "'"));
    ExpectRefused(url, absl::StatusCode::kFailedPrecondition,
                  absl::StrCat("encoded in ", encoding, "; contentd needs UTF8"));
  }
}

TEST_F(MigratorTest, AnyLocaleWillDo) {
  const std::string url = testing::NewDatabaseWith("TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'");
  EXPECT_TRUE(Migrate(url, kFirst).ok());
  EXPECT_TRUE(CheckSchema(url, kFirst).ok());
}

TEST_F(MigratorTest, WithNothingToDoOnlyReads) {
  ASSERT_TRUE(Migrate(url_, kFirst).ok());
  const std::string reader = testing::UrlOfNewRole(url_);
  testing::Query(url_, "GRANT SELECT ON schema_migration TO PUBLIC");
  for (const std::string& url : {reader, url_ + " options='-c default_transaction_read_only=on'"}) {
    EXPECT_THAT(*Migrate(url, kFirst), IsEmpty());
    EXPECT_TRUE(CheckSchema(url, kFirst).ok());
    EXPECT_EQ(Migrate(url, kBoth).status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST_F(MigratorTest, SaysWhyItCannotSeeTheSchema) {
  testing::Query(url_, "CREATE SCHEMA app");
  ASSERT_TRUE(Migrate(url_ + " options='-c search_path=app'", kFirst).ok());
  ExpectRefused(url_, absl::StatusCode::kFailedPrecondition, "the schema app, which is not in");
  const std::string other = testing::UrlOfNewRole(url_);
  const std::string name = testing::Query(other, "SELECT current_user");
  ExpectRefused(other, absl::StatusCode::kFailedPrecondition, "GRANT USAGE ON SCHEMA app");
  testing::Query(url_, "ALTER ROLE " + name + " SET search_path = app");
  ExpectRefused(other, absl::StatusCode::kFailedPrecondition, "GRANT USAGE ON SCHEMA app");
  testing::Query(url_, "GRANT USAGE ON SCHEMA app TO PUBLIC");
  ExpectRefused(other, absl::StatusCode::kFailedPrecondition, "may not read");
  testing::Query(url_, "GRANT SELECT ON app.schema_migration TO PUBLIC");
  EXPECT_TRUE(CheckSchema(other, kFirst).ok());
}

TEST_F(MigratorTest, AdviceIsSql) {
  testing::Query(url_, "CREATE SCHEMA \"my-App\"");
  ASSERT_TRUE(Migrate(url_ + " options='-c search_path=\"my-App\"'", kFirst).ok());
  ExpectRefused(url_, absl::StatusCode::kFailedPrecondition, "SET search_path = \"my-App\"");
  ExpectRefused(testing::UrlOfNewRole(url_), absl::StatusCode::kFailedPrecondition,
                "GRANT USAGE ON SCHEMA \"my-App\" to it");
}

TEST_F(MigratorTest, DoesNotShowASchemaThatTheUrlNames) {
  testing::Query(url_, "CREATE SCHEMA leak; CREATE SCHEMA other");
  const std::string leak = " options='-c search_path=leak'";
  const std::string role = testing::UrlOfNewRole(url_) + leak;
  const auto expect_hidden = [&role](const std::string& text) {
    for (const absl::Status& status : {Migrate(role, kFirst).status(), CheckSchema(role, kFirst)}) {
      EXPECT_FALSE(status.ok());
      EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("leak")));
      EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    }
  };
  EXPECT_THAT(std::string(Migrate(role, kFirst).status().message()), HasSubstr("search_path"));
  testing::Query(url_, "GRANT USAGE ON SCHEMA leak TO PUBLIC");
  EXPECT_THAT(std::string(Migrate(role, kFirst).status().message()), HasSubstr("lacks a right"));
  expect_hidden("");
  testing::Query(url_, "REVOKE USAGE ON SCHEMA leak FROM PUBLIC");
  ASSERT_TRUE(Migrate(url_ + leak, kFirst).ok());
  expect_hidden("may not use");
}

// Each has a schema of its own in one database.
TEST_F(MigratorTest, InstallationsDoNotStandInEachOthersWay) {
  for (const bool has_usage : {false, true}) {
    const std::string url = testing::NewDatabase(/*migrated=*/false);
    std::vector<std::string> roles;
    for (int i = 0; i < 3; ++i) {
      const std::string& role = roles.emplace_back(testing::UrlOfNewRole(url));
      const std::string name = testing::Query(role, "SELECT current_user");
      testing::Query(url, absl::StrCat("CREATE SCHEMA ", name, " AUTHORIZATION ", name));
      if (has_usage)
        testing::Query(url, absl::StrCat("GRANT USAGE ON SCHEMA ", name, " TO PUBLIC"));
    }
    for (const std::string& role : roles)
      EXPECT_THAT(*Migrate(role, kFirst), ElementsAre("0001_one"));
    for (const std::string& role : roles) {
      EXPECT_THAT(*Migrate(role, kBoth), ElementsAre("0002_two"));
      EXPECT_TRUE(CheckSchema(role, kBoth).ok());
    }
  }
}

TEST_F(MigratorTest, ATableOfAnotherProgramIsNotOurs) {
  testing::Query(url_, "CREATE SCHEMA rails; CREATE TABLE rails.schema_migration (version text)");
  EXPECT_THAT(*Migrate(url_, kFirst), ElementsAre("0001_one"));
}

TEST_F(MigratorTest, TellsWhetherWaitingMayHelp) {
  const auto permanent = absl::StatusCode::kFailedPrecondition;
  ExpectRefused(url_ + " dbname=nowhere", permanent, "does not exist (SQLSTATE 3D000)");
  ExpectRefused(url_ + " user=nobody-at-all", permanent, "refuses the user");
  ExpectRefused(url_ + " sslmode=wrong", permanent, "an option of the connection string is wrong");
  ExpectRefused(url_ + " options='-c no_such_setting=1'", permanent, "refuses a setting");
  ExpectRefused(url_ + " options='-c role=nothing'", permanent, "refuses a setting");
  ExpectRefused(testing::UrlOfNewRole(url_) + " options='-c role=content'", permanent,
                "a right that a setting");
  ExpectRefused(url_ + " requirepeer=nobody-at-all", permanent, "requirepeer");
  ExpectRefused(url_ + " ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
                permanent, "no common version");
  ExpectRefused("host=localhost port=1 sslmode=require", absl::StatusCode::kUnavailable,
                "nothing listens");
  ExpectRefused("host=/nowhere", absl::StatusCode::kUnavailable, "nothing listens");
  ExpectRefused("host=nowhere.invalid", absl::StatusCode::kUnavailable, "cannot be resolved");
  const testing::Outage outage(url_);
  ExpectRefused(url_, absl::StatusCode::kUnavailable, "accepts no connections at present");
}

TEST_F(MigratorTest, ConcurrentProcessesTakeTurns) {
  std::vector<std::jthread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([this] { EXPECT_TRUE(Migrate(url_, kBoth).ok()); });
  }
}

}  // namespace
}  // namespace content::postgres
