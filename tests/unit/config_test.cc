#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace content {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() { UnsetVariables(); }  // the tests may run in any environment
  ~ConfigTest() override { UnsetVariables(); }

  static void UnsetVariables() {
    std::vector<std::string> names;
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const absl::string_view text = *variable;
      if (absl::StartsWith(text, "CONTENT_")) names.emplace_back(text.substr(0, text.find('=')));
    }
    for (const std::string& name : names) unsetenv(name.c_str());
  }

  static void SetVariable(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
  }

  // The config, or what is printed if there is none.
  std::variant<Config, std::string> Read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "contentd");
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    auto config = ReadConfig(static_cast<int>(arguments.size()), arguments.data());
    const std::string printed =
        ::testing::internal::GetCapturedStdout() + ::testing::internal::GetCapturedStderr();
    if (auto* read = std::get_if<Config>(&config)) return *read;
    status_ = std::get<ExitNow>(config).status;
    return printed;
  }

  Config Valid(std::vector<const char*> arguments) {
    auto config = Read(std::move(arguments));
    if (auto* message = std::get_if<std::string>(&config)) {
      ADD_FAILURE() << *message;
      return {};
    }
    return std::get<Config>(config);
  }

  // What is printed instead of reading a config; empty if one is read.
  std::string Printed(std::vector<const char*> arguments) {
    auto config = Read(std::move(arguments));
    return std::holds_alternative<std::string>(config) ? std::get<std::string>(config) : "";
  }

  int status_ = -1;
};

TEST_F(ConfigTest, ServesOnLoopbackByDefault) {
  const Config config = Valid({"serve"});
  EXPECT_EQ(config.command, Config::Command::kServe);
  EXPECT_EQ(config.listen, "127.0.0.1:50051");
  EXPECT_EQ(config.database_url, "");
  EXPECT_EQ(config.drain_timeout, absl::Seconds(30));
  EXPECT_EQ(Valid({"serve", "--listen", "[::]:7"}).listen, "[::]:7");
}

TEST_F(ConfigTest, AFlagOverridesItsVariable) {
  SetVariable("CONTENT_LISTEN", "0.0.0.0:1");
  SetVariable("CONTENT_DRAIN_TIMEOUT", "5s");
  SetVariable("CONTENT_READ_CONNECTIONS", "9");
  SetVariable("CONTENT_LOG_FORMAT", "json");
  SetVariable("CONTENT_DATABASE_URL", "postgresql://db/x");
  const Config config = Valid({"serve", "--drain-timeout", "7s"});
  EXPECT_EQ(config.listen, "0.0.0.0:1");
  EXPECT_EQ(config.drain_timeout, absl::Seconds(7));
  EXPECT_EQ(config.read_connections, 9);
  EXPECT_EQ(config.log_format, log::Format::kJson);
  EXPECT_EQ(config.database_url, "postgresql://db/x");
}

// A new setting that may hold a secret must stay out of this list too.
TEST_F(ConfigTest, ListsEverySettingInEffectExceptTheDatabaseUrl) {
  SetVariable("CONTENT_READ_CONNECTIONS", "9");
  SetVariable("CONTENT_DATABASE_URL", "postgresql://user:secret@db/x");
  const Config config = Valid({"serve", "--log-level", "debug", "--data-dir=/d"});
  EXPECT_THAT(config.settings,
              ElementsAre(Pair("cache-bytes", "256MiB"), Pair("data-dir", "/d"),
                          Pair("database-wait", "60s"), Pair("drain-timeout", "30s"),
                          Pair("listen", "127.0.0.1:50051"), Pair("log-format", "auto"),
                          Pair("log-level", "debug"), Pair("max-staleness", "1s"),
                          Pair("notifications", "true"), Pair("queue-limit", "1000"),
                          Pair("read-connections", "9"), Pair("request-retention", "24h"),
                          Pair("stale-if-error", "5m"), Pair("statement-timeout", "10s"),
                          Pair("watch-write-timeout", "30s"), Pair("write-connections", "4")));
}

