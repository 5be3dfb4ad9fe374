#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/memory_guard.h"
#include "content/v1/article.pb.h"

namespace content {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

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
  EXPECT_EQ(config.drain_delay, absl::Seconds(5));
  EXPECT_EQ(config.drain_timeout, absl::Seconds(30));
  EXPECT_EQ(Valid({"serve", "--listen", "[::]:7"}).listen, "[::]:7");
}

TEST_F(ConfigTest, PagesAreShownOnLoopbackElsewhereOrNowhere) {
  EXPECT_EQ(Valid({"serve"}).http_listen, "127.0.0.1:9464");
  EXPECT_EQ(Valid({"serve", "--http-listen", "0.0.0.0:80"}).http_listen, "0.0.0.0:80");
  EXPECT_EQ(Valid({"serve", "--http-listen=unix:/run/x"}).http_listen, "unix:/run/x");
  EXPECT_EQ(Valid({"serve", "--http-listen", "off"}).http_listen, Config::kOff);
  EXPECT_THAT(Printed({"serve", "--http-listen", "9464"}),
              HasSubstr("9464 is neither HOST:PORT nor unix:PATH nor off"));
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
  const auto with_urls =
      Valid({"serve", "--database-url=host=db", "--direct-database-url=host=db"}).settings;
  EXPECT_FALSE(with_urls.contains("database-url"));
  EXPECT_FALSE(with_urls.contains("direct-database-url"));
  const Config config =
      Valid({"serve", "--log-level", "debug", "--data-dir=/d", "--memory-limit=1GiB"});
  EXPECT_THAT(
      config.settings,
      ElementsAre(
          Pair("access-log", "off"), Pair("access-log-sample", "1"), Pair("admin-listen", ""),
          Pair("audit-retention", "9600h"), Pair("cache-bytes", "256MiB"), Pair("data-dir", "/d"),
          Pair("database-connection-lifetime", "30m"), Pair("database-wait", "60s"),
          Pair("drain-delay", "5s"), Pair("drain-timeout", "30s"),
          Pair("forwarded-client-cert", "false"), Pair("http-listen", "127.0.0.1:9464"),
          Pair("insecure", "false"), Pair("jwt", "optional"), Pair("jwt-audience", ""),
          Pair("jwt-issuer", ""), Pair("jwt-jwks-file", ""), Pair("listen", "127.0.0.1:50051"),
          Pair("log-format", "auto"), Pair("log-level", "debug"), Pair("max-connection-age", "1h"),
          Pair("max-staleness", "1s"), Pair("memory-limit", "1GiB"), Pair("notifications", "true"),
          Pair("otlp-endpoint", ""), Pair("policy-file", ""), Pair("queue-limit", "1000"),
          Pair("read-connections", "9"), Pair("report-threshold", "5"),
          Pair("request-retention", "24h"), Pair("slow-call", "1s"), Pair("stale-if-error", "5m"),
          Pair("statement-timeout", "10s"), Pair("tls-cert-file", ""),
          Pair("tls-client-ca-file", ""), Pair("tls-client-cert", "required"),
          Pair("tls-crl-dir", ""), Pair("tls-key-file", ""), Pair("trace-sample", "0"),
          Pair("watch-write-timeout", "30s"), Pair("write-connections", "4")));
}

TEST_F(ConfigTest, LogsNoCallsUnlessItIsTold) {
  const CallLogOptions by_default = Valid({"serve"}).calls;
  EXPECT_EQ(by_default.calls, LoggedCalls::kNone);
  EXPECT_EQ(by_default.slow_call, absl::Seconds(1));
  EXPECT_EQ(by_default.one_in, 1);
  EXPECT_EQ(by_default.trace_share, 0);

  const CallLogOptions calls = Valid({"serve", "--access-log=slow", "--slow-call=200ms",
                                      "--access-log-sample=100", "--trace-sample=0.25"})
                                   .calls;
  EXPECT_EQ(calls.calls, LoggedCalls::kSlow);
  EXPECT_EQ(calls.slow_call, absl::Milliseconds(200));
  EXPECT_EQ(calls.one_in, 100);
  EXPECT_EQ(calls.trace_share, 0.25);
  EXPECT_EQ(Valid({"serve", "--access-log=errors"}).calls.calls, LoggedCalls::kErrors);
  EXPECT_EQ(Valid({"serve", "--access-log=all"}).calls.calls, LoggedCalls::kAll);
  EXPECT_THAT(Printed({"serve", "--access-log=some"}), HasSubstr("--access-log"));
  EXPECT_THAT(Printed({"serve", "--access-log-sample=0"}), HasSubstr("--access-log-sample"));
  EXPECT_THAT(Printed({"serve", "--trace-sample=1.5"}), HasSubstr("--trace-sample"));
}

