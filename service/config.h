#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "import/importer.h"
#include "telemetry/log.h"

namespace content {

/// What the process is to do and how, from flags and CONTENT_* variables, which are read nowhere
/// else. A flag wins over its variable.
struct Config {
  enum class Command { kServe, kMigrate, kImport };
  Command command = Command::kServe;

  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kAuto;

  /// Empty: the embedded database under data_dir.
  std::string database_url;
  std::string data_dir;

  std::string listen;
  absl::Duration drain_timeout;
  int read_connections = 0;
  int write_connections = 0;
  int queue_limit = 0;
  absl::Duration statement_timeout;
  /// Whether instances tell each other of changes by NOTIFY.
  bool notifications = true;
  int64_t cache_bytes = 0;
  /// How old an answer from memory may be, and how much older while the database cannot be asked.
  absl::Duration max_staleness;
  absl::Duration stale_if_error;
  absl::Duration watch_write_timeout;
  /// How long a request_id is kept.
  absl::Duration request_retention;

  std::vector<std::string> files;
  importer::Overrides overrides;
  std::optional<importer::Format> format;  // unset: by the file's name
  bool dry_run = false;

  /// Every setting of the command but the database URL, which may hold a password: by the name of
  /// its flag without dashes, as it was given or is without being given.
  std::map<std::string, std::string> settings;
};

/// Exit status of a process that is done already: help was asked for, or a setting is wrong, which
/// has been printed.
struct ExitNow {
  int status;
};

std::variant<Config, ExitNow> ReadConfig(int argc, const char* const* argv);

}  // namespace content