TEST_F(ConfigTest, ListsSettingsAsTheyWereGiven) {
  SetVariable("CONTENT_DRAIN_TIMEOUT", "90s");
  const Config config =
      Valid({"serve", "--cache-bytes=2048KiB", "--max-staleness=0.5s", "--notifications=false"});
  EXPECT_EQ(config.cache_bytes, 2 << 20);
  EXPECT_EQ(config.settings.at("cache-bytes"), "2048KiB");
  EXPECT_EQ(config.settings.at("max-staleness"), "0.5s");
  EXPECT_EQ(config.settings.at("notifications"), "false");
  EXPECT_EQ(config.settings.at("drain-timeout"), "90s");
}

TEST_F(ConfigTest, EachCommandListsItsOwnSettings) {
  EXPECT_THAT(Valid({"migrate", "--data-dir=/d"}).settings,
              ElementsAre(Pair("data-dir", "/d"), Pair("log-format", "auto"),
                          Pair("log-level", "warning")));
}

TEST_F(ConfigTest, OneShotCommandsLogWarningsByDefault) {
  EXPECT_EQ(Valid({"serve"}).log_level, log::Level::kInfo);
  EXPECT_EQ(Valid({"migrate"}).log_level, log::Level::kWarning);
  EXPECT_EQ(Valid({"import", "a.md"}).log_level, log::Level::kWarning);
  EXPECT_EQ(Valid({"import", "a.md", "--log-level=debug"}).log_level, log::Level::kDebug);
}

TEST_F(ConfigTest, ImportUsesTheStoreAsServeDoes) {
  const Config serve = Valid({"serve"});
  const Config import = Valid({"import", "a.md"});
  EXPECT_EQ(import.read_connections, serve.read_connections);
  EXPECT_EQ(import.write_connections, serve.write_connections);
  EXPECT_EQ(import.queue_limit, serve.queue_limit);
  EXPECT_EQ(import.statement_timeout, serve.statement_timeout);
  EXPECT_EQ(import.notifications, serve.notifications);
}

TEST_F(ConfigTest, RequestsAreRememberedForADayByDefault) {
  EXPECT_EQ(Valid({"serve"}).request_retention, absl::Hours(24));
  EXPECT_EQ(Valid({"serve", "--request-retention", "720h"}).request_retention, absl::Hours(720));
  EXPECT_THAT(Printed({"serve", "--request-retention", "721h"}), HasSubstr("from 1s to 720h"));
  EXPECT_THAT(Printed({"serve", "--request-retention", "999ms"}), HasSubstr("--request-retention"));
  SetVariable("CONTENT_REQUEST_RETENTION", "90m");
  EXPECT_EQ(Valid({"serve"}).request_retention, absl::Minutes(90));
}

TEST_F(ConfigTest, ReadsBytesInUnits) {
  EXPECT_EQ(Valid({"serve"}).cache_bytes, int64_t{256} << 20);
  EXPECT_EQ(Valid({"serve", "--cache-bytes", "1000000"}).cache_bytes, 1'000'000);
  EXPECT_EQ(Valid({"serve", "--cache-bytes=2KiB"}).cache_bytes, 2048);
  EXPECT_EQ(Valid({"serve", "--cache-bytes=1024GiB"}).cache_bytes, int64_t{1} << 40);
  for (const char* wrong :
       {"--cache-bytes=1025GiB", "--cache-bytes=-1", "--cache-bytes=1.5MiB", "--cache-bytes=1MB",
        "--cache-bytes=5MiBKiB", "--cache-bytes=lots", "--cache-bytes=MiB",
        "--cache-bytes=99999999999999999999", "--cache-bytes=99999999999999999999KiB",
        "--cache-bytes=-1MiB", "--cache-bytes=-18446744073709551615KiB", "--cache-bytes=010MiB",
        "--cache-bytes=1099511627777", "--cache-bytes=8589934592GiB"}) {
    EXPECT_THAT(Printed({"serve", wrong}), HasSubstr("contentd: --cache-bytes: ")) << wrong;
    EXPECT_EQ(status_, 2);
  }
  EXPECT_EQ(Valid({"serve", "--cache-bytes=0MiB"}).cache_bytes, 0);
  SetVariable("CONTENT_CACHE_BYTES", "0");
  EXPECT_EQ(Valid({"serve"}).cache_bytes, 0);
}