TEST_F(ConfigTest, SendsTracesIfTheBuildCan) {
  EXPECT_EQ(Valid({"serve"}).otlp_endpoint, "");
  if (!traces::IsOtlpBuilt()) {
    EXPECT_THAT(Printed({"serve", "--otlp-endpoint=http://127.0.0.1:4317"}),
                HasSubstr("this build has no OTLP"));
    return;
  }
  for (const char* const endpoint : {"http://127.0.0.1:4317", "https://collector:4317"}) {
    EXPECT_EQ(Valid({"serve", "--otlp-endpoint", endpoint}).otlp_endpoint, endpoint);
  }
  for (const char* const endpoint :
       {"127.0.0.1:4317", "http://", "http://collector", "ftp://a:1"}) {
    EXPECT_THAT(Printed({"serve", "--otlp-endpoint", endpoint}), HasSubstr("http://HOST:PORT"));
  }
}

TEST_F(ConfigTest, TakesTlsFilesFromFlagsAndVariables) {
  SetVariable("CONTENT_TLS_KEY_FILE", "k.pem");
  const Config config = Valid({"serve", "--tls-cert-file=c.pem", "--tls-client-ca-file=a.pem",
                               "--tls-client-cert=optional", "--tls-crl-dir=crls"});
  EXPECT_EQ(config.tls.cert_file, "c.pem");
  EXPECT_EQ(config.tls.key_file, "k.pem");
  EXPECT_EQ(config.tls.client_ca_file, "a.pem");
  EXPECT_EQ(config.tls.crl_dir, "crls");
  EXPECT_FALSE(config.client_certificate_is_required);
  EXPECT_TRUE(Valid({"serve", "--tls-cert-file=c.pem"}).client_certificate_is_required);
}

// What a script meant to protect must not stand open because it misspelt a variable.
TEST_F(ConfigTest, RefusesSettingsOfAccessThatAreEmpty) {
  for (const std::string flag : {"--policy-file", "--jwt-jwks-file", "--tls-cert-file",
                                 "--tls-client-ca-file", "--tls-crl-dir"}) {
    EXPECT_THAT(Printed({"serve", (flag + "=").c_str()}), HasSubstr(flag + " is empty"));
  }
}

TEST_F(ConfigTest, NeedsIssuerAndAudienceOfTokens) {
  EXPECT_THAT(Printed({"serve", "--jwt-jwks-file=keys.json", "--jwt-issuer=me"}),
              HasSubstr("--jwt-jwks-file needs --jwt-audience"));
  EXPECT_THAT(Printed({"serve", "--jwt=required"}), HasSubstr("--jwt needs --jwt-jwks-file"));
  const Config config = Valid({"serve", "--jwt-jwks-file=keys.json", "--jwt-issuer=me",
                               "--jwt-audience=you", "--jwt=required"});
  EXPECT_EQ(config.jwks_file, "keys.json");
  EXPECT_EQ(config.token_issuer, "me");
  EXPECT_EQ(config.token_audience, "you");
  EXPECT_TRUE(config.token_is_required);
}

TEST_F(ConfigTest, RefusesTlsSettingsThatLackAnother) {
  EXPECT_THAT(Printed({"serve", "--tls-cert-file=c"}),
              StartsWith("contentd: --tls-cert-file needs --tls-key-file\n"));
  EXPECT_THAT(Printed({"serve", "--tls-key-file=k"}), HasSubstr("needs --tls-cert-file"));
  EXPECT_THAT(Printed({"serve", "--tls-client-ca-file=a"}), HasSubstr("needs --tls-cert-file"));
  EXPECT_THAT(Printed({"serve", "--tls-cert-file=c", "--tls-key-file=k", "--tls-crl-dir=d"}),
              HasSubstr("--tls-crl-dir needs --tls-client-ca-file"));
  EXPECT_THAT(Printed({"serve", "--tls-client-cert=optional"}),
              HasSubstr("--tls-client-cert needs --tls-client-ca-file"));
  EXPECT_EQ(status_, 2);
  SetVariable("CONTENT_TLS_CERT_FILE", "c");
  EXPECT_THAT(Printed({"serve"}), HasSubstr("CONTENT_TLS_CERT_FILE needs --tls-key-file"));
  EXPECT_EQ(Valid({"migrate"}).tls.cert_file, "");
}

