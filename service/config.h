#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "telemetry/call_log_options.h"
#include "telemetry/log.h"
#include "tls/files.h"
#include "transfer/exports/formats.h"
#include "transfer/out/exporter.h"
#include "transfer/parse.h"
#include "variables.h"

namespace content {

/// Whether a policy lets a caller call a method, as `policy check` is asked.
struct PolicyQuestion {
  std::string file;
  std::string caller;
  std::string method;
};

/// The command to run and its settings. They come from flags and CONTENT_* variables, which nothing
/// else reads; a flag overrides its variable.
struct Config {
  static constexpr char kOff[] = "off";

  enum class Command { kServe, kMigrate, kImport, kExport, kCheckPolicy };
  Command command = Command::kServe;

  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kAuto;
  /// What is written about calls. Without an exporter.
  CallLogOptions calls;
  /// Where the spans of sampled calls go. Empty: nowhere.
  std::string otlp_endpoint;

  /// Empty: the embedded database under data_dir.
  std::string database_url;
  /// Where database_url was given: --database-url or CONTENT_DATABASE_URL.
  std::string database_url_source;
  /// The same database without a pooler, for notifications and migrations. Empty: database_url.
  std::string direct_database_url;
  /// Where direct_database_url was given.
  std::string direct_database_url_source;
  /// How long to wait for a database that cannot be reached at startup.
  absl::Duration database_wait;
  std::string data_dir;

  std::string listen;
  /// Where operators reach all services. Empty: everybody does, at `listen`.
  std::string admin_listen;
  /// Where operators see the pages of http/; kOff: nowhere.
  std::string http_listen;
  /// The operator's files. Without a cert_file, the port is in plaintext.
  tls::Paths tls;
  /// The public keys of the issuer of tokens; empty: tokens are ignored.
  std::string jwks_file;
  std::string token_issuer;
  std::string token_audience;
  /// Who may do what; empty: everybody may do everything.
  std::string policy_file;
  bool client_certificate_is_required = true;
  bool token_is_required = false;
  /// Whether a proxy on this machine says who calls.
  bool forwarded_client_cert = false;
  /// Whether plaintext is allowed where other machines can reach the port.
  bool insecure = false;
  /// How long a stopping server still serves all calls.
  absl::Duration drain_delay;
  absl::Duration drain_timeout;
  int read_connections = 0;
  int write_connections = 0;
  int queue_limit = 0;
  absl::Duration statement_timeout;
  /// Lifetime of a database connection. 0: it is never replaced.
  absl::Duration connection_lifetime;
  /// Number of readers' reports that move a comment to PENDING; 0: none do.
  int report_threshold = 0;
  /// Whether servers notify each other of changes.
  bool notifications = true;
  int64_t cache_bytes = 0;
  /// Memory of the process in bytes above which only cached reads are answered. 0: no limit.
  int64_t memory_limit = 0;
  /// Maximum age of an answer from the cache.
  absl::Duration max_staleness;
  /// Additional age that is allowed while the database cannot be queried.
  absl::Duration stale_if_error;
  absl::Duration watch_write_timeout;
  /// Zero: connections have no maximum age.
  absl::Duration max_connection_age;
  /// How long a request_id is remembered.
  absl::Duration request_retention;
  /// How long events of the audit trail are kept. 0: for ever.
  absl::Duration audit_retention;

  /// What to import: files, folders, and `-`.
  std::vector<std::string> paths;
  transfer::Overrides overrides;
  std::optional<transfer::FileFormat> format;  // unset: each file's own
  /// Where comments come from; empty: what their file says.
  std::string import_source;
  /// File with the articles of pages; empty: none.
  std::string map_file;
  /// Whether articles take the place of those that have their ids.
  bool replace = false;
  /// Where to write what became of each item; empty: nowhere.
  std::string report_file;
  bool dry_run = false;

  /// What to export, and where to. Without the members that are for people.
  transfer::OutputOptions exporting;

  /// Whether to migrate without looking for servers that are connected.
  bool servers_are_stopped = false;

  PolicyQuestion policy_question;

  /// The settings of the command by the names of their flags without leading dashes: the text that
  /// was given, or the default. Omits the database URLs, because they may contain a password.
  std::map<std::string, std::string> settings;

  /// Variables that are probably misspelt.
  std::vector<UnknownVariable> unknown_variables;
};

/// The process should exit now with this status: help was printed, or a setting is wrong and the
/// error was printed.
struct ExitNow {
  int status;
};

/// Reads the command line and the CONTENT_* variables. Prints help and errors itself. Call it once.
std::variant<Config, ExitNow> ReadConfig(int argc, const char* const* argv);

}  // namespace content