TEST_F(ConfigTest, ReadsDurationsOfSeveralUnits) {
  EXPECT_EQ(Valid({"serve", "--drain-timeout=1h30m"}).drain_timeout, absl::Minutes(90));
  EXPECT_EQ(Valid({"serve", "--drain-timeout=250ms"}).drain_timeout, absl::Milliseconds(250));
  for (const char* wrong : {"--drain-timeout=30", "--drain-timeout=24h1ms", "--drain-timeout=999us",
                            "--drain-timeout=inf"}) {
    EXPECT_THAT(Printed({"serve", wrong}),
                HasSubstr("is not a duration such as 30s, from 1ms to 24h"))
        << wrong;
  }
}

TEST_F(ConfigTest, AnswersAreAtMostASecondOldByDefault) {
  const Config config = Valid({"serve"});
  EXPECT_EQ(config.max_staleness, absl::Seconds(1));
  EXPECT_EQ(config.stale_if_error, absl::Minutes(5));
  EXPECT_TRUE(config.notifications);
  EXPECT_EQ(Valid({"serve", "--stale-if-error=0s"}).stale_if_error, absl::ZeroDuration());
  EXPECT_THAT(Printed({"serve", "--max-staleness=0s"}), HasSubstr("--max-staleness"));
  EXPECT_FALSE(Valid({"serve", "--notifications=false"}).notifications);
  EXPECT_THAT(Printed({"serve", "--notifications=maybe"}), HasSubstr("--notifications"));
}

TEST_F(ConfigTest, WatchersHaveHalfAMinuteForAMessageByDefault) {
  EXPECT_EQ(Valid({"serve"}).watch_write_timeout, absl::Seconds(30));
  EXPECT_EQ(Valid({"serve", "--watch-write-timeout", "2s"}).watch_write_timeout, absl::Seconds(2));
}

TEST_F(ConfigTest, AWrongSettingIsNamed) {
  EXPECT_THAT(Printed({"serve", "--listen", "nowhere"}), HasSubstr("--listen"));
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(Printed({"serve", "--listen", "host:65536"}), HasSubstr("HOST:PORT"));
  EXPECT_THAT(Printed({"serve", "--drain-timeout", "soon"}), HasSubstr("--drain-timeout"));
  EXPECT_THAT(Printed({"serve", "--drain-timeout", "-1s"}), HasSubstr("--drain-timeout"));
  EXPECT_THAT(Printed({"serve", "--read-connections", "0"}), HasSubstr("--read-connections"));
  EXPECT_THAT(Printed({"serve", "--log-level", "loud"}), HasSubstr("--log-level"));
  EXPECT_THAT(Printed({"serve", "--unheard-of"}), HasSubstr("--unheard-of"));
  EXPECT_THAT(Printed({"serve", "--log-level", "1"}),
              HasSubstr("1 not in {debug,info,warning,error}"));
  EXPECT_THAT(Printed({"serve", "--read-connections", "41"}), HasSubstr("--read-connections"));
  EXPECT_THAT(Printed({"dance"}), HasSubstr("dance"));
  EXPECT_THAT(Printed({}), HasSubstr("A command is required"));
}

TEST_F(ConfigTest, AUsageErrorNamesTheProgramAndTheHelpOfItsCommand) {
  EXPECT_EQ(Printed({"migrate", "--log-level=loud"}),
            "contentd: --log-level: loud not in {debug,info,warning,error}\n"
            "Try `contentd migrate --help`.\n");
  EXPECT_THAT(Printed({}), EndsWith("Try `contentd --help`.\n"));
}