TEST_F(ConfigTest, TakesNoLifetimeOfConnectionsUnderASecondButZero) {
  for (const char* flag : {"--database-connection-lifetime", "--max-connection-age"}) {
    for (const char* too_short : {"1ns", "999ms"}) {
      EXPECT_THAT(Printed({"serve", flag, too_short}),
                  HasSubstr("is not a duration such as 30s (0, or 1s to 24h)"));
      EXPECT_EQ(status_, 2);
    }
    Valid({"serve", flag, "1s"});
  }
  const Config off =
      Valid({"serve", "--database-connection-lifetime=0", "--max-connection-age=0s"});
  EXPECT_EQ(off.connection_lifetime, absl::ZeroDuration());
  EXPECT_EQ(off.max_connection_age, absl::ZeroDuration());
}

TEST_F(ConfigTest, IsInsecureOnlyOnRequestAndWithoutTls) {
  EXPECT_FALSE(Valid({"serve"}).insecure);
  EXPECT_TRUE(Valid({"serve", "--insecure"}).insecure);
  EXPECT_THAT(Printed({"serve", "--insecure", "--tls-cert-file=c", "--tls-key-file=k"}),
              HasSubstr("--insecure and --tls-cert-file contradict each other"));
  SetVariable("CONTENT_INSECURE", "true");
  EXPECT_TRUE(Valid({"serve"}).insecure);
  SetVariable("CONTENT_INSECURE", "false");
  EXPECT_FALSE(Valid({"serve"}).insecure);
  EXPECT_TRUE(Valid({"serve", "--insecure"}).insecure);
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

TEST_F(ConfigTest, TheMemoryLimitIsByDefaultNineTenthsOfTheControlGroups) {
  EXPECT_EQ(Valid({"serve"}).memory_limit, ReadMemoryLimit().value_or(0) / 10 * 9);
  EXPECT_EQ(Valid({"serve", "--memory-limit=0"}).memory_limit, 0);
  SetVariable("CONTENT_MEMORY_LIMIT", "1GiB");
  EXPECT_EQ(Valid({"serve"}).memory_limit, 1 << 30);
}

TEST_F(ConfigTest, EachCommandListsItsOwnSettings) {
  EXPECT_THAT(Valid({"migrate", "--data-dir=/d"}).settings,
              ElementsAre(Pair("data-dir", "/d"), Pair("log-format", "auto"),
                          Pair("log-level", "warning")));
}

TEST_F(ConfigTest, APolicyIsAskedAboutACall) {
  SetVariable("CONTENT_LOG_LEVEL", "loud");  // for others
  const Config config =
      Valid({"policy", "check", "p.yaml", "jwt:alice", "ContentService/GetArticle"});
  EXPECT_EQ(config.command, Config::Command::kCheckPolicy);
  EXPECT_EQ(config.policy_question.file, "p.yaml");
  EXPECT_EQ(config.policy_question.caller, "jwt:alice");
  EXPECT_EQ(config.policy_question.method, "ContentService/GetArticle");
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"policy"}, {"policy", "chekc"}, {"policy", "check", "p.yaml", "jwt:alice"}}) {
    EXPECT_THAT(Printed(arguments), HasSubstr("Try `contentd policy --help`"));
    EXPECT_EQ(status_, 2);
  }
  EXPECT_THAT(Printed({"policy", "check", "--help"}),
              AllOf(HasSubstr("Usage: contentd policy check [OPTION...] FILE CALLER METHOD"),
                    HasSubstr("Exit status: 0 if the call is allowed")));
  EXPECT_THAT(Printed({"policy", "--help"}), HasSubstr("\n  check  "));
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

TEST_F(ConfigTest, TheAuditTrailIsKeptForDaysOrForEver) {
  EXPECT_EQ(Valid({"serve"}).audit_retention, absl::Hours(400 * 24));
  EXPECT_EQ(Valid({"serve", "--audit-retention", "24h"}).audit_retention, absl::Hours(24));
  EXPECT_EQ(Valid({"serve", "--audit-retention", "0"}).audit_retention, absl::ZeroDuration());
  for (const char* const wrong : {"23h", "1s", "-24h", "876001h", "400"}) {
    EXPECT_THAT(Printed({"serve", "--audit-retention", wrong}), HasSubstr("(0, or 24h to 876000h)"))
        << wrong;
  }
}

