#include "config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
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
    "Articles and their comments over gRPC, stored in PostgreSQL.\n\n"
    "To try it:\n"
    "  contentd serve                             serve, with an embedded database\n"
    "  contentd import FILE                       publish an article, also while serve runs\n"
    "  grpcurl -plaintext localhost:50051 list    list the services\n";

constexpr char kFooter[] =
    "`contentd COMMAND --help` describes a command and its settings.\n"
    "Exit status: 0 on success, 1 on failure, 2 if the command line or a variable is wrong.";

constexpr char kServeFooter[] =
    "DURATION is one or more numbers with a unit (ns, us, ms, s, m, h): 500ms, 30s, 1h30m.\n"
    "BYTES is a whole number, alone or with KiB, MiB or GiB: 268435456, 256MiB.\n\n"
    "Example: contentd serve --listen 0.0.0.0:50051 --cache-bytes 1GiB\n\n"
    "Exit status: 0 after SIGTERM or SIGINT, 1 if the server cannot start, 2 if the command line\n"
    "or a variable is wrong.";

constexpr char kMigrateFooter[] =
    "Example: CONTENT_DATABASE_URL=postgresql://content@db/content contentd migrate\n\n"
    "Exit status: 0 if the schema is now up to date, 1 if not, 2 if the command line or a "
    "variable\n"
    "is wrong.";

constexpr char kImportFooter[] =
    "Text is a page saved as text: a byline (By Ada Byron and John Doe), a date line (Thursday,\n"
    "June 12, 2025), then wrapped paragraphs with *** between sections. It needs --title.\n\n"
    "Markdown is CommonMark, with or without YAML front matter:\n"
    "  ---\n"
    "  title: Notes on Binary Search\n"
    "  authors:                           # or author: Ada Byron\n"
    "    - {name: Ada Byron, id: ada, url: 'https://example.org/ada'}\n"
    "    - John Doe\n"
    "  date: 2025-06-12                   # or 2025-06-12T08:30:00Z, 2025-06-12 08:30:00 +0200\n"
    "  tags: [programming, algorithms]    # or \"two words, one\", \"three short words\"\n"
    "  summary: Two traps.                # or description\n"
    "  language: en                       # or lang\n"
    "  slug: binary-search                # or id\n"
    "  ---\n"
    "Other keys are ignored. A file with `draft: true` or `published: false` is refused.\n\n"
    "Importing an unchanged file again changes nothing. A file that cannot be imported does not\n"
    "stop the others.\n\n"
    "Example: contentd import posts/*.md\n\n"
    "Exit status: 0 if every file was imported, 1 if not, 2 if the command line or a variable is\n"
    "wrong.";

// Heading of the commands in the help.
constexpr char kCommands[] = "Commands";

// Heading in the help, and group, of the options that variables can set too.
constexpr char kSettings[] =
    "Settings (also read from variables: CONTENT_LOG_LEVEL for --log-level; a flag wins)";

// The one setting that may hold a secret.
constexpr char kDatabaseUrl[] = "--database-url";

// For reads and for writes each. Together they leave room among the embedded database's 100.
constexpr int kMaxConnections = 40;

// Large enough for any machine, and small enough to rule out overflow.
constexpr int64_t kMaxBytes = int64_t{1} << 40;

template <class T>
using Choices = std::vector<std::pair<std::string, T>>;

// `value` is a T or a std::optional<T>.
template <class T, class Value>
CLI::Option* AddChoice(CLI::App& command, const std::string& flag, Value& value,
                       const Choices<T>& choices, absl::string_view help) {
  const auto choose = [&value, choices](const std::string& name) {
    const auto is_named = [&name](const auto& choice) { return choice.first == name; };
    value = std::find_if(choices.begin(), choices.end(), is_named)->second;
  };
  const std::string names = absl::StrJoin(
      choices, ", ", [](std::string* text, const auto& choice) { text->append(choice.first); });
  return command
      .add_option_function<std::string>(flag, choose, absl::StrCat(help, " (", names, ")"))
      ->check(CLI::IsMember(choices));
}

struct DurationRange {
  absl::Duration min;
  absl::Duration max;
};

