#include "config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace content {
namespace {

constexpr char kDescription[] =
    "Articles and their comments over gRPC, kept in PostgreSQL.\n\n"
    "To try it: `contentd serve` runs a private database under the data directory;\n"
    "`contentd import FILE` puts articles in, also while the server runs;\n"
    "`grpcurl -plaintext localhost:50051 list` shows what it serves.\n";

constexpr char kFooter[] = "`contentd COMMAND --help` explains a command and its settings.\n";

// Options that can be given as variables too; also their heading in the help.
constexpr char kSettings[] =
    "Settings, each also as a variable (--log-level is CONTENT_LOG_LEVEL); a flag wins";

// The one setting that may hold a secret.
constexpr char kDatabaseUrl[] = "--database-url";

// A directory of the user's own; root's would be out of reach for the user that the database runs
// as.
std::string DefaultDataDir() {
  if (geteuid() == 0) return "/var/lib/contentd";
  if (const char* data_home = std::getenv("XDG_DATA_HOME"); data_home != nullptr && *data_home) {
    return absl::StrCat(data_home, "/contentd");
  }
  const char* const home = std::getenv("HOME");
  return absl::StrCat(home != nullptr ? home : ".", "/.local/share/contentd");
}

// For reads and for writes each: both together leave room among the embedded database's 100.
constexpr int kMostConnections = 40;

template <class T>
using Choices = std::vector<std::pair<std::string, T>>;

// `choice` is a T or may be one.
template <class T, class Choice>
CLI::Option* AddChoice(CLI::App& app, const std::string& flag, Choice& choice,
                       const Choices<T>& choices, const std::string& help) {
  std::vector<std::string> names;
  for (const auto& [name, meaning] : choices) names.push_back(name);
  const auto check = [names](const std::string& value) -> std::string {
    if (std::find(names.begin(), names.end(), value) != names.end()) return "";
    return absl::StrCat(value, " is none of ", absl::StrJoin(names, ", "));
  };
  const auto parse = [&choice, choices](const CLI::results_t& values) {
    for (const auto& [name, meaning] : choices) {
      if (name == values.back()) choice = meaning;
    }
    return true;
  };
  return app.add_option(flag, parse, help)->check(CLI::Validator(check, absl::StrJoin(names, "|")));
}

struct DurationRange {
  absl::Duration least;
  absl::Duration most;
};

CLI::Option* AddDuration(CLI::App& app, const std::string& flag, absl::Duration& duration,
                         const std::string& initial, const std::string& help,
                         const DurationRange& range = {absl::Milliseconds(1), absl::Hours(24)}) {
  absl::ParseDuration(initial, &duration);
  const auto check = [range](const std::string& text) -> std::string {
    absl::Duration given;
    const bool valid =
        absl::ParseDuration(text, &given) && given >= range.least && given <= range.most;
    if (valid) return "";
    return absl::StrCat(text, " is not a duration such as 30s, from ",
                        absl::FormatDuration(range.least), " to ",
                        absl::FormatDuration(range.most));
  };
  const auto parse = [&duration](const CLI::results_t& values) {
    return absl::ParseDuration(values.back(), &duration);
  };
  return app.add_option(flag, parse, help)
      ->check(CLI::Validator(check, ""))
      ->type_name("DURATION")
      ->default_str(initial);
}

// A number of bytes, as such or in larger units; nothing if it is none.
std::optional<int64_t> ParseBytes(absl::string_view text) {
  const std::pair<absl::string_view, int> units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
  int shift = 0;
  for (const auto& [unit, bits] : units) {
    if (shift == 0 && absl::ConsumeSuffix(&text, unit)) shift = bits;
  }
  constexpr int64_t kMost = int64_t{1} << 40;
  int64_t count = 0;
  if (!absl::SimpleAtoi(text, &count) || count < 0 || count > kMost >> shift) return std::nullopt;
  return count << shift;
}

CLI::Option* AddBytes(CLI::App& app, const std::string& flag, int64_t& bytes,
                      const std::string& initial, const std::string& help) {
  bytes = *ParseBytes(initial);
  const auto check = [](const std::string& text) -> std::string {
    return ParseBytes(text) ? "" : text + " is not a number of bytes such as 256MiB, up to 1024GiB";
  };
  const auto parse = [&bytes](const CLI::results_t& values) {
    bytes = ParseBytes(values.back()).value_or(0);
    return true;
  };
  return app.add_option(flag, parse, help)
      ->check(CLI::Validator(check, ""))
      ->type_name("BYTES")
      ->default_str(initial);
}

std::string CheckListen(const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  const bool valid = colon != std::string::npos && colon > 0 &&
                     absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 0 &&
                     port <= 65535;
  return valid ? "" : address + " is not HOST:PORT";
}

void AddLogOptions(CLI::App& app, Config& config, const std::string& initial_level) {
  const Choices<log::Level> levels = {{"debug", log::Level::kDebug},
                                      {"info", log::Level::kInfo},
                                      {"warning", log::Level::kWarning},
                                      {"error", log::Level::kError}};
  const Choices<log::Format> formats = {
      {"auto", log::Format::kAuto}, {"text", log::Format::kText}, {"json", log::Format::kJson}};
  AddChoice(app, "--log-level", config.log_level, levels, "Log nothing less serious than this")
      ->type_name("LEVEL")
      ->default_str(initial_level)
      ->group(kSettings);
  AddChoice(app, "--log-format", config.log_format, formats,
            "Lines for people, JSON, or (auto) whichever fits where standard error goes")
      ->type_name("FORMAT")
      ->default_str("auto")
      ->group(kSettings);
}

// Unless asked otherwise; the one-shot commands say what they did on standard output.
void LogWarningsOnly(const CLI::App& app, Config& config) {
  if (app.get_option("--log-level")->empty()) config.log_level = log::Level::kWarning;
}

void AddDatabaseOptions(CLI::App& app, Config& config) {
  app.add_option(kDatabaseUrl, config.database_url,
                 "PostgreSQL to use, as a URI or libpq keywords; without it an embedded one runs "
                 "under the data directory. Prefer the variable if it holds a password")
      ->type_name("URL")
      ->group(kSettings);
  config.data_dir = DefaultDataDir();
  app.add_option("--data-dir", config.data_dir, "Where the embedded database lives")
      ->type_name("DIR")
      ->group(kSettings)
      ->capture_default_str();
}

void AddServe(CLI::App& app, Config& config) {
  CLI::App& serve = *app.add_subcommand("serve", "Serve articles and comments over gRPC");
  serve.callback([&config] { config.command = Config::Command::kServe; });
  config.listen = "127.0.0.1:50051";
  serve.add_option("--listen", config.listen, "Address to listen on; port 0 takes a free one")
      ->type_name("HOST:PORT")
      ->check(CheckListen)
      ->group(kSettings)
      ->capture_default_str();
  AddDatabaseOptions(serve, config);
  AddDuration(serve, "--drain-timeout", config.drain_timeout, "30s",
              "How long calls in flight may go on after SIGTERM or SIGINT")
      ->group(kSettings);
  const auto add_count = [&serve](const char* flag, int& value, int initial, int most,
                                  const char* help) {
    value = initial;
    serve.add_option(flag, value, help)
        ->check(CLI::Range(1, most))
        ->type_name("N")
        ->group(kSettings)
        ->capture_default_str();
  };
  add_count("--read-connections", config.read_connections, 4, kMostConnections,
            "Connections for reads");
  add_count(
      "--write-connections", config.write_connections, 4, kMostConnections,
      "Connections for comments: two at most commit them in groups; the others do what waits for "
      "an article that somebody has locked, and EraseAuthor and VerifyCounters");
  add_count(
      "--queue-limit", config.queue_limit, 1000, 1'000'000,
      "Calls that may wait for a connection to read, and as many to write; more are refused at "
      "once. An article of BatchGetArticles for which the database is asked counts as a call");
  AddDuration(serve, "--statement-timeout", config.statement_timeout, "10s",
              "No statement in the database runs longer")
      ->group(kSettings);
  const Choices<bool> yes_or_no = {{"true", true}, {"false", false}};
  AddChoice(serve, "--notifications", config.notifications, yes_or_no,
            "Whether servers on one database tell each other of changes by NOTIFY; without it "
            "changes by others show within --max-staleness")
      ->type_name("BOOL")
      ->default_str("true")
      ->group(kSettings);
  AddBytes(serve, "--cache-bytes", config.cache_bytes, "256MiB",
           "Memory for articles and pages of comments that are read often; 0: none is kept")
      ->group(kSettings);
  AddDuration(serve, "--max-staleness", config.max_staleness, "1s",
              "No answer from memory is older, unless the database cannot be asked")
      ->group(kSettings);
  AddDuration(
      serve, "--stale-if-error", config.stale_if_error, "5m",
      "How much older an answer may be, marked as stale, while the database cannot be asked",
      {absl::ZeroDuration(), absl::Hours(24)})
      ->group(kSettings);
  AddDuration(serve, "--watch-write-timeout", config.watch_write_timeout, "30s",
              "How long a watcher may take over one message before its watch ends")
      ->group(kSettings);
  AddDuration(serve, "--request-retention", config.request_retention, "24h",
              "How long a request_id is kept: so long a repeated write is recognised",
              {absl::Seconds(1), absl::Hours(720)})
      ->group(kSettings);
  AddLogOptions(serve, config, "info");
}

void AddMigrate(CLI::App& app, Config& config) {
  CLI::App& migrate =
      *app.add_subcommand("migrate", "Bring the database's schema to this version's");
  AddDatabaseOptions(migrate, config);
  AddLogOptions(migrate, config, "warning");
  migrate.callback([&migrate, &config] {
    config.command = Config::Command::kMigrate;
    LogWarningsOnly(migrate, config);
  });
}

void AddImport(CLI::App& app, Config& config) {
  CLI::App& command = *app.add_subcommand("import", "Publish articles from files");
  command.footer(
      "Text: a page saved as text: a byline (By ...), a date line (Thursday, June 12, 2025),\n"
      "wrapped paragraphs, *** between sections. Its title is given by --title.\n"
      "Markdown: CommonMark after YAML front matter (title, authors, date, tags, summary,\n"
      "language, slug).\n"
      "Importing again what is there already changes nothing. Exit status 0 if every file is in,\n"
      "1 if not; a bad file does not keep the others out.\n");
  command.add_option("FILE", config.files, "Files to import")->required();
  command.add_option("--title", config.overrides.title, "Title of the article (one file only)");
  command.add_option("--id", config.overrides.id,
                     "Id of the article, which it replaces if it is there (one file only); without "
                     "it the id is made from the title and nothing is replaced");
  const Choices<importer::Format> formats = {{"text", importer::Format::kText},
                                             {"markdown", importer::Format::kMarkdown}};
  AddChoice(command, "--format", config.format, formats,
            "Without it: markdown for .md and .markdown, else text")
      ->type_name("FORMAT");
  command.add_flag("--dry-run", config.dry_run, "Only say what would be imported");
  AddDatabaseOptions(command, config);
  AddLogOptions(command, config, "warning");
  command.callback([&command, &config] {
    config.command = Config::Command::kImport;
    LogWarningsOnly(command, config);
    const bool overridden = !config.overrides.title.empty() || !config.overrides.id.empty();
    if (overridden && config.files.size() > 1) {
      throw CLI::ValidationError("--title and --id", "are for one file, not several");
    }
  });
}

// CONTENT_LOG_LEVEL for --log-level.
std::string VariableOf(absl::string_view flag) {
  const std::string name = absl::StrReplaceAll(absl::StripPrefix(flag, "--"), {{"-", "_"}});
  return absl::StrCat("CONTENT_", absl::AsciiStrToUpper(name));
}

std::vector<const CLI::Option*> SettingsOf(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* option) { return option->get_group() == kSettings; });
}