TEST_F(ConfigTest, RequestsAreRememberedForADayByDefault) {
  EXPECT_EQ(Valid({"serve"}).request_retention, absl::Hours(24));
  EXPECT_EQ(Valid({"serve", "--request-retention", "720h"}).request_retention, absl::Hours(720));
  EXPECT_THAT(Printed({"serve", "--request-retention", "721h"}), HasSubstr("(1s to 720h)"));
  EXPECT_THAT(Printed({"serve", "--request-retention", "999ms"}), HasSubstr("--request-retention"));
  SetVariable("CONTENT_REQUEST_RETENTION", "90m");
  EXPECT_EQ(Valid({"serve"}).request_retention, absl::Minutes(90));
}

TEST_F(ConfigTest, ReportsNeedNotHideAComment) {
  EXPECT_EQ(Valid({"serve"}).report_threshold, 5);
  EXPECT_EQ(Valid({"serve", "--report-threshold", "0"}).report_threshold, 0);
  EXPECT_THAT(Printed({"serve", "--report-threshold", "-1"}), HasSubstr("--report-threshold"));
  EXPECT_THAT(Printed({"serve", "--queue-limit", "0"}), HasSubstr("--queue-limit"));
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
  EXPECT_EQ(Valid({"serve", "--drain-delay=0s"}).drain_delay, absl::ZeroDuration());
  EXPECT_EQ(Valid({"serve", "--drain-timeout=250ms"}).drain_timeout, absl::Milliseconds(250));
  for (const char* wrong : {"--drain-timeout=30", "--drain-timeout=24h1ms", "--drain-timeout=999us",
                            "--drain-timeout=inf"}) {
    EXPECT_THAT(Printed({"serve", wrong}), HasSubstr("is not a duration such as 30s (1ms to 24h)"))
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
  EXPECT_EQ(Valid({"serve"}).max_connection_age, absl::Hours(1));
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
  EXPECT_EQ(Printed({"serve"}),
            "contentd: CONTENT_LOG_LEVEL: loud not in {debug,info,warning,error}\n"
            "Try `contentd serve --help`.\n");
  EXPECT_THAT(Printed({"import", "a.md"}), HasSubstr("CONTENT_LOG_LEVEL: "));
  EXPECT_EQ(Valid({"serve", "--log-level", "error"}).log_level, log::Level::kError);
  EXPECT_EQ(Valid({"serve", "--log-level=error"}).log_level, log::Level::kError);
}

const std::vector<std::vector<const char*>>& HelpCalls() {
  static const auto* const calls =
      new std::vector<std::vector<const char*>>{{"--help"},
                                                {"serve", "--help"},
                                                {"migrate", "--help"},
                                                {"import", "--help"},
                                                {"export", "--help"},
                                                {"backup", "--help"},
                                                {"restore", "--help"},
                                                {"policy", "--help"},
                                                {"policy", "check", "--help"}};
  return *calls;
}

// `text` with a single space for each run of spaces and line ends.
std::string Unwrapped(absl::string_view text) {
  return absl::StrJoin(absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty()), " ");
}

TEST_F(ConfigTest, HelpDescribesEveryCommandAndSucceeds) {
  EXPECT_THAT(
      Printed({"--help"}),
      AllOf(HasSubstr("  serve                       Serve articles and comments"),
            HasSubstr("  migrate                     Bring the schema"),
            HasSubstr("  import                      Publish articles from files and folders.\n"),
            HasSubstr(
                "  export                      Write articles and comments to a file or folder.\n"),
            HasSubstr("  backup                      Write a backup"),
            HasSubstr("  restore                     Restore the embedded database")));
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(Printed({"serve", "--help"}), HasSubstr("CONTENT_LOG_LEVEL"));
  EXPECT_THAT(Printed({"import", "--help"}),
              HasSubstr("Usage: contentd import [OPTION...] PATH..."));
  EXPECT_THAT(Printed({"import", "--help"}), HasSubstr("\n  --dry-run  "));
}

TEST_F(ConfigTest, TheVersionIsPrintedWithTheSchemaThatItNeeds) {
  EXPECT_THAT(Printed({"--version"}),
              MatchesRegex("contentd " CONTENT_VERSION " \\(schema [0-9]+\\)\n"));
  EXPECT_EQ(status_, 0);
}