// Accepts durations in Go's notation, such as 1h30m, which CLI11 does not parse.
CLI::Validator DurationIn(const DurationRange& range) {
  const auto check = [range](const std::string& text) -> std::string {
    absl::Duration duration;
    const bool is_valid =
        absl::ParseDuration(text, &duration) && duration >= range.min && duration <= range.max;
    if (is_valid) return "";
    return absl::StrCat(text, " is not a duration such as 30s, from ",
                        absl::FormatDuration(range.min), " to ", absl::FormatDuration(range.max));
  };
  return {check, ""};
}

// Rejects what CLI11 would misread: "MiB" as 1MiB, and "010MiB", which it takes for octal, as 8MiB.
CLI::Validator StartsWithDecimalNumber() {
  const auto check = [](const std::string& text) -> std::string {
    const size_t end = text.find_first_not_of("0123456789");
    const std::string digits = text.substr(0, end);
    if (!digits.empty() && (digits == "0" || digits.front() != '0')) return "";
    return absl::StrCat(text, " is not a number of bytes such as 256MiB");
  };
  return {check, ""};
}

std::string CheckListen(const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  const bool is_valid = colon != std::string::npos && colon > 0 &&
                        absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 0 &&
                        port <= 65535;
  return is_valid ? "" : absl::StrCat(address, " is not HOST:PORT");
}

// Adds settings to a command: options that a variable can set too. A setting's initial value is
// parsed like a given value, and the text of either is stored in Config::settings.
class Settings {
 public:
  // Both must outlive the parsing of the command line.
  Settings(CLI::App& command, Config& config) : command_(command), shown_(config.settings) {}

  CLI::Option* Text(const std::string& flag, const std::string& type, std::string& value,
                    const std::string& initial, const std::string& help) {
    return Add(command_.add_option(flag, value, help), type, initial);
  }

  // From 1 to `max`.
  void Count(const std::string& flag, int& value, int initial, int max, absl::string_view help) {
    CLI::Option* const option =
        command_.add_option(flag, value, absl::StrCat(help, " (1 to ", max, ")"));
    Add(option->check(CLI::Range(1, max)), "N", absl::StrCat(initial));
  }

  void Bytes(const std::string& flag, int64_t& value, const std::string& initial,
             absl::string_view help) {
    static const std::map<std::string, int64_t> units = {
        {"KiB", int64_t{1} << 10}, {"MiB", int64_t{1} << 20}, {"GiB", int64_t{1} << 30}};
    CLI::Option* const option =
        command_.add_option(flag, value, absl::StrCat(help, " (0 to 1024GiB)"));
    // CLI11 goes through transforms from the last to the first, then through checks.
    option->check(CLI::Range(int64_t{0}, kMaxBytes))
        ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::CASE_SENSITIVE))
        ->transform(StartsWithDecimalNumber());
    Add(option, "BYTES", initial);
  }

  void Duration(const std::string& flag, absl::Duration& value, const std::string& initial,
                absl::string_view help,
                const DurationRange& range = {absl::Milliseconds(1), absl::Hours(24)}) {
    const auto set = [&value](const std::string& text) { absl::ParseDuration(text, &value); };
    const std::string limits =
        absl::StrCat(absl::FormatDuration(range.min), " to ", absl::FormatDuration(range.max));
    CLI::Option* const option =
        command_.add_option_function<std::string>(flag, set, absl::StrCat(help, " (", limits, ")"));
    Add(option->check(DurationIn(range)), "DURATION", initial);
  }

  template <class T>
  void Choice(const std::string& flag, const std::string& type, T& value, const Choices<T>& choices,
              const std::string& initial, absl::string_view help) {
    Add(AddChoice(command_, flag, value, choices, help), type, initial);
  }

 private:
  CLI::Option* Add(CLI::Option* option, const std::string& type, const std::string& initial) {
    const std::string flag = option->get_name();
    if (flag != kDatabaseUrl) {
      const std::string name(absl::StripPrefix(flag, "--"));
      // The last transform runs first, so it gets the text as it was given.
      option->transform([&shown = shown_, name](const std::string& text) {
        shown[name] = text;
        return text;
      });
    }
    return option->group(kSettings)
        ->option_text(initial.empty() ? type : absl::StrCat(type, " [", initial, "]"))
        ->run_callback_for_default()
        ->default_val(initial);
  }

  CLI::App& command_;
  std::map<std::string, std::string>& shown_;
};