// The arguments, and as flags the variables that are set for settings not among them. (CLI11 has
// variables too, but what it does with a wrong value, and for which commands, differs from version
// to version.)
std::vector<std::string> WithVariables(const CLI::App& app, std::vector<std::string> arguments) {
  const auto commands = app.get_subcommands([&arguments](const CLI::App* command) {
    return !arguments.empty() && command->get_name() == arguments.front();
  });
  if (commands.empty()) return arguments;
  for (const CLI::Option* setting : SettingsOf(*commands.front())) {
    const std::string flag = setting->get_name();
    const char* const value = std::getenv(VariableOf(flag).c_str());
    const bool is_given =
        std::any_of(arguments.begin(), arguments.end(), [&](const auto& argument) {
          return argument == flag || absl::StartsWith(argument, flag + "=");
        });
    if (value != nullptr && *value != '\0' && !is_given) {
      // Right after the command: behind a `--` it would be a file.
      arguments.insert(arguments.begin() + 1, absl::StrCat(flag, "=", value));
    }
  }
  return arguments;
}

std::map<std::string, std::string> EffectiveSettings(const CLI::App& command) {
  std::map<std::string, std::string> settings;
  for (const CLI::Option* setting : SettingsOf(command)) {
    const std::string flag = setting->get_name();
    if (flag == kDatabaseUrl) continue;
    settings[std::string(absl::StripPrefix(flag, "--"))] =
        setting->empty() ? setting->get_default_str() : setting->results().back();
  }
  return settings;
}

}  // namespace

std::variant<Config, ExitNow> ReadConfig(int argc, const char* const* argv) {
  Config config;
  CLI::App app(kDescription, "contentd");
  app.footer(kFooter);
  app.set_version_flag("--version", CONTENT_VERSION);
  app.require_subcommand(0, 1);  // an unknown command is then reported by its name
  AddServe(app, config);
  AddMigrate(app, config);
  AddImport(app, config);
  try {
    std::vector<std::string> arguments = WithVariables(app, {argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    if (app.get_subcommands().empty()) throw CLI::RequiredError("A command");
    config.settings = EffectiveSettings(*app.get_subcommands().front());
  } catch (const CLI::ParseError& error) {
    return ExitNow{app.exit(error) == 0 ? 0 : 2};
  }
  return config;
}

}  // namespace content