TEST_F(ConfigTest, AWrongVariableIsNamed) {
  SetVariable("CONTENT_LOG_LEVEL", "loud");
  EXPECT_THAT(Printed({"serve"}), HasSubstr("log-level"));
  EXPECT_THAT(Printed({"import", "a.md"}), HasSubstr("log-level"));
  EXPECT_EQ(Valid({"serve", "--log-level", "error"}).log_level, log::Level::kError);
  EXPECT_EQ(Valid({"serve", "--log-level=error"}).log_level, log::Level::kError);
}

TEST_F(ConfigTest, HelpDescribesEveryCommandAndSucceeds) {
  EXPECT_THAT(Printed({"--help"}), HasSubstr("import"));
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(Printed({"serve", "--help"}), HasSubstr("CONTENT_LOG_LEVEL"));
  EXPECT_THAT(Printed({"import", "--help"}), HasSubstr("front matter"));
  EXPECT_EQ(Printed({"--version"}), "contentd " CONTENT_VERSION "\n");
  EXPECT_EQ(status_, 0);
}

TEST_F(ConfigTest, HelpSaysTheRangesUnitsAndExitStatuses) {
  const std::string help = Printed({"serve", "--help"});
  EXPECT_THAT(help, HasSubstr("--read-connections N [4]"));
  EXPECT_THAT(help, HasSubstr("(1 to 40)"));
  EXPECT_THAT(help, HasSubstr("(1ms to 24h)"));
  EXPECT_THAT(help, HasSubstr("(0 to 1024GiB)"));
  EXPECT_THAT(help, HasSubstr("(debug, info, warning, error)"));
  EXPECT_THAT(help, HasSubstr("500ms, 30s, 1h30m"));
  for (const char* command : {"serve", "migrate", "import"}) {
    EXPECT_THAT(Printed({command, "--help"}), HasSubstr("Exit status: 0"));
  }
}

TEST_F(ConfigTest, HelpFitsIntoAHundredColumns) {
  const std::vector<std::vector<const char*>> calls = {
      {"--help"}, {"serve", "--help"}, {"migrate", "--help"}, {"import", "--help"}};
  for (const auto& arguments : calls) {
    for (const absl::string_view line : absl::StrSplit(Printed(arguments), '\n')) {
      if (absl::StrContains(line, "--data-dir")) continue;  // has the user's directory in it
      EXPECT_LE(line.size(), 100U) << line;
    }
  }
}

TEST_F(ConfigTest, ImportTakesFilesAndOverrides) {
  const Config config =
      Valid({"import", "a.txt", "--title", "T", "--id", "t", "--format", "markdown", "--dry-run"});
  EXPECT_EQ(config.command, Config::Command::kImport);
  EXPECT_THAT(config.files, ElementsAre("a.txt"));
  EXPECT_EQ(config.overrides.title, "T");
  EXPECT_EQ(config.overrides.id, "t");
  EXPECT_EQ(config.format, importer::Format::kMarkdown);
  EXPECT_TRUE(config.dry_run);
  EXPECT_FALSE(Valid({"import", "a", "b"}).format.has_value());
}

TEST_F(ConfigTest, AVariableIsNeverReadAsAFile) {
  SetVariable("CONTENT_DATABASE_URL", "postgresql://db/x");
  const Config config = Valid({"import", "--", "a.md"});
  EXPECT_EQ(config.database_url, "postgresql://db/x");
  EXPECT_THAT(config.files, ElementsAre("a.md"));
}

TEST_F(ConfigTest, ATitleIsForOneFile) {
  EXPECT_THAT(Printed({"import", "a.txt", "b.txt", "--title", "T"}), HasSubstr("a single FILE"));
  EXPECT_THAT(Printed({"import", "a.txt", "b.txt", "--id", "t"}), HasSubstr("a single FILE"));
  EXPECT_NE(Printed({"import"}), "");
}

}  // namespace
}  // namespace content