// A directory in the user's home, except for root: the user that runs the database could not enter
// root's.
std::string DefaultDataDir() {
  if (geteuid() == 0) return "/var/lib/contentd";
  if (const char* data_home = std::getenv("XDG_DATA_HOME"); data_home != nullptr && *data_home) {
    return absl::StrCat(data_home, "/contentd");
  }
  const char* const home = std::getenv("HOME");
  return absl::StrCat(home != nullptr ? home : ".", "/.local/share/contentd");
}

void AddDatabaseSettings(Settings& settings, Config& config) {
  settings.Text(kDatabaseUrl, "URL", config.database_url, "",
                "PostgreSQL database, as a URI or libpq keywords. Without it an\n"
                "embedded database runs under the data directory. Prefer the\n"
                "variable if it holds a password");
  settings.Text("--data-dir", "DIR", config.data_dir, DefaultDataDir(),
                "Directory of the embedded database");
}

void AddLogSettings(Settings& settings, Config& config, const std::string& initial_level) {
  const Choices<log::Level> levels = {{"debug", log::Level::kDebug},
                                      {"info", log::Level::kInfo},
                                      {"warning", log::Level::kWarning},
                                      {"error", log::Level::kError}};
  const Choices<log::Format> formats = {
      {"auto", log::Format::kAuto}, {"text", log::Format::kText}, {"json", log::Format::kJson}};
  settings.Choice("--log-level", "LEVEL", config.log_level, levels, initial_level,
                  "Minimum level of the events to log");
  settings.Choice("--log-format", "FORMAT", config.log_format, formats, "auto",
                  "Format of the log on standard error; auto is text on a terminal\n"
                  "and json elsewhere");
}

void AddPoolSettings(Settings& settings, Config& config) {
  settings.Count("--read-connections", config.read_connections, 4, kMaxConnections,
                 "Database connections for reads");
  settings.Count("--write-connections", config.write_connections, 4, kMaxConnections,
                 "Database connections for writing comments, EraseAuthor and\n"
                 "VerifyCounters. At most two of them commit groups of comments;\n"
                 "the others wait for locked articles");
  settings.Count("--queue-limit", config.queue_limit, 1000, 1'000'000,
                 "Calls that may wait for a read connection, and as many for a write\n"
                 "connection; further ones are refused at once. An article that\n"
                 "BatchGetArticles reads from the database counts as one");
  settings.Duration("--statement-timeout", config.statement_timeout, "10s",
                    "Maximum time for a statement in the database");
  settings.Choice<bool>("--notifications", "BOOL", config.notifications,
                        {{"true", true}, {"false", false}}, "true",
                        "Whether servers on one database notify each other of changes;\n"
                        "if not, they see them within --max-staleness");
}

void AddCacheSettings(Settings& settings, Config& config) {
  settings.Bytes("--cache-bytes", config.cache_bytes, "256MiB",
                 "Memory for articles and pages of comments that are read often; 0\n"
                 "turns the cache off");
  settings.Duration("--max-staleness", config.max_staleness, "1s",
                    "Maximum age of an answer from the cache");
  settings.Duration("--stale-if-error", config.stale_if_error, "5m",
                    "Additional age of an answer, which is then marked as stale, while\n"
                    "the database cannot be queried",
                    {absl::ZeroDuration(), absl::Hours(24)});
}

const CLI::App* AddServe(CLI::App& app, Config& config) {
  config.command = Config::Command::kServe;
  CLI::App& command = *app.add_subcommand("serve", "Serve articles and comments over gRPC");
  command.group(kCommands)->footer(kServeFooter);
  Settings settings(command, config);
  settings
      .Text("--listen", "HOST:PORT", config.listen, "127.0.0.1:50051",
            "Address to listen on; port 0 picks a free one")
      ->check(CheckListen);
  AddDatabaseSettings(settings, config);
  settings.Duration("--drain-timeout", config.drain_timeout, "30s",
                    "Time for calls to finish after SIGTERM or SIGINT");
  settings.Duration("--watch-write-timeout", config.watch_write_timeout, "30s",
                    "Time for a watcher to take a message, after which its watch\n"
                    "ends");
  settings.Duration("--request-retention", config.request_retention, "24h",
                    "How long a request_id is remembered, that is, how long a write\n"
                    "can be repeated safely. The longest of all servers holds",
                    {absl::Seconds(1), absl::Hours(720)});
  AddPoolSettings(settings, config);
  AddCacheSettings(settings, config);
  AddLogSettings(settings, config, "info");
  return &command;
}