TEST_F(ConfigTest, HelpSaysTheRangesUnitsAndExitStatuses) {
  const std::string help = Unwrapped(Printed({"serve", "--help"}));
  EXPECT_THAT(help, HasSubstr("--read-connections N [4]"));
  EXPECT_THAT(help, HasSubstr("(1 to 40)"));
  EXPECT_THAT(help, HasSubstr("(1ms to 24h)"));
  EXPECT_THAT(help, HasSubstr("(0 to 1024GiB)"));
  EXPECT_THAT(help, HasSubstr("(debug, info, warning, error)"));
  EXPECT_THAT(help, HasSubstr("500ms, 30s, 1h30m"));
  for (const char* command : {"serve", "migrate", "import", "export", "backup", "restore"}) {
    EXPECT_THAT(Printed({command, "--help"}),
                AllOf(HasSubstr("Exit status: 0"), HasSubstr("Examples:\n  ")))
        << command;
  }
}

TEST_F(ConfigTest, HelpHasNoTextOfTheLibrary) {
  for (const auto& arguments : HelpCalls()) {
    const std::string help = Printed(arguments);
    for (const char* text :
         {"REQUIRED", "Positionals", "OPTIONS", ":INT", ":TEXT", " in [", " in {",
          "message and exit", "program version", "\n\n\n", "  \n", " \n"}) {
      EXPECT_THAT(help, Not(HasSubstr(text)));
    }
    EXPECT_THAT(help, Not(StartsWith("\n")));
    // Nothing points to itself.
    if (arguments.size() > 1) {
      EXPECT_THAT(help, Not(HasSubstr(absl::StrCat(arguments[0], " --help"))));
    }
  }
}

