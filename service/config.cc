#include "config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/memory_guard.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "content/text.h"
#include "help.h"
#include "transfer/dates.h"
#include "variables.h"

namespace content {
namespace {

constexpr char kVersion[] = "contentd " CONTENT_VERSION " (schema " CONTENT_SCHEMA_VERSION ")";

constexpr char kDescription[] =
    "Articles and their comments over gRPC, stored in PostgreSQL.\n\n"
    "To try it:\n"
    "  contentd serve                             serve, with an embedded database\n"
    "  contentd import PATH                       publish articles while serve runs\n"
    "  contentd export                            write everything as lines of JSON\n"
    "  grpcurl -plaintext localhost:50051 list    list the services";

constexpr char kFooter[] =
    "`contentd COMMAND --help` describes a command and its settings.\n"
    "Exit status: 0 on success, 1 on failure, 2 if the command line or a variable is\n"
    "wrong.";

// Each command's description says how it finds the database.
constexpr char kServeDescription[] =
    "Serve articles and comments over gRPC until SIGTERM or SIGINT.\n\n"
    "The database is the one that --database-url names, whose schema `contentd\n"
    "migrate` has prepared. Otherwise an embedded PostgreSQL runs in --data-dir; it\n"
    "is created if it is missing.";

constexpr char kServeFooter[] =
    "DURATION is one or more numbers with a unit (ns, us, ms, s, m, h): 500ms, 30s,\n"
    "1h30m. BYTES is a whole number, alone or with KiB, MiB or GiB: 268435456,\n"
    "256MiB. The range that is allowed is in parentheses.\n\n"
    "Examples:\n"
    "  contentd serve\n"
    "  contentd serve --data-dir ~/content --listen 127.0.0.1:8080\n"
    "  CONTENT_DATABASE_URL=postgresql://content@db/content \\\n"
    "    contentd serve --listen 0.0.0.0:50051 --tls-cert-file cert.pem \\\n"
    "    --tls-key-file key.pem --cache-bytes 1GiB\n\n"
    "SIGTERM or SIGINT stops the server gracefully; one more during --drain-timeout\n"
    "ends it at once. SIGHUP is ignored.\n\n"
    "Exit status: 0 after a graceful stop, 1 if the server cannot start, 2 if the\n"
    "command line or a variable is wrong.";

constexpr char kMigrateDescription[] =
    "Bring the schema of a database to the version that this program needs.\n\n"
    "Servers of the version before may go on serving. If a migration needs them\n"
    "stopped and they are connected, nothing is changed. If a run is interrupted, the\n"
    "next one continues it.\n\n"
    "The database is the one that --database-url names, or the embedded one in\n"
    "--data-dir, which must exist. (`contentd serve` migrates the embedded one too.)";

constexpr char kMigrateFooter[] =
    "Examples:\n"
    "  CONTENT_DATABASE_URL=postgresql://content@db/content contentd migrate\n"
    "  contentd migrate --database-url 'host=db dbname=content user=content'\n\n"
    "Exit status: 0 if the schema is now up to date, 1 if not, 2 if the command line\n"
    "or a variable is wrong.";

constexpr char kImportDescription[] =
    "Publish articles from files and folders.\n\n"
    "They go into the database that --database-url names, or into the embedded one\n"
    "in --data-dir, also while a server uses it. The database must exist. Name the\n"
    "server's database in the same way as for the server.";

constexpr char kImportFooter[] =
    "PATH is a file, a folder, which may contain folders, or - for standard input.\n"
    "Of a folder, hidden files, leftovers of editors (x.md~, x.md.bak), links to\n"
    "folders, folders of packages, templates and built sites (node_modules,\n"
    "_layouts, _site), parts of Hugo's page bundles, and files that are neither\n"
    "Markdown, text, HTML nor exports are left out. Unpack compressed files first. A\n"
    "file with several names is imported once.\n\n"
    "Exports are lines of JSON of contentd, files of WordPress (WXR), Blogger (Atom,\n"
    "Takeout) and Movable Type with articles and comments, of Ghost and dev.to with\n"
    "articles, and of Disqus, Commento, Isso and Remark42 with comments. These come\n"
    "in after all articles of the run. They find theirs by what the file says, by the\n"
    "address of its page (source_uri, or an id at its end, on a host of the run or of\n"
    "source_uri), or by --map. What was not public is left out, or waits for\n"
    "moderators. Comments that were closed in WordPress or Movable Type stay closed.\n"
    "Importing a newer export adds what is new. What it withdraws stays, so withdraw\n"
    "that here too. E-mail and IP addresses are dropped.\n"
    "A comment that is there with other content is a conflict, and stays as it is. If\n"
    "an export of contentd has it as deleted, it is deleted here too.\n\n"
    "Text is a page saved as text: title, byline and date, in any order, and then\n"
    "paragraphs of wrapped lines, with *** between sections. What is missing is given\n"
    "with --title, --author and --date:\n"
    "  By Ada Byron and John Doe\n"
    "  Thursday, June 12, 2025\n"
    "  The text follows here.\n\n"
    "HTML is a saved page, perhaps with front matter as in Markdown, or a file of an\n"
    "archive such as Medium's, of which only posts are taken, or Substack's, whose\n"
    "posts.csv is read with its posts. A page may declare its encoding. All other\n"
    "files are UTF-8, or UTF-16 with a byte order mark.\n\n"
    "Markdown is CommonMark, with or without front matter in YAML, TOML (+++), or\n"
    "JSON, as Jekyll, Hugo, Hexo, Zola, Eleventy and Pelican have it:\n"
    "  ---\n"
    "  title: Notes on Binary Search      # or --title, or the first heading\n"
    "  authors:                           # or author: Ada Byron\n"
    "    - {name: Ada Byron, id: ada, url: 'https://example.org/ada'}\n"
    "    - John Doe\n"
    "  date: 2025-06-12                   # or 2025-06-12T08:30:00Z,\n"
    "                                     # 2025-06-12 08:30:00 +0200; or in the\n"
    "                                     # file's name: 2025-06-12-notes.md\n"
    "  lastmod: 2025-06-13                # or updated, or modified\n"
    "  tags: [programming, algorithms]    # or \"two words, one\"; and categories\n"
    "  summary: Two traps.                # or description, or excerpt\n"
    "  language: en                       # or lang\n"
    "  slug: binary-search                # or permalink, url, or --id\n"
    "  comment_policy: open               # or premoderated, or closed; also\n"
    "                                     # comments: false\n"
    "  ---\n"
    "  The text follows here.\n\n"
    "All keys are optional. Other keys are ignored, and counted. An article without\n"
    "a slug gets its id from the file's name, with the language at its end if the\n"
    "file is a translation (name.fr.md, fr/name.md). Drafts (draft: true,\n"
    "published: false, private, hidden, unlisted, password: x, a status that is not\n"
    "known to be public, drafts/) are left out; a file that begins like one, but with\n"
    "no known form of front matter, is refused. A publishDate to come is the date.\n\n"
    "Importing a file again changes nothing. If its article is there with other\n"
    "content, whoever changed it, that is a conflict, and nothing changes; with\n"
    "--replace, the file is right and the other content is lost. But the file must\n"
    "say which article it is: by its slug or --id, by its address, by title and date\n"
    "(less than a day apart) or, without a date, by its title and a name that no\n"
    "other file of the import has. If only the title tells, it stays a conflict; if\n"
    "title or date differ, the file is refused. A retracted article stays so. If the\n"
    "article is there under one of the file's aliases, --replace renames it.\n\n"
    "An item that comes twice, as in exports that overlap, is taken from the first.\n"
    "What cannot be imported does not stop the rest. Ctrl-C ends the import after the\n"
    "current batch; run it again to go on. A second one ends it at once.\n\n"
    "Examples:\n"
    "  contentd import --dry-run posts\n"
    "  contentd import --data-dir ~/content posts --report posts.jsonl\n"
    "  contentd import page.txt --title \"What the Page Says\"\n"
    "  contentd import notes.md --id notes-on-binary-search\n\n"
    "Exit status: 0 if nothing was refused or in conflict, 1 if something was, 2 if\n"
    "nothing came in (because the database cannot be used, for example), or if the\n"
    "command line or a variable is wrong.";

constexpr char kExportDescription[] =
    "Write articles and comments to a file or folder.\n\n"
    "They are read as of one moment from the database that --database-url names, or\n"
    "from the embedded one in --data-dir, also while a server uses it.";

constexpr char kExportFooter[] =
    "ndjson is the contract's JSON, a line for each article, followed by those of its\n"
    "comments: with former names, states, threads and times. `contentd import` makes\n"
    "the same articles and comments of it in another database. Readers' reports,\n"
    "blocked authors and the audit trail are not exported; a backup has them.\n\n"
    "markdown is a folder of files with front matter, as Hugo and Jekyll take them,\n"
    "without comments. Retracted articles are drafts. Jekyll leaves {{ and {% in a\n"
    "text as they are, but Hugo takes {{< and {{% for its shortcodes.\n\n"
    "A file or folder has its name only when it is complete; an export that is killed\n"
    "leaves one that ends with .partial. Only you may read a new file of ndjson. What\n"
    "is no export is never replaced, nor a folder that is not empty.\n\n"
    "An export holds back VACUUM while it runs. If what reads its output is slow,\n"
    "write to a file first.\n\n"
    "TIME is 2025-06-12 (in UTC) or 2025-06-12T08:30:00Z.\n\n"
    "Examples:\n"
    "  contentd export --output content.ndjson\n"
    "  contentd export --tag programming --since 2025-01-01 | gzip > new.ndjson.gz\n"
    "  zcat new.ndjson.gz | contentd import -\n"
    "  contentd export --format markdown --output posts\n\n"
    "Exit status: 0 if the export is complete, 1 if not, 2 if the command line or a\n"
    "variable is wrong.";

constexpr char kBackupDescription[] =
    "Write a backup of the embedded database.\n\n"
    "A server may go on using it. The backup is the database as it was when the\n"
    "command began. It is an archive of pg_dump, with everything that is stored. FILE\n"
    "appears when it is complete and on disk, and only you may read it; `-` is\n"
    "standard output.\n\n"
    "A database of your own is backed up by its own means: pg_dump, or your\n"
    "provider's backups. See \"Back up\" in OPERATING.md.";

constexpr char kBackupFooter[] =
    "Examples:\n"
    "  contentd backup content.dump\n"
    "  contentd backup --data-dir /var/lib/contentd \"content-$(date +%F).dump\"\n"
    "  set -o pipefail  # so that `backup` failing counts, and keeps the last one\n"
    "  contentd backup - | ssh backups 'umask 077; cat >content.new' &&\n"
    "    ssh backups mv content.new content.dump\n\n"
    "Exit status: 0 if the backup is complete, 1 if not, 2 if the command line or a\n"
    "variable is wrong.";

constexpr char kRestoreDescription[] =
    "Restore the embedded database from a backup.\n\n"
    "FILE is what `contentd backup` or pg_dump (--format=custom) wrote, of this\n"
    "version or an older one; `-` is standard input. Restore only what you trust: a\n"
    "backup contains commands that are run. No server may use --data-dir meanwhile.\n\n"
    "The database is made beside the one that is there, and takes its place when it\n"
    "is complete: if anything fails before, nothing has changed. The other one is\n"
    "kept in --data-dir, as postgres.replaced.\n\n"
    "A database of your own is restored by its own means. See \"Restore\" in\n"
    "OPERATING.md.";

constexpr char kRestoreFooter[] =
    "Examples:\n"
    "  contentd restore content.dump\n"
    "  contentd restore --data-dir /var/lib/contentd --replace content.dump\n\n"
    "Exit status: 0 if the backup is restored, 1 if nothing has changed (or the disk\n"
    "fails in the end, as the message then says), 2 if the command line or a variable\n"
    "is wrong.";

constexpr char kPolicyDescription[] = "Ask what a policy allows.";

constexpr char kCheckPolicyDescription[] =
    "Say whether a policy allows a call, and why.\n\n"
    "CALLER is an identity: spiffe://DOMAIN/PATH, dns:NAME, cn:NAME, jwt:SUBJECT, or\n"
    "`anonymous` for callers without one. METHOD is SERVICE/METHOD; the package may\n"
    "be left out, and the service if no other has such a method.";

constexpr char kCheckPolicyFooter[] =
    "Examples:\n"
    "  contentd policy check policy.yaml jwt:alice ContentService/CreateComment\n"
    "  contentd policy check policy.yaml anonymous grpc.health.v1.Health/Check\n\n"
    "Exit status: 0 if the call is allowed, 3 if it is denied, 1 if the policy is\n"
    "wrong, 2 if the command line is wrong.";

// Heading in the help, and group, of the options that variables can set too.
constexpr char kSettings[] =
    "Settings (or variables: CONTENT_LOG_LEVEL for --log-level; a flag wins)";

// The settings that may hold a secret.
constexpr char kDatabaseUrl[] = "--database-url";
constexpr char kDirectDatabaseUrl[] = "--direct-database-url";

constexpr char kDataDir[] = "--data-dir";

constexpr char kCertFile[] = "--tls-cert-file";
constexpr char kKeyFile[] = "--tls-key-file";
constexpr char kClientCaFile[] = "--tls-client-ca-file";
constexpr char kClientCert[] = "--tls-client-cert";
constexpr char kCrlDir[] = "--tls-crl-dir";
constexpr char kInsecure[] = "--insecure";
constexpr char kPolicyFile[] = "--policy-file";
constexpr char kJwt[] = "--jwt";
constexpr char kJwksFile[] = "--jwt-jwks-file";
constexpr char kJwtIssuer[] = "--jwt-issuer";
constexpr char kJwtAudience[] = "--jwt-audience";

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
  bool may_be_zero = false;  // also if `min` is more
};

// Of connections. A shorter one would leave them little time for anything but being replaced.
constexpr DurationRange kLifetime = {absl::Seconds(1), absl::Hours(24), /*may_be_zero=*/true};

std::string Describe(const DurationRange& range) {
  return absl::StrCat(range.may_be_zero ? "0, or " : "", absl::FormatDuration(range.min), " to ",
                      absl::FormatDuration(range.max));
}

// Accepts durations in Go's notation, such as 1h30m, which CLI11 does not parse.
CLI::Validator DurationIn(const DurationRange& range) {
  const auto check = [range](const std::string& text) -> std::string {
    absl::Duration duration;
    const bool is_valid = absl::ParseDuration(text, &duration) &&
                          ((duration >= range.min && duration <= range.max) ||
                           (range.may_be_zero && duration == absl::ZeroDuration()));
    if (is_valid) return "";
    return absl::StrCat(text, " is not a duration such as 30s (", Describe(range), ")");
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
  if (absl::StartsWith(address, "unix:") && address != "unix:") return "";
  const size_t colon = address.rfind(':');
  int port = 0;
  const bool is_valid = colon != std::string::npos && colon > 0 &&
                        absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 0 &&
                        port <= 65535;
  return is_valid ? "" : absl::StrCat(address, " is neither HOST:PORT nor unix:PATH");
}

std::string CheckHttpListen(const std::string& address) {
  if (address == Config::kOff || CheckListen(address).empty()) return "";
  return absl::StrCat(CheckListen(address), " nor ", Config::kOff);
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

  void Count(const std::string& flag, int& value, int initial, int max, absl::string_view help,
             int min = 1) {
    CLI::Option* const option =
        command_.add_option(flag, value, absl::StrCat(help, " (", min, " to ", max, ")"));
    Add(option->check(CLI::Range(min, max)), "N", absl::StrCat(initial));
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
    CLI::Option* const option = command_.add_option_function<std::string>(
        flag, set, absl::StrCat(help, " (", Describe(range), ")"));
    Add(option->check(DurationIn(range)), "DURATION", initial);
  }

  void Share(const std::string& flag, double& value, const std::string& initial,
             absl::string_view help) {
    CLI::Option* const option = command_.add_option(flag, value, absl::StrCat(help, " (0 to 1)"));
    Add(option->check(CLI::Range(0.0, 1.0)), "SHARE", initial);
  }

  void Switch(const std::string& flag, bool& value, const std::string& help) {
    Add(command_.add_flag(flag, value, help), "", "false")->option_text("");
  }

  template <class T>
  void Choice(const std::string& flag, const std::string& type, T& value, const Choices<T>& choices,
              const std::string& initial, absl::string_view help) {
    Add(AddChoice(command_, flag, value, choices, help), type, initial);
  }

 private:
  CLI::Option* Add(CLI::Option* option, const std::string& type, const std::string& initial) {
    const std::string flag = option->get_name();
    if (flag != kDatabaseUrl && flag != kDirectDatabaseUrl) {
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

void AddDataDir(Settings& settings, Config& config, const std::string& help) {
  settings.Text(kDataDir, "DIR", config.data_dir, DefaultDataDir(), help);
}

void AddDatabaseSettings(Settings& settings, Config& config) {
  settings.Text(kDatabaseUrl, "URL", config.database_url, "",
                "PostgreSQL database, as a URI or libpq keywords. Percent-encode @ : / ? # [ ] % "
                "and spaces of a password in a URI. Prefer the variable: other users see a flag "
                "until the program has read it");
  settings.Text(kDirectDatabaseUrl, "URL", config.direct_database_url, "",
                "The same database without a pooler, for migrate and for the connection by which "
                "servers notify each other; otherwise these use --database-url");
  AddDataDir(settings, config,
             "Directory of the embedded database. Refused together with --database-url, "
             "also if either comes from its variable");
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

// Accepts what an exporter takes, if there is one.
std::string CheckOtlpEndpoint(const std::string& endpoint) {
  if (endpoint.empty()) return "";
  if (!traces::IsOtlpBuilt()) {
    return "this build has no OTLP: it was made without opentelemetry-cpp, which Debian has since "
           "13";
  }
  absl::string_view address = endpoint;
  const bool is_url =
      absl::ConsumePrefix(&address, "http://") || absl::ConsumePrefix(&address, "https://");
  if (is_url && CheckListen(std::string(address)).empty()) return "";
  return absl::StrCat(endpoint, " is neither http://HOST:PORT nor https://HOST:PORT");
}

void AddCallLogSettings(Settings& settings, Config& config) {
  const Choices<LoggedCalls> calls = {{"off", LoggedCalls::kNone},
                                      {"errors", LoggedCalls::kErrors},
                                      {"slow", LoggedCalls::kSlow},
                                      {"all", LoggedCalls::kAll}};
  settings.Choice("--access-log", "CALLS", config.calls.calls, calls, "off",
                  "Calls of which the log gets a line when they end: those that fail;\n"
                  "those and slow ones; or all");
  settings.Duration("--slow-call", config.calls.slow_call, "1s", "Time from which a call is slow",
                    {absl::Milliseconds(1), absl::Hours(1)});
  settings.Count("--access-log-sample", config.calls.one_in, 1, 1'000'000,
                 "If the access log has all calls: of those that neither fail nor are\n"
                 "slow, one in N");
  settings
      .Text("--otlp-endpoint", "URL", config.otlp_endpoint, "",
            "Collector to which traces are sent, by OTLP over gRPC: http://HOST:PORT, or https")
      ->check(CLI::Validator(CheckOtlpEndpoint, ""));
  settings.Share("--trace-sample", config.calls.trace_share, "0",
                 "Share of the calls without a traceparent that are traced, if there is\n"
                 "a collector. Others are traced as their callers decided");
}

void AddTlsSettings(Settings& settings, Config& config) {
  settings.Text(kCertFile, "FILE", config.tls.cert_file, "",
                "Certificate to serve with, and those that lead to its CA, in PEM. The files of "
                "these settings may change at any time: a valid set is used within seconds, and "
                "another is refused");
  settings.Text(kKeyFile, "FILE", config.tls.key_file, "", "Its private key, in PEM");
  settings.Text(kClientCaFile, "FILE", config.tls.client_ca_file, "",
                "CAs of the certificates that clients must show, in PEM");
  settings.Choice<bool>(kClientCert, "WHEN", config.client_certificate_is_required,
                        {{"required", true}, {"optional", false}}, "required",
                        "Whether clients without a certificate are refused");
  settings.Text(kCrlDir, "DIR", config.tls.crl_dir, "",
                "Directory of lists of the clients' certificates that these CAs revoked, in PEM");
  settings.Switch(kInsecure, config.insecure,
                  "Serve in plaintext also where other machines can reach the port");
}

void AddCallerSettings(Settings& settings, Config& config) {
  settings.Text(kPolicyFile, "FILE", config.policy_file, "",
                "Policy in YAML: which callers may call which methods, and how often. Without one, "
                "everybody may call all. It may change at any time, and so may the keys of tokens: "
                "what is valid is used within seconds, and the rest is refused");
  settings.Text(kJwksFile, "FILE", config.jwks_file, "",
                "Public keys (a JSON Web Key Set) of the issuer whose bearer tokens callers may "
                "send. Without them, tokens are ignored");
  settings.Text(kJwtIssuer, "TEXT", config.token_issuer, "", "Issuer (iss) that tokens must name");
  settings.Text(kJwtAudience, "TEXT", config.token_audience, "",
                "Audience (aud) that tokens must name");
  settings.Choice<bool>(kJwt, "WHEN", config.token_is_required,
                        {{"required", true}, {"optional", false}}, "optional",
                        "Whether calls without a token are refused, if there are keys");
  settings.Switch("--forwarded-client-cert", config.forwarded_client_cert,
                  "Believe x-forwarded-client-cert from callers on this machine: a service mesh's "
                  "proxy says with it whose certificate it has verified");
}

void AddPoolSettings(Settings& settings, Config& config) {
  settings.Count("--read-connections", config.read_connections, 4, kMaxConnections,
                 "Database connections for reads");
  settings.Count("--write-connections", config.write_connections, 4, kMaxConnections,
                 "Database connections for everything that changes comments. Two are enough "
                 "unless articles are locked for long: two commit comments in groups, and the "
                 "others wait for locked articles, EraseAuthor and VerifyCounters");
  settings.Count("--queue-limit", config.queue_limit, 1000, 100'000,
                 "Calls that may wait for a read connection, and as many for a write\n"
                 "connection; further ones are refused at once. A client alone gets\n"
                 "half of the places, so that others find some. An article that\n"
                 "BatchGetArticles reads from the database counts as one");
  settings.Duration("--statement-timeout", config.statement_timeout, "10s",
                    "Maximum time for a statement in the database");
  settings.Duration("--database-connection-lifetime", config.connection_lifetime, "30m",
                    "Time after which a database connection is replaced, so that new\n"
                    "passwords take hold; up to a tenth less, by chance. 0 keeps\n"
                    "connections",
                    kLifetime);
  settings.Choice<bool>("--notifications", "BOOL", config.notifications,
                        {{"true", true}, {"false", false}}, "true",
                        "Whether servers on one database notify each other of changes;\n"
                        "if not, they see them within --max-staleness");
}

// The rest is for what the kernel also counts, such as the buffers of connections.
int64_t DefaultMemoryLimit() { return std::min(ReadMemoryLimit().value_or(0) / 10 * 9, kMaxBytes); }

void AddCacheSettings(Settings& settings, Config& config) {
  settings.Bytes("--cache-bytes", config.cache_bytes, "256MiB",
                 "Memory for articles and pages of comments that are read often; 0\n"
                 "turns the cache off");
  settings.Bytes("--memory-limit", config.memory_limit, absl::StrCat(DefaultMemoryLimit()),
                 "Memory of this process, without the pages of files, above which calls\n"
                 "that need the database are refused, while cached reads go on; 0\n"
                 "turns this off. The default is nine tenths of what the control group\n"
                 "allows, or 0 without a limit");
  settings.Duration("--max-staleness", config.max_staleness, "1s",
                    "Maximum age of an answer from the cache");
  settings.Duration("--stale-if-error", config.stale_if_error, "5m",
                    "Additional age of an answer, which is then marked as stale, while\n"
                    "the database cannot be queried",
                    {absl::ZeroDuration(), absl::Hours(24)});
}

const CLI::App* AddServe(CLI::App& app, Config& config) {
  config.command = Config::Command::kServe;
  CLI::App& command = *app.add_subcommand("serve", kServeDescription);
  command.footer(kServeFooter);
  Settings settings(command, config);
  settings
      .Text("--listen", "ADDRESS", config.listen, "127.0.0.1:50051",
            "HOST:PORT to listen on, of which port 0 picks a free one, or unix:PATH, which is in "
            "plaintext")
      ->check(CheckListen);
  settings
      .Text("--admin-listen", "ADDRESS", config.admin_listen, "",
            "Another one, for operators: AdminService, channelz and reflection are served only "
            "there, as is everything else")
      ->check(CheckListen);
  settings
      .Text("--http-listen", "ADDRESS", config.http_listen, "127.0.0.1:9464",
            "One for monitoring by HTTP, in plaintext and without a question who asks: /metrics "
            "for Prometheus, /statusz for people, /livez and /readyz. `off` for none")
      ->check(CheckHttpListen);
  AddTlsSettings(settings, config);
  AddCallerSettings(settings, config);
  AddDatabaseSettings(settings, config);
  settings.Duration("--database-wait", config.database_wait, "60s",
                    "Time to wait at startup for a database that cannot be reached\n"
                    "yet; 0 does not wait",
                    {absl::ZeroDuration(), absl::Hours(24)});
  settings.Duration("--drain-delay", config.drain_delay, "5s",
                    "Time after SIGTERM or SIGINT in which all calls are served while\n"
                    "health is NOT_SERVING, so that clients can move; a second signal\n"
                    "ends it",
                    {absl::ZeroDuration(), absl::Hours(24)});
  settings.Duration("--drain-timeout", config.drain_timeout, "30s",
                    "Time after that for calls in flight to finish");
  settings.Duration("--watch-write-timeout", config.watch_write_timeout, "30s",
                    "Time for a watcher to take a message, or for another caller to\n"
                    "take its answer, after which the call ends");
  settings.Duration("--max-connection-age", config.max_connection_age, "1h",
                    "Age at which a client has to connect again, so that clients spread\n"
                    "over new servers. Its calls get another minute, and watches\n"
                    "resume; 0 is no limit",
                    kLifetime);
  settings.Duration("--request-retention", config.request_retention, "24h",
                    "How long a request_id is remembered, that is, how long a write\n"
                    "can be repeated safely. The longest of all servers holds",
                    {absl::Seconds(1), absl::Hours(720)});
  settings.Duration("--audit-retention", config.audit_retention, "9600h",
                    "How long the audit trail is kept: 400 days. The longest of all\n"
                    "servers of the last day holds; 0 keeps it for ever",
                    {absl::Hours(24), absl::Hours(24 * 36'500), /*may_be_zero=*/true});
  settings.Count("--report-threshold", config.report_threshold, 5, 1'000'000,
                 "Number of readers' reports after which a comment waits for a\n"
                 "moderator; with 0 it stays visible",
                 /*min=*/0);
  AddPoolSettings(settings, config);
  AddCacheSettings(settings, config);
  AddLogSettings(settings, config, "info");
  AddCallLogSettings(settings, config);
  return &command;
}

// The one-shot commands print what they did, so they log only warnings and errors.
const CLI::App* AddMigrate(CLI::App& app, Config& config) {
  config.command = Config::Command::kMigrate;
  CLI::App& command = *app.add_subcommand("migrate", kMigrateDescription);
  command.footer(kMigrateFooter);
  command.add_flag("--servers-are-stopped", config.servers_are_stopped,
                   "Do not look for servers that are connected, such as those whose sessions a "
                   "pooler keeps");
  Settings settings(command, config);
  AddDatabaseSettings(settings, config);
  AddLogSettings(settings, config, "warning");
  return &command;
}

std::string CheckId(const std::string& id) {
  if (IsArticleId(id)) return "";
  return absl::StrCat("\"", id, "\" is not 1 to ", kMaxArticleIdLength,
                      " lower-case letters, digits and inner hyphens");
}

std::string CheckSource(const std::string& source) {
  Violations violations;
  CheckImportSource(source, "", violations);
  if (violations.empty()) return "";
  return absl::StrCat("\"", source, "\" ", violations.fields()[0].description);
}

void AddImportOptions(CLI::App& command, Config& config) {
  command.add_option("PATH", config.paths, "Files and folders to import")
      ->option_text("...")
      ->required();
  command
      .add_option("--title", config.overrides.title,
                  "Title of the article, which replaces that of the file (for a single file)")
      ->option_text("TITLE");
  command
      .add_option("--id", config.overrides.id,
                  "Id of the article, which replaces that of the file (for a single file)")
      ->option_text("ID")
      ->check(CLI::Validator(CheckId, ""));
  command
      .add_option("--author", config.overrides.author,
                  "Author or authors, as in a byline, in the place of those of the file (for a "
                  "single file)")
      ->option_text("NAMES");
  command
      .add_option("--date", config.overrides.date,
                  "Date of publication, which replaces that of the file (for a single file)")
      ->option_text("DATE");
  Choices<transfer::FileFormat> formats = {{"text", transfer::Format::kText},
                                           {"markdown", transfer::Format::kMarkdown},
                                           {"html", transfer::Format::kHtml}};
  for (const transfer::ExportFormat& format : transfer::ExportFormats()) {
    formats.emplace_back(std::string(format.name), &format);
  }
  AddChoice(command, "--format", config.format, formats,
            "Format of the files; otherwise their names and contents tell")
      ->option_text("FORMAT");
  command.add_flag("--replace", config.replace,
                   "Put articles in the place of those that have their ids and other content, and "
                   "rename those that have their former names");
  command
      .add_option("--source", config.import_source,
                  "Where comments come from, such as disqus:harbour, in the place of what their "
                  "file says; the same for every import from there")
      ->option_text("SOURCE")
      ->check(CLI::Validator(CheckSource, ""));
  command
      .add_option("--map", config.map_file,
                  "File with lines ADDRESS articles/ID, for comments whose article is not found by "
                  "the address of its page")
      ->option_text("FILE");
  command
      .add_option("--report", config.report_file,
                  "File for a line of JSON on what became of each item; an earlier report is "
                  "overwritten")
      ->option_text("FILE");
  command.add_flag("--dry-run", config.dry_run, "Only check what would be imported");
}

// As libpq takes it, or the first of its settings.
bool LooksLikeDatabaseUrl(const std::string& file) {
  const size_t keyword = file.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  const bool is_setting = keyword != 0 && keyword < file.size() && file[keyword] == '=';
  return is_setting || absl::StrContains(file, "://");
}

// A value of --database-url that was not quoted falls apart at its spaces, and the rest, perhaps a
// password, would be named as a file that does not exist.
void CheckIsNoDatabaseUrl(const std::string& file) {
  const bool is_suspect = LooksLikeDatabaseUrl(file) || absl::StrContains(file, '@');
  if (!is_suspect || std::filesystem::exists(file)) return;
  throw CLI::ValidationError(
      "an argument is no FILE, but looks like a part of a database URL; quote a value that "
      "contains spaces");
}

const CLI::App* AddImport(CLI::App& app, Config& config) {
  config.command = Config::Command::kImport;
  CLI::App& command = *app.add_subcommand("import", kImportDescription);
  command.footer(kImportFooter);
  AddImportOptions(command, config);
  Settings settings(command, config);
  AddDatabaseSettings(settings, config);
  AddLogSettings(settings, config, "warning");
  command.callback([&config] {
    const transfer::Overrides& overrides = config.overrides;
    const bool has_overrides = !overrides.title.empty() || !overrides.id.empty() ||
                               !overrides.author.empty() || !overrides.date.empty();
    for (const std::string& path : config.paths) CheckIsNoDatabaseUrl(path);
    std::error_code error;
    const bool is_one =
        config.paths.size() == 1 && !std::filesystem::is_directory(config.paths.front(), error);
    if (has_overrides && !is_one) {
      throw CLI::ValidationError("--title, --id, --author and --date need a single file");
    }
  });
  return &command;
}

// Reads a time of --since or --until.
CLI::Validator TimeInto(absl::Time& time) {
  return CLI::Validator(
      [&time](const std::string& text) -> std::string {
        const std::optional<absl::Time> read = transfer::ParseDate(text);
        if (!read) return absl::StrCat("\"", text, "\" is not a time such as 2025-06-12");
        time = *read;
        return "";
      },
      "");
}

// An empty filter would be none.
std::string CheckFilter(const std::string& text) { return text.empty() ? "must not be empty" : ""; }

void AddExportOptions(CLI::App& command, transfer::OutputOptions& options) {
  const Choices<transfer::OutputFormat> formats = {{"ndjson", transfer::OutputFormat::kNdjson},
                                                   {"markdown", transfer::OutputFormat::kMarkdown}};
  AddChoice(command, "--format", options.format, formats, "Format of the output")
      ->option_text("FORMAT [ndjson]");
  command
      .add_option("--output", options.output,
                  "File to write or, for markdown, folder; - is standard output")
      ->option_text("PATH [-]");
  ExportQuery& query = options.query;
  command.add_option("--article", query.article_id, "Only the article with this id")
      ->option_text("ID")
      ->check(CLI::Validator(CheckId, ""));
  command
      .add_option("--author", query.author,
                  "Only articles by this author: an id, or the name of one without an id")
      ->option_text("AUTHOR")
      ->check(CLI::Validator(CheckFilter, ""));
  command.add_option("--tag", query.tag, "Only articles with this tag")
      ->option_text("TAG")
      ->check(CLI::Validator(CheckFilter, ""));
  command.add_option("--since", "Only articles published at this time or later")
      ->option_text("TIME")
      ->check(TimeInto(query.published_after));
  command.add_option("--until", "Only articles published before this time")
      ->option_text("TIME")
      ->check(TimeInto(query.published_before));
}

const CLI::App* AddExport(CLI::App& app, Config& config) {
  config.command = Config::Command::kExport;
  CLI::App& command = *app.add_subcommand("export", kExportDescription);
  command.footer(kExportFooter);
  AddExportOptions(command, config.exporting);
  Settings settings(command, config);
  AddDatabaseSettings(settings, config);
  AddLogSettings(settings, config, "warning");
  command.callback([&config] {
    const transfer::OutputOptions& options = config.exporting;
    ExportQuery& query = config.exporting.query;
    if (options.format == transfer::OutputFormat::kMarkdown &&
        options.output == transfer::kStandardInput) {
      throw CLI::ValidationError("--format markdown needs --output, which names a folder");
    }
    if (!IsUtf8(query.author) || !IsUtf8(query.tag)) {
      throw CLI::ValidationError("--author and --tag must be UTF-8 text");
    }
    query.author = ToNfc(query.author);
    query.tag = ToNfc(query.tag);
    const bool is_filtered = !query.author.empty() || !query.tag.empty() ||
                             query.published_after != absl::InfinitePast() ||
                             query.published_before != absl::InfiniteFuture();
    if (!query.article_id.empty() && is_filtered) {
      throw CLI::ValidationError("--article goes with no other filter");
    }
  });
  return &command;
}

// The commands take no database URL, so no parts of one can be left over.
void CheckBackupFile(const std::string& file) {
  if (file.empty()) throw CLI::ValidationError("FILE is empty");
  if (!LooksLikeDatabaseUrl(file) || std::filesystem::exists(file)) return;
  throw CLI::ValidationError("FILE looks like a database URL");
}

// The settings of the commands for the embedded database alone.
void AddEmbeddedSettings(CLI::App& command, Config& config) {
  Settings settings(command, config);
  AddDataDir(settings, config, "Directory of the embedded database");
  settings.Text(kDatabaseUrl, "URL", config.database_url, "",
                "Refused: a database of your own has means of its own");
  AddLogSettings(settings, config, "warning");
  command.callback([&config] { CheckBackupFile(config.backup_file); });
}

const CLI::App* AddBackup(CLI::App& app, Config& config) {
  config.command = Config::Command::kBackup;
  CLI::App& command = *app.add_subcommand("backup", kBackupDescription);
  command.footer(kBackupFooter);
  command.add_option("FILE", config.backup_file, "File to write, or - for standard output")
      ->option_text("")
      ->required();
  command.add_flag("--force", config.may_overwrite, "Overwrite a FILE that exists");
  AddEmbeddedSettings(command, config);
  return &command;
}

const CLI::App* AddRestore(CLI::App& app, Config& config) {
  config.command = Config::Command::kRestore;
  CLI::App& command = *app.add_subcommand("restore", kRestoreDescription);
  command.footer(kRestoreFooter);
  command.add_option("FILE", config.backup_file, "Backup to restore, or - for standard input")
      ->option_text("")
      ->required();
  command.add_flag("--replace", config.may_replace,
                   "Also replace a database that is not empty, or cannot be started");
  AddEmbeddedSettings(command, config);
  return &command;
}

const CLI::App* AddPolicy(CLI::App& app, Config& config) {
  config.command = Config::Command::kCheckPolicy;
  CLI::App& command = *app.add_subcommand("policy", kPolicyDescription);
  command.require_subcommand(1);
  CLI::App& check = *command.add_subcommand("check", kCheckPolicyDescription);
  check.footer(kCheckPolicyFooter);
  PolicyQuestion& question = config.policy_question;
  check.add_option("FILE", question.file, "Policy, in YAML")->required();
  check.add_option("CALLER", question.caller, "Who calls")->required();
  check.add_option("METHOD", question.method, "What is called")->required();
  return &command;
}

std::vector<const CLI::Option*> SettingsOf(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* option) { return option->get_group() == kSettings; });
}

// The command line with the variables added to it.
struct Arguments {
  std::vector<std::string> words;
  std::set<std::string> from_variables;  // the flags that were added
  std::set<std::string> emptied;         // those that were given as `--flag=`
};

bool IsFlagGiven(const std::vector<std::string>& words, const std::string& flag) {
  const auto end = std::find(words.begin(), words.end(), "--");  // files follow
  return std::any_of(words.begin(), end, [&flag](const std::string& word) {
    return word == flag || absl::StartsWith(word, flag + "=");
  });
}

// The arguments, with a flag added for each variable whose setting they lack. (CLI11 reads
// variables too, but its versions differ in what they do with a wrong value, and for which
// commands.)
Arguments WithVariables(const CLI::App& app, std::vector<std::string> words) {
  Arguments arguments{.words = std::move(words), .from_variables = {}, .emptied = {}};
  const auto commands = app.get_subcommands([&arguments](const CLI::App* command) {
    return !arguments.words.empty() && command->get_name() == arguments.words.front();
  });
  if (commands.empty()) return arguments;
  for (const CLI::Option* setting : SettingsOf(*commands.front())) {
    const std::string flag = setting->get_name();
    const char* const value = std::getenv(VariableOf(flag).c_str());
    if (value != nullptr && *value != '\0' && !IsFlagGiven(arguments.words, flag)) {
      // Right after the command: after a `--` it would be a file.
      arguments.words.insert(arguments.words.begin() + 1, absl::StrCat(flag, "=", value));
      arguments.from_variables.insert(flag);
    }
  }
  // `--flag=` means the default, as an empty variable does. CLI11 would take the next word.
  for (const CLI::Option* option : commands.front()->get_options()) {
    const std::string& flag = option->get_name();
    if (std::erase(arguments.words, flag + "=") > 0) arguments.emptied.insert(flag);
  }
  return arguments;
}

// The flag or variable that a setting came from, as its user knows it.
std::string SourceOf(const std::string& flag, const Arguments& arguments) {
  return arguments.from_variables.contains(flag) ? VariableOf(flag) : flag;
}

bool HasValue(const CLI::App& command, const char* flag) {
  const auto& values = command.get_option(flag)->results();
  return !values.empty() && !values.back().empty();
}

// Refuses two answers to the question which database is meant, wherever they come from: a flag for
// one of them does not show that the other was left in the environment on purpose.
void CheckOneDatabase(const CLI::App& command, const Arguments& arguments) {
  if (HasValue(command, kDirectDatabaseUrl) && !HasValue(command, kDatabaseUrl)) {
    throw CLI::ValidationError(absl::StrCat(SourceOf(kDirectDatabaseUrl, arguments), " needs ",
                                            kDatabaseUrl, ", which names the same database"));
  }
  if (!HasValue(command, kDatabaseUrl) || !HasValue(command, kDataDir)) return;
  throw CLI::ValidationError(absl::StrCat(
      SourceOf(kDatabaseUrl, arguments), " and ", SourceOf(kDataDir, arguments),
      " name two different databases; give only one (`env -u VARIABLE` leaves a variable out)"));
}

void RefuseOwnDatabase(const CLI::App& command, const Arguments& arguments) {
  if (!HasValue(command, kDatabaseUrl)) return;
  throw CLI::ValidationError(absl::StrCat(
      SourceOf(kDatabaseUrl, arguments), " names a database of your own, and ", command.get_name(),
      " is for the embedded one: use pg_dump and pg_restore, or your provider's backups; see "
      "OPERATING.md. (`env -u VARIABLE` leaves a variable out)"));
}

// Refuses settings of access that are empty, that have no effect without another, which was
// probably forgotten, or that contradict each other.
void CheckAccess(const CLI::App& command, const Arguments& arguments) {
  static constexpr std::pair<const char*, const char*> kNeeds[] = {
      {kCertFile, kKeyFile},      {kKeyFile, kCertFile},
      {kClientCaFile, kCertFile}, {kClientCert, kClientCaFile},
      {kCrlDir, kClientCaFile},   {kJwksFile, kJwtIssuer},
      {kJwksFile, kJwtAudience},  {kJwtIssuer, kJwksFile},
      {kJwtAudience, kJwksFile},  {kJwt, kJwksFile}};
  // The name of a variable that a script did not set may be mistyped.
  for (const char* const flag : {kCertFile, kClientCaFile, kCrlDir, kJwksFile, kPolicyFile}) {
    if (!arguments.emptied.contains(flag)) continue;
    throw CLI::ValidationError(absl::StrCat(flag, " is empty; leave it out to do without"));
  }
  for (const auto& [flag, needed] : kNeeds) {
    if (!HasValue(command, flag) || HasValue(command, needed)) continue;
    throw CLI::ValidationError(absl::StrCat(SourceOf(flag, arguments), " needs ", needed));
  }
  if (!command.get_option(kInsecure)->as<bool>() || !HasValue(command, kCertFile)) return;
  throw CLI::ValidationError(absl::StrCat(SourceOf(kInsecure, arguments), " and ",
                                          SourceOf(kCertFile, arguments),
                                          " contradict each other; give only one"));
}

// CLI11 quotes the arguments that it did not expect. One of them may be a part of the database URL,
// such as `password=secret` after a space, so only names of options and commands are quoted.
std::string Unexpected(const CLI::App& app) {
  const bool lacks_command = app.get_subcommands().empty();
  for (const std::string& argument : app.remaining(/*recurse=*/true)) {
    const size_t end = argument.find_first_not_of("-abcdefghijklmnopqrstuvwxyz");
    const std::string name = argument.substr(0, end);
    if (absl::StartsWith(name, "--") || (lacks_command && name == argument)) {
      return absl::StrCat(name, " was not expected");
    }
  }
  return "an argument was not expected; quote a value that contains spaces";
}

std::string UsageError(const CLI::App& app, const CLI::Error& error, const Arguments& arguments) {
  const auto commands = app.get_subcommands();
  const std::string command =
      commands.empty() ? "contentd" : absl::StrCat("contentd ", commands.front()->get_name());
  const bool is_unexpected = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  std::string problem = is_unexpected ? Unexpected(app) : error.what();
  for (const std::string& flag : arguments.from_variables) {
    absl::string_view rest = problem;
    if (absl::ConsumePrefix(&rest, flag + ":")) problem = absl::StrCat(VariableOf(flag), ":", rest);
  }
  return absl::StrCat("contentd: ", problem, "\nTry `", command, " --help`.\n");
}

}  // namespace

std::variant<Config, ExitNow> ReadConfig(int argc, const char* const* argv) {
  CLI::App app(kDescription, "contentd");
  app.formatter_fn([](const CLI::App* command, const std::string& name, CLI::AppFormatMode) {
    return MakeHelp(*command, name);
  });
  app.footer(kFooter);
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", kVersion, "Print the version and exit");
  app.require_subcommand(0, 1);  // an unknown command is then reported by its name
  // Each command has its own config, because initial values differ. An import and an export open
  // the store with those of serve.
  Config serve;
  const CLI::App* const serve_command = AddServe(app, serve);
  Config migrate;
  Config import = serve;
  import.settings.clear();
  import.database_wait = absl::ZeroDuration();
  Config exporting = import;
  Config backup;
  Config restore;
  Config policy;
  const CLI::App* const policy_command = AddPolicy(app, policy);
  const std::pair<const CLI::App*, Config*> commands[] = {
      {serve_command, &serve},           {AddMigrate(app, migrate), &migrate},
      {AddImport(app, import), &import}, {AddExport(app, exporting), &exporting},
      {AddBackup(app, backup), &backup}, {AddRestore(app, restore), &restore},
  };
  std::set<std::string> variables;
  for (const auto& [command, config] : commands) {
    for (const CLI::Option* setting : SettingsOf(*command)) {
      variables.insert(VariableOf(setting->get_name()));
    }
  }
  const Arguments arguments = WithVariables(app, {argv + 1, argv + argc});
  app.failure_message([&arguments](const CLI::App* failed, const CLI::Error& error) {
    return UsageError(*failed, error, arguments);
  });
  try {
    std::vector<std::string> reversed(arguments.words.rbegin(), arguments.words.rend());
    app.parse(std::move(reversed));  // CLI11 takes them in this order
    if (policy_command->parsed()) return policy;
    for (const auto& [command, config] : commands) {
      if (!command->parsed()) continue;
      if (config == &backup || config == &restore) {
        RefuseOwnDatabase(*command, arguments);
      } else {
        CheckOneDatabase(*command, arguments);
      }
      if (command == serve_command) CheckAccess(*command, arguments);
      config->database_url_source = SourceOf(kDatabaseUrl, arguments);
      config->direct_database_url_source = SourceOf(kDirectDatabaseUrl, arguments);
      config->unknown_variables = FindUnknownVariables(variables);
      return std::move(*config);
    }
    throw CLI::RequiredError("A command");
  } catch (const CLI::ParseError& error) {
    return ExitNow{app.exit(error) == 0 ? 0 : 2};
  }
}

}  // namespace content