// The one-shot commands print what they did, so they log only warnings and errors.
const CLI::App* AddMigrate(CLI::App& app, Config& config) {
  config.command = Config::Command::kMigrate;
  CLI::App& command =
      *app.add_subcommand("migrate", "Bring the database's schema to this version's");
  command.group(kCommands)->footer(kMigrateFooter);
  Settings settings(command, config);
  AddDatabaseSettings(settings, config);
  AddLogSettings(settings, config, "warning");
  return &command;
}

void AddImportOptions(CLI::App& command, Config& config) {
  command.add_option("FILE", config.files, "Files to import")->option_text("...")->required();
  command.add_option("--title", config.overrides.title, "Title of the article (for a single FILE)")
      ->type_name("TITLE");
  command
      .add_option("--id", config.overrides.id,
                  "Id of the article, which is replaced if it exists (for a single\n"
                  "FILE). Without it, the id is derived from the title and nothing\n"
                  "is replaced")
      ->type_name("ID");
  const Choices<importer::Format> formats = {{"text", importer::Format::kText},
                                             {"markdown", importer::Format::kMarkdown}};
  AddChoice(command, "--format", config.format, formats,
            "Format of the files; otherwise .md and .markdown are Markdown and\n"
            "everything else is text")
      ->option_text("FORMAT");
  command.add_flag("--dry-run", config.dry_run, "Only print what would be imported");
}

const CLI::App* AddImport(CLI::App& app, Config& config) {
  config.command = Config::Command::kImport;
  CLI::App& command = *app.add_subcommand("import", "Publish articles from files");
  command.group(kCommands)->footer(kImportFooter);
  AddImportOptions(command, config);
  Settings settings(command, config);
  AddDatabaseSettings(settings, config);
  AddLogSettings(settings, config, "warning");
  command.callback([&config] {
    const bool has_overrides = !config.overrides.title.empty() || !config.overrides.id.empty();
    if (has_overrides && config.files.size() > 1) {
      throw CLI::ValidationError("--title and --id need a single FILE");
    }
  });
  return &command;
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

// The arguments, with a flag added for each variable whose setting they lack. (CLI11 reads
// variables too, but its versions differ in what they do with a wrong value, and for which
// commands.)
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
      // Right after the command: after a `--` it would be a file.
      arguments.insert(arguments.begin() + 1, absl::StrCat(flag, "=", value));
    }
  }
  return arguments;
}

std::string UsageError(const CLI::App* app, const CLI::Error& error) {
  const auto commands = app->get_subcommands();
  const std::string command =
      commands.empty() ? "contentd" : absl::StrCat("contentd ", commands.front()->get_name());
  return absl::StrCat("contentd: ", error.what(), "\nTry `", command, " --help`.\n");
}

}  // namespace

std::variant<Config, ExitNow> ReadConfig(int argc, const char* const* argv) {
  CLI::App app(kDescription, "contentd");
  app.footer(kFooter);
  app.failure_message(UsageError);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.set_version_flag("--version", "contentd " CONTENT_VERSION, "Print the version and exit");
  app.require_subcommand(0, 1);  // an unknown command is then reported by its name
  // Each command has its own config, because initial values differ. An import opens the store with
  // those of serve.
  Config serve;
  const CLI::App* const serve_command = AddServe(app, serve);
  Config migrate;
  Config import = serve;
  import.settings.clear();
  const std::pair<const CLI::App*, const Config*> commands[] = {
      {serve_command, &serve},
      {AddMigrate(app, migrate), &migrate},
      {AddImport(app, import), &import},
  };
  try {
    std::vector<std::string> arguments = WithVariables(app, {argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    for (const auto& [command, config] : commands) {
      if (command->parsed()) return *config;
    }
    throw CLI::RequiredError("A command");
  } catch (const CLI::ParseError& error) {
    return ExitNow{app.exit(error) == 0 ? 0 : 2};
  }
}

}  // namespace content