TEST_F(ConfigTest, HelpFitsIntoEightyColumns) {
  // A path has no space at which it could be wrapped.
  setenv("XDG_DATA_HOME", "/d", 1);
  for (const auto& arguments : HelpCalls()) {
    for (const absl::string_view line : absl::StrSplit(Printed(arguments), '\n')) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
  unsetenv("XDG_DATA_HOME");
}

// The lines of `help` between two lines of `  ---`, and the text after them, as a file.
std::string SampleFile(const std::string& help) {
  const std::vector<std::string> parts = absl::StrSplit(help, "\n  ---\n");
  EXPECT_EQ(parts.size(), 3U) << help;
  if (parts.size() != 3) return "";
  const std::string text = parts[2].substr(0, parts[2].find("\n\n"));
  return absl::StrReplaceAll(absl::StrCat("  ---\n", parts[1], "\n  ---\n", text, "\n"),
                             {{"\n  ", "\n"}})
      .substr(2);
}

// So that a new field of articles is neither forgotten by import nor left out of its help.
TEST_F(ConfigTest, TheSampleInTheHelpOfImportSetsEveryFieldThatAFileCanSet) {
  // Computed by the server, or not set by files.
  const std::set<std::string> not_in_files = {
      "update_time", "sections", "word_count", "comment_count", "revision", "etag", "source_uri"};
  const std::string sample = SampleFile(Printed({"import", "--help"}));
  const auto parsed = transfer::Parse(sample, transfer::Format::kMarkdown, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << sample;
  EXPECT_THAT(parsed->ignored_keys, ElementsAre());
  const auto* const fields = v1::Article::descriptor();
  std::vector<const google::protobuf::FieldDescriptor*> set;
  parsed->article.GetReflection()->ListFields(parsed->article, &set);
  for (int i = 0; i < fields->field_count(); ++i) {
    if (not_in_files.contains(fields->field(i)->name())) continue;
    EXPECT_THAT(set, Contains(fields->field(i)))
        << "import drops the field " << fields->field(i)->name()
        << ": read its key in transfer/markdown/markdown.cc and show it in kImportFooter "
           "(config.cc), or "
           "add "
           "it to not_in_files here";
  }
}

TEST_F(ConfigTest, ImportTakesFilesAndOverrides) {
  const Config config =
      Valid({"import", "a.txt", "--title", "T", "--id", "t", "--format", "markdown", "--dry-run"});
  EXPECT_EQ(config.command, Config::Command::kImport);
  EXPECT_THAT(config.paths, ElementsAre("a.txt"));
  EXPECT_EQ(config.overrides.title, "T");
  EXPECT_EQ(config.overrides.id, "t");
  EXPECT_EQ(std::get<transfer::Format>(config.format.value()), transfer::Format::kMarkdown);
  EXPECT_TRUE(config.dry_run);
  EXPECT_FALSE(Valid({"import", "a", "b"}).format.has_value());
}

TEST_F(ConfigTest, ExportTakesAPlaceAFormatAndFilters) {
  const transfer::OutputOptions all = Valid({"export"}).exporting;
  EXPECT_EQ(all.output, "-");
  EXPECT_EQ(all.format, transfer::OutputFormat::kNdjson);
  EXPECT_EQ(all.query.published_after, absl::InfinitePast());

  const Config config =
      Valid({"export", "--format", "markdown", "--output", "posts", "--author", "Ana", "--tag",
             "e\u0301", "--since", "2025-06-12", "--until=2025-06-13T08:30:00+02:00"});
  EXPECT_EQ(config.command, Config::Command::kExport);
  EXPECT_EQ(config.exporting.output, "posts");
  EXPECT_EQ(config.exporting.format, transfer::OutputFormat::kMarkdown);
  EXPECT_EQ(config.exporting.query.author, "Ana");
  EXPECT_EQ(config.exporting.query.tag, "\u00e9") << "in normal form, as it is stored";
  const absl::CivilSecond until(2025, 6, 13, 6, 30, 0);
  EXPECT_EQ(config.exporting.query.published_after,
            absl::FromCivil(absl::CivilDay(2025, 6, 12), absl::UTCTimeZone()));
  EXPECT_EQ(config.exporting.query.published_before, absl::FromCivil(until, absl::UTCTimeZone()));
  EXPECT_EQ(Valid({"export", "--article", "a"}).exporting.query.article_id, "a");
}

TEST_F(ConfigTest, ExportRefusesWhatMakesNoSense) {
  EXPECT_THAT(Printed({"export", "--format", "markdown"}), HasSubstr("needs --output"));
  EXPECT_THAT(Printed({"export", "--article", "a", "--tag", "t"}), HasSubstr("no other filter"));
  EXPECT_THAT(Printed({"export", "--article", "A B"}), HasSubstr("--article"));
  EXPECT_THAT(Printed({"export", "--since", "soon"}), HasSubstr("is not a time"));
  for (const char* filter : {"--article", "--author", "--tag", "--since", "--until"}) {
    EXPECT_THAT(Printed({"export", filter, ""}), HasSubstr(filter)) << "no filter at all";
  }
  EXPECT_THAT(Printed({"export", "--tag", "\xff"}), HasSubstr("UTF-8"));
}

// Whoever gives a directory, and has a URL in the environment, means one of them; which one cannot
// be known.
TEST_F(ConfigTest, TwoAnswersToWhichDatabaseAreRefused) {
  const auto refused = [](const char* first, const char* second) {
    return AllOf(StartsWith(absl::StrCat("contentd: ", first, " and ", second, " name two")),
                 Not(HasSubstr("secret")));
  };
  constexpr char kUrl[] = "--database-url=postgresql://me:secret@db/x";
  for (const char* command : {"serve", "migrate", "import"}) {
    std::vector<const char*> given = {command};
    if (absl::string_view(command) == "import") given.push_back("a.md");
    const auto with = [&given](std::initializer_list<const char*> more) {
      std::vector<const char*> arguments = given;
      arguments.insert(arguments.end(), more);
      return arguments;
    };
    EXPECT_THAT(Printed(with({kUrl, "--data-dir=/d"})), refused("--database-url", "--data-dir"));
    EXPECT_EQ(status_, 2);
    SetVariable("CONTENT_DATABASE_URL", "postgresql://me:secret@db/x");
    EXPECT_THAT(Printed(with({"--data-dir", "/d"})), refused("CONTENT_DATABASE_URL", "--data-dir"));
    EXPECT_EQ(Valid(with({})).database_url_source, "CONTENT_DATABASE_URL");
    // An empty flag overrides its variable.
    const Config config = Valid(with({"--database-url=", "--data-dir=/d"}));
    EXPECT_EQ(config.database_url, "");
    EXPECT_EQ(config.data_dir, "/d");
    SetVariable("CONTENT_DATA_DIR", "/d");
    EXPECT_THAT(Printed(with({})), refused("CONTENT_DATABASE_URL", "CONTENT_DATA_DIR"));
    unsetenv("CONTENT_DATABASE_URL");
    EXPECT_THAT(Printed(with({kUrl})), refused("--database-url", "CONTENT_DATA_DIR"));
    EXPECT_EQ(Valid(with({})).data_dir, "/d");
    unsetenv("CONTENT_DATA_DIR");
    EXPECT_EQ(Valid(with({kUrl})).database_url_source, "--database-url");
  }
}

TEST_F(ConfigTest, ABackupIsOfOneFile) {
  const Config config = Valid({"backup", "--data-dir=/d", "content.dump"});
  EXPECT_EQ(config.command, Config::Command::kBackup);
  EXPECT_EQ(config.data_dir, "/d");
  EXPECT_EQ(config.backup_file, "content.dump");
  EXPECT_FALSE(config.may_overwrite);
  EXPECT_EQ(config.log_level, log::Level::kWarning);
  EXPECT_TRUE(Valid({"backup", "--force", "content.dump"}).may_overwrite);
  EXPECT_EQ(Valid({"backup", "-"}).backup_file, Config::kStandardStream);
  EXPECT_THAT(Printed({"backup"}), HasSubstr("FILE"));
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(Printed({"backup", "a", "b"}), HasSubstr("was not expected"));
}

TEST_F(ConfigTest, ARestoreReplacesOnlyWhatItIsTold) {
  const Config config = Valid({"restore", "--data-dir=/d", "content.dump"});
  EXPECT_EQ(config.command, Config::Command::kRestore);
  EXPECT_EQ(config.data_dir, "/d");
  EXPECT_EQ(config.backup_file, "content.dump");
  EXPECT_FALSE(config.may_replace);
  EXPECT_TRUE(Valid({"restore", "--replace", "-"}).may_replace);
  EXPECT_THAT(Printed({"restore"}), HasSubstr("FILE"));
  EXPECT_THAT(Printed({"restore", "--force", "a"}), HasSubstr("--force was not expected"));
}

TEST_F(ConfigTest, OnlyTheEmbeddedDatabaseIsBackedUpAndRestored) {
  for (const char* command : {"backup", "restore"}) {
    const auto refused = [](const char* source) {
      return AllOf(StartsWith(absl::StrCat("contentd: ", source, " names a database of your own")),
                   HasSubstr("pg_dump"), HasSubstr("OPERATING.md"), Not(HasSubstr("secret")));
    };
    constexpr char kUrl[] = "postgresql://me:secret@db/x";
    EXPECT_THAT(Printed({command, "--database-url", kUrl, "a"}), refused("--database-url"));
    EXPECT_EQ(status_, 2);
    SetVariable("CONTENT_DATABASE_URL", kUrl);
    EXPECT_THAT(Printed({command, "a"}), refused("CONTENT_DATABASE_URL"));
    EXPECT_THAT(Printed({command, "--data-dir=/d", "a"}), refused("CONTENT_DATABASE_URL"));
    EXPECT_EQ(Valid({command, "--database-url=", "--data-dir=/d", "a"}).data_dir, "/d");
    unsetenv("CONTENT_DATABASE_URL");
    for (const char* file : {kUrl, "password=secret"}) {
      EXPECT_THAT(Printed({command, file}),
                  AllOf(HasSubstr("looks like a database URL"), Not(HasSubstr("secret"))));
    }
    EXPECT_EQ(Valid({command, "db@2024-05-01.dump"}).backup_file, "db@2024-05-01.dump");
    EXPECT_THAT(Printed({command, ""}), HasSubstr("FILE is empty"));
  }
}

TEST_F(ConfigTest, ADirectUrlNeedsTheUrlOfTheSameDatabase) {
  for (const char* command : {"serve", "migrate"}) {
    EXPECT_THAT(Printed({command, "--direct-database-url=postgresql://me:secret@db/x"}),
                AllOf(StartsWith("contentd: --direct-database-url needs --database-url"),
                      Not(HasSubstr("secret"))));
    EXPECT_EQ(status_, 2);
    SetVariable("CONTENT_DIRECT_DATABASE_URL", "postgresql://me:secret@db/x");
    EXPECT_THAT(Printed({command, "--data-dir=/d"}), StartsWith("contentd: CONTENT_DIRECT_"));
    const Config config = Valid({command, "--database-url=host=db"});
    EXPECT_EQ(config.direct_database_url, "postgresql://me:secret@db/x");
    EXPECT_EQ(config.direct_database_url_source, "CONTENT_DIRECT_DATABASE_URL");
    unsetenv("CONTENT_DIRECT_DATABASE_URL");
    EXPECT_EQ(Valid({command, "--database-url=host=db"}).direct_database_url, "");
  }
}

TEST_F(ConfigTest, UnknownVariablesAreListedWithWhatWasProbablyMeant) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  const auto unknown = [this](std::vector<const char*> arguments) {
    Pairs pairs;
    for (const UnknownVariable& variable : Valid(std::move(arguments)).unknown_variables) {
      pairs.emplace_back(variable.name, variable.suggestion);
    }
    return pairs;
  };
  SetVariable("CONTENT_LOG_LEVL", "debug");
  SetVariable("CONTENT_DATABASE", "x");
  SetVariable("CONTENT_QUX", "");
  SetVariable("CONTENTD_LISTEN", "x");
  const Pairs expected = {{"CONTENTD_LISTEN", "CONTENT_LISTEN"},
                          {"CONTENT_DATABASE", ""},
                          {"CONTENT_LOG_LEVL", "CONTENT_LOG_LEVEL"},
                          {"CONTENT_QUX", ""}};
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"serve"}, {"migrate"}, {"import", "a.md"}}) {
    EXPECT_EQ(unknown(arguments), expected) << arguments.front();
  }
  unsetenv("CONTENTD_LISTEN");
}

