#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "http/statusz/history.h"
#include "telemetry/recent_events.h"

namespace content::statusz {

/// What the process is about.
enum class Phase {
  kStarting,
  kServing,
  kSchemaUnfit,  ///< It would serve, but for the schema that the database has.
  kStopping,
};

enum class Severity { kNotice, kWarning, kCritical };

/// What may be wrong, the worst first.
enum class Trouble {
  kStarting,
  kStopping,
  kSchemaUnfit,
  kDatabaseAway,
  kMemoryShort,
  kCertificateExpired,
  kQueueFull,
  kCallsFail,
  kFilesShort,
  kCertificatesRefused,
  kPolicyRefused,
  kStandbyLags,
  kClocksDiffer,
  kCertificateExpires,
};

struct Problem {
  Trouble trouble;
  Severity severity;
  /// A sentence without its full stop, after which " since 14:02:11" makes sense.
  std::string what;
  std::string advice;     ///< what to do: sentences
  std::string section;    ///< where deploy/OPERATING.md says more
  bool has_onset = true;  ///< Whether it began at some time, and does not only lie ahead.
  std::optional<absl::Time> since = std::nullopt;
};

struct Method {
  std::string service;
  std::string name;
  double in_flight = 0;
  double handled = 0;
  double failed = 0;
  std::optional<double> median_latency = std::nullopt;  ///< in seconds, since the start
  std::optional<double> slow_latency = std::nullopt;
};

struct Pool {
  std::string name;
  double busy = 0;
  double open = 0;
  double limit = 0;  ///< of open connections
  // Jobs that wait for a connection; several calls may be one.
  double prompt_jobs = 0;
  double other_jobs = 0;
  double calls = 0;  ///< that wait
  double call_limit = 0;
  double refused = 0;
  std::optional<double> queue_wait = std::nullopt;  ///< in seconds, 99th percentile since the start
};

struct Cache {
  double bytes = 0;
  double limit = 0;
  double entries = 0;
  double hits = 0;
  double misses = 0;
  double stale_answers = 0;
  double evictions = 0;
  double flights = 0;
};

struct Database {
  bool is_up = false;
  bool breaker_is_open = false;
  std::string version = {};                               ///< empty while no connection is open
  double timeline = 0;                                    ///< 0: not known yet
  std::optional<double> clock_skew = std::nullopt;        ///< in seconds
  std::optional<double> notification_lag = std::nullopt;  ///< in seconds, 99th percentile
  std::optional<double> median_time = std::nullopt;
  std::optional<double> slow_time = std::nullopt;
  std::map<std::string, double> errors = {};            ///< by class of SQLSTATE
  std::map<std::string, double> replication_lags = {};  ///< in seconds, by application_name
};

struct Process {
  double resident_bytes = 0;
  bool memory_is_short = false;
  double memory_limit = 0;  ///< above which memory is short; 0: never
  double open_files = 0;
  double max_files = 0;
  double cpu_seconds = 0;
  double connections = 0;
  double refused_connections = 0;
};

/// What the page shows: everything is plain data, and nothing of it is secret or about a person.
struct Status {
  absl::Time now;
  absl::Time start;
  Phase phase = Phase::kServing;
  bool has_server = false;  ///< Whether there is more to tell than of the process.
  std::string host = {};
  std::string version = {};
  std::string commit = {};
  std::string grpc = {};
  std::string libpq = {};
  std::vector<Problem> problems = {};        ///< the worst first
  std::vector<Method> methods = {};          ///< that have been called
  std::map<std::string, double> codes = {};  ///< calls that have ended, by grpc_code
  std::vector<Pool> pools = {};
  Cache cache = {};
  Database database = {};
  std::map<std::string, double> watchers = {};          ///< by feed
  std::map<std::string, double> rate_limited = {};      ///< calls, by limit
  std::map<std::string, double> calls_refused = {};     ///< by reason
  std::map<std::string, absl::Time> certificates = {};  ///< when they expire, by file
  Process process = {};
  std::vector<log::RecentEvent> events = {};  ///< the last one first
  std::vector<Sample> history = {};           ///< the oldest first
};

}  // namespace content::statusz
