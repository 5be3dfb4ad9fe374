#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace content {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() { UnsetVariables(); }  // whatever who runs the tests has set
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

  // What is read, or what the user is told.
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

  std::string Told(std::vector<const char*> arguments) {
    auto config = Read(std::move(arguments));
    return std::holds_alternative<std::string>(config) ? std::get<std::string>(config) : "";
  }

  int status_ = -1;
};

TEST_F(ConfigTest, ServesOnLoopbackUnlessTold) {
  const Config config = Valid({"serve"});
  EXPECT_EQ(config.command, Config::Command::kServe);
  EXPECT_EQ(config.listen, "127.0.0.1:50051");
  EXPECT_EQ(config.database_url, "");
  EXPECT_EQ(config.drain_timeout, absl::Seconds(30));
  EXPECT_EQ(Valid({"serve", "--listen", "[::]:7"}).listen, "[::]:7");
}

TEST_F(ConfigTest, AVariableSetsWhatNoFlagSets) {
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

// Whoever adds a setting that may hold a secret keeps it out of here.
TEST_F(ConfigTest, TellsEverySettingInEffectButTheDatabaseUrl) {
  SetVariable("CONTENT_READ_CONNECTIONS", "9");
  SetVariable("CONTENT_DATABASE_URL", "postgresql://user:secret@db/x");
  const Config config = Valid({"serve", "--log-level", "debug", "--data-dir=/d"});
  EXPECT_THAT(config.settings,
              ElementsAre(Pair("cache-bytes", "256MiB"), Pair("data-dir", "/d"),
                          Pair("drain-timeout", "30s"), Pair("listen", "127.0.0.1:50051"),
                          Pair("log-format", "auto"), Pair("log-level", "debug"),
                          Pair("max-staleness", "1s"), Pair("notifications", "true"),
                          Pair("queue-limit", "1000"), Pair("read-connections", "9"),
                          Pair("request-retention", "24h"), Pair("stale-if-error", "5m"),
                          Pair("statement-timeout", "10s"), Pair("watch-write-timeout", "30s"),
                          Pair("write-connections", "4")));
}

TEST_F(ConfigTest, RequestsAreKeptForADayUnlessTold) {
  EXPECT_EQ(Valid({"serve"}).request_retention, absl::Hours(24));
  EXPECT_EQ(Valid({"serve", "--request-retention", "720h"}).request_retention, absl::Hours(720));
  EXPECT_THAT(Told({"serve", "--request-retention", "721h"}), HasSubstr("from 1s to 720h"));
  EXPECT_THAT(Told({"serve", "--request-retention", "999ms"}), HasSubstr("--request-retention"));
  SetVariable("CONTENT_REQUEST_RETENTION", "90m");
  EXPECT_EQ(Valid({"serve"}).request_retention, absl::Minutes(90));
}

TEST_F(ConfigTest, BytesComeInUnits) {
  EXPECT_EQ(Valid({"serve"}).cache_bytes, int64_t{256} << 20);
  EXPECT_EQ(Valid({"serve", "--cache-bytes", "1000000"}).cache_bytes, 1'000'000);
  EXPECT_EQ(Valid({"serve", "--cache-bytes=2KiB"}).cache_bytes, 2048);
  EXPECT_EQ(Valid({"serve", "--cache-bytes=1024GiB"}).cache_bytes, int64_t{1} << 40);
  for (const char* wrong : {"--cache-bytes=1025GiB", "--cache-bytes=-1", "--cache-bytes=1.5MiB",
                            "--cache-bytes=1MB", "--cache-bytes=5MiBKiB", "--cache-bytes=lots",
                            "--cache-bytes=MiB", "--cache-bytes=99999999999999999999"}) {
    EXPECT_THAT(Told({"serve", wrong}), HasSubstr("--cache-bytes"));
  }
  SetVariable("CONTENT_CACHE_BYTES", "0");
  EXPECT_EQ(Valid({"serve"}).cache_bytes, 0);
}

TEST_F(ConfigTest, AnswersAreASecondOldUnlessTold) {
  const Config config = Valid({"serve"});
  EXPECT_EQ(config.max_staleness, absl::Seconds(1));
  EXPECT_EQ(config.stale_if_error, absl::Minutes(5));
  EXPECT_TRUE(config.notifications);
  EXPECT_EQ(Valid({"serve", "--stale-if-error=0s"}).stale_if_error, absl::ZeroDuration());
  EXPECT_THAT(Told({"serve", "--max-staleness=0s"}), HasSubstr("--max-staleness"));
  EXPECT_FALSE(Valid({"serve", "--notifications=false"}).notifications);
  EXPECT_THAT(Told({"serve", "--notifications=maybe"}), HasSubstr("--notifications"));
}

TEST_F(ConfigTest, WatchersHaveHalfAMinuteForAMessageUnlessTold) {
  EXPECT_EQ(Valid({"serve"}).watch_write_timeout, absl::Seconds(30));
  EXPECT_EQ(Valid({"serve", "--watch-write-timeout", "2s"}).watch_write_timeout, absl::Seconds(2));
}

TEST_F(ConfigTest, AWrongSettingIsNamed) {
  EXPECT_THAT(Told({"serve", "--listen", "nowhere"}), HasSubstr("--listen"));
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(Told({"serve", "--listen", "host:65536"}), HasSubstr("HOST:PORT"));
  EXPECT_THAT(Told({"serve", "--drain-timeout", "soon"}), HasSubstr("--drain-timeout"));
  EXPECT_THAT(Told({"serve", "--drain-timeout", "-1s"}), HasSubstr("--drain-timeout"));
  EXPECT_THAT(Told({"serve", "--read-connections", "0"}), HasSubstr("--read-connections"));
  EXPECT_THAT(Told({"serve", "--log-level", "loud"}), HasSubstr("--log-level"));
  EXPECT_THAT(Told({"serve", "--unheard-of"}), HasSubstr("--unheard-of"));
  EXPECT_THAT(Told({"dance"}), HasSubstr("dance"));
  EXPECT_NE(Told({}), "");
}

TEST_F(ConfigTest, AWrongVariableIsNamed) {
  SetVariable("CONTENT_LOG_LEVEL", "loud");
  EXPECT_THAT(Told({"serve"}), HasSubstr("log-level"));
  EXPECT_THAT(Told({"import", "a.md"}), HasSubstr("log-level"));
  EXPECT_EQ(Valid({"serve", "--log-level", "error"}).log_level, log::Level::kError);
  EXPECT_EQ(Valid({"serve", "--log-level=error"}).log_level, log::Level::kError);
}

TEST_F(ConfigTest, HelpExplainsEveryCommandAndSucceeds) {
  EXPECT_THAT(Told({"--help"}), HasSubstr("import"));
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(Told({"serve", "--help"}), HasSubstr("CONTENT_LOG_LEVEL"));
  EXPECT_THAT(Told({"import", "--help"}), HasSubstr("front matter"));
  EXPECT_THAT(Told({"--version"}), HasSubstr("0."));
}

TEST_F(ConfigTest, ImportTakesFilesAndWhatTheyDoNotSay) {
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

TEST_F(ConfigTest, AVariableIsNeverTakenForAFile) {
  SetVariable("CONTENT_DATABASE_URL", "postgresql://db/x");
  const Config config = Valid({"import", "--", "a.md"});
  EXPECT_EQ(config.database_url, "postgresql://db/x");
  EXPECT_THAT(config.files, ElementsAre("a.md"));
}

TEST_F(ConfigTest, ATitleIsForOneFile) {
  EXPECT_THAT(Told({"import", "a.txt", "b.txt", "--title", "T"}), HasSubstr("one file"));
  EXPECT_NE(Told({"import"}), "");
}

}  // namespace
}  // namespace content