TEST_F(ConfigTest, VariablesOfOtherCommandsAndOfOtherProgramsAreKnown) {
  // A setting of serve, those of docker-compose.yml, and those that Kubernetes sets for a service.
  for (const char* name :
       {"CONTENT_LISTEN", "CONTENT_PORT", "CONTENT_DB_PASSWORD", "CONTENT_SERVICE_HOST",
        "CONTENT_SERVICE_PORT", "CONTENT_SERVICE_PORT_GRPC", "CONTENT_SERVICE_SERVICE_HOST",
        "CONTENT_PORT_50051_TCP_ADDR"}) {
    SetVariable(name, "x:1");
  }
  EXPECT_TRUE(Valid({"migrate"}).unknown_variables.empty());
  EXPECT_TRUE(Valid({"import", "a.md"}).unknown_variables.empty());
}

TEST_F(ConfigTest, APartOfADatabaseUrlIsNoFile) {
  for (const char* part : {"password=secret", "postgresql://me:secret@db/x", "secret@db/x"}) {
    EXPECT_THAT(Printed({"import", "--database-url", "host=db", part, "a.md"}),
                AllOf(HasSubstr("looks like a part of a database URL"), Not(HasSubstr("secret"))));
    EXPECT_EQ(status_, 2);
  }
}

TEST_F(ConfigTest, ABadIdIsNamedByItsFlag) {
  EXPECT_THAT(Printed({"import", "a.md", "--id", "Bad Id"}),
              StartsWith("contentd: --id: \"Bad Id\" is not 1 to 63 lower-case letters"));
  EXPECT_EQ(status_, 2);
}

TEST_F(ConfigTest, AnEmptyFlagMeansTheDefaultAndTakesNoOtherWord) {
  SetVariable("CONTENT_LOG_LEVEL", "debug");
  const Config config =
      Valid({"import", "--id=", "--title=", "--log-level=", "--data-dir=", "a.md"});
  EXPECT_THAT(config.paths, ElementsAre("a.md"));
  EXPECT_EQ(config.overrides.id, "");
  EXPECT_EQ(config.overrides.title, "");
  EXPECT_EQ(config.log_level, log::Level::kWarning);
  EXPECT_EQ(config.data_dir, Valid({"import", "a.md"}).data_dir);
}

TEST_F(ConfigTest, AVariableIsNeverReadAsAFile) {
  SetVariable("CONTENT_DATABASE_URL", "postgresql://db/x");
  const Config config = Valid({"import", "--", "a.md"});
  EXPECT_EQ(config.database_url, "postgresql://db/x");
  EXPECT_THAT(config.paths, ElementsAre("a.md"));
}

TEST_F(ConfigTest, ATitleIsForOneFile) {
  EXPECT_THAT(Printed({"import", "a.txt", "b.txt", "--title", "T"}), HasSubstr("a single file"));
  EXPECT_THAT(Printed({"import", "a.txt", "b.txt", "--id", "t"}), HasSubstr("a single file"));
  EXPECT_NE(Printed({"import"}), "");
}

}  // namespace
}  // namespace content
