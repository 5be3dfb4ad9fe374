#include "commands.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "access/gate.h"
#include "backup_file.h"
#include "base/clock.h"
#include "base/memory_guard.h"
#include "cache/article_cache.h"
#include "commit.h"
#include "content/v1/admin_service.pb.h"
#include "embedded/backup.h"
#include "embedded/postgres.h"
#include "export_files.h"
#include "google/protobuf/util/time_util.h"
#include "http/listener.h"
#include "http/pages.h"
#include "http/statusz/status.h"
#include "import_files.h"
#include "open_files.h"
#include "schema_wait.h"
#include "server/janitor.h"
#include "server/listening.h"
#include "server/releaser.h"
#include "server/server.h"
#include "service_manager.h"
#include "stop_signals.h"
#include "store/postgres_store.h"
#include "store/restored.h"
#include "store/schema.h"
#include "telemetry/call_log_options.h"
#include "telemetry/log.h"
#include "telemetry/traces.h"
#include "tls/reloader.h"
#include "transfer/importer.h"

namespace content {
namespace {

using google::protobuf::util::TimeUtil;

int Fail(const absl::Status& status) {
  log::Print(absl::StrCat("contentd: ", status.message()));
  return 1;
}

// The exit status tells that nothing came in.
int FailImport(const absl::Status& status) {
  Fail(status);
  return 2;
}

// The configured database, or an embedded one that runs until this object is destroyed.
struct Database {
  std::string url;
  std::string description;                            // for people; without any part of the URL
  std::unique_ptr<embedded::Postgres> postgres = {};  // nullptr unless it is embedded and ours
};

Database ConfiguredDatabase(const Config& config) {
  return {.url = config.database_url,
          .description = absl::StrCat("the database that ", config.database_url_source, " names")};
}

std::string DescribeEmbedded(const Config& config) {
  const std::string path = std::filesystem::absolute(config.data_dir).lexically_normal().string();
  return absl::StrCat("the embedded database in ", path);
}

std::string DescribeEmbedded(const Config& config, absl::string_view who_runs_it) {
  return absl::StrCat(DescribeEmbedded(config), ", which ", who_runs_it);
}

absl::StatusOr<Database> StartEmbedded(const Config& config, bool create) {
  auto postgres = embedded::Postgres::Start({.data_dir = config.data_dir, .create = create});
  if (!postgres.ok()) return postgres.status();
  return Database{.url = (*postgres)->url(),
                  .description = DescribeEmbedded(config, "no server uses now"),
                  .postgres = *std::move(postgres)};
}

absl::StatusOr<Database> OpenDatabase(const Config& config) {
  if (!config.database_url.empty()) return ConfiguredDatabase(config);
  return StartEmbedded(config, /*create=*/true);
}

// Returns the embedded database, which a running server may use. Never creates one: in a directory
// that was mistyped, it would be created and used without a word.
absl::StatusOr<Database> JoinEmbedded(const Config& config) {
  if (auto url = embedded::RunningUrl(config.data_dir); url.ok()) {
    return Database{.url = *url, .description = DescribeEmbedded(config, "a running server uses")};
  }
  return StartEmbedded(config, /*create=*/false);
}

absl::StatusOr<Database> JoinDatabase(const Config& config) {
  if (!config.database_url.empty()) return ConfiguredDatabase(config);
  absl::StatusOr<Database> database = JoinEmbedded(config);
  if (!absl::IsNotFound(database.status())) return database;
  return absl::NotFoundError(
      absl::StrCat(database.status().message(),
                   "; give the --data-dir or --database-url of the server. (`contentd serve` "
                   "creates an embedded database.)"));
}

// Checks that the direct URL leads to the same database. If it leads nowhere at present, the
// connection for notifications will try again.
absl::Status CheckDirectUrl(const Config& config) {
  if (config.direct_database_url.empty()) return absl::OkStatus();
  const absl::Status status =
      store::CheckSameDatabase(config.database_url, config.direct_database_url);
  if (!absl::IsFailedPrecondition(status)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(config.direct_database_url_source, ": ", status.message()));
}

// Migrates an embedded database, because a server that is just starting may not have done so yet.
// Any other database is only checked, once it can be reached: its operator decides when to migrate
// it.
absl::Status PrepareSchema(const Config& config, const Database& database) {
  if (config.database_url.empty()) {
    const auto report = [](absl::string_view line) {
      log::Info("migrating", {{"message", std::string(line)}});
    };
    return store::Migrate(database.url, {.report = report}).status();
  }
  absl::Status status = AwaitSchema(database.url, config.database_wait);
  return status.ok() ? CheckDirectUrl(config) : status;
}

// Returns settings for a command that does not go through a pooler.
Config WithoutPooler(Config config) {
  if (config.direct_database_url.empty()) return config;
  config.database_url = config.direct_database_url;
  config.database_url_source = config.direct_database_url_source;
  return config;
}

store::PostgresOptions StoreOptions(const Config& config, const Database& database,
                                    const MemoryGuard* memory = nullptr) {
  return {.url = database.url,
          .direct_url = config.direct_database_url,
          .read_connections = config.read_connections,
          .write_connections = config.write_connections,
          .queue_limit = config.queue_limit,
          .memory = memory,
          .statement_timeout = config.statement_timeout,
          .connection_lifetime = config.connection_lifetime == absl::ZeroDuration()
                                     ? absl::InfiniteDuration()
                                     : config.connection_lifetime,
          .report_threshold = config.report_threshold,
          .notifications = config.notifications};
}

// Tells the operator if memory will be short although nothing is wrong.
void CheckMemoryLimit(const Config& config) {
  const int64_t needed = config.cache_bytes + server::kMaxGrpcBytes;
  if (config.memory_limit == 0 || config.memory_limit >= needed) return;
  log::Warning("memory limit is low", {{"limit", config.memory_limit}, {"needed", needed}});
}

// The part of GetServerInfo's answer that does not change.
v1::GetServerInfoResponse MakeServerInfo(const Config& config) {
  v1::GetServerInfoResponse info;
  info.set_version(CONTENT_VERSION);
  *info.mutable_start_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now()));
  *info.mutable_request_retention() =
      TimeUtil::MillisecondsToDuration(absl::ToInt64Milliseconds(config.request_retention));
  info.mutable_settings()->insert(config.settings.begin(), config.settings.end());
  const auto hide = [](const std::string& url) { return url.empty() ? "" : "(not shown)"; };
  (*info.mutable_settings())["database-url"] = hide(config.database_url);
  (*info.mutable_settings())["direct-database-url"] = hide(config.direct_database_url);
  return info;
}

// Returns the certificates to serve with; nullptr for plaintext.
absl::StatusOr<std::unique_ptr<tls::Reloader>> LoadCertificates(const Config& config) {
  if (config.tls.cert_file.empty()) return nullptr;
  return tls::Reloader::Start(config.tls);
}

std::optional<server::Tls> TlsOf(const Config& config, const tls::Reloader* certificates) {
  if (certificates == nullptr) return std::nullopt;
  return server::Tls{.files = certificates->staged(),
                     .client_certificate_is_required = config.client_certificate_is_required};
}

// Listens on an address of the configuration. FAILED_PRECONDITION if plaintext could be read from
// other machines, and --insecure does not allow that. The sockets tell: a name may have other
// addresses the next time that it is resolved.
absl::StatusOr<server::Listening> ListenOn(const std::string& address, const Config& config) {
  absl::StatusOr<server::Listening> listening = server::Listen(address);
  const bool is_encrypted = !config.tls.cert_file.empty();
  if (!listening.ok() || listening->is_local || is_encrypted || config.insecure) return listening;
  return absl::FailedPreconditionError(
      absl::StrCat("other machines can reach ", address,
                   ", so calls must be encrypted: give --tls-cert-file and --tls-key-file, or "
                   "--insecure if the network is trusted"));
}

absl::StatusOr<server::Listeners> OpenListeners(const Config& config) {
  absl::StatusOr<server::Listening> main = ListenOn(config.listen, config);
  if (!main.ok()) return main.status();
  server::Listeners listeners{.main = *std::move(main)};
  if (config.admin_listen.empty()) return listeners;
  absl::StatusOr<server::Listening> admin = ListenOn(config.admin_listen, config);
  if (!admin.ok()) return admin.status();
  listeners.admin.emplace(*std::move(admin));
  return listeners;
}

access::GateOptions OptionsOfGate(const Config& config) {
  access::GateOptions options{.forwarded_certificates = config.forwarded_client_cert,
                              .policy_file = config.policy_file};
  if (!config.jwks_file.empty()) {
    options.tokens = access::TokenOptions{.jwks_file = config.jwks_file,
                                          .issuer = config.token_issuer,
                                          .audience = config.token_audience,
                                          .are_required = config.token_is_required};
  }
  return options;
}

http::Program ThisProgram() {
  return {.version = CONTENT_VERSION, .commit = std::string(Commit()), .start = absl::Now()};
}

// Serves the pages of a process that starts. Returns nullptr if they are not wanted.
absl::StatusOr<std::unique_ptr<http::Listener>> ServePages(const Config& config,
                                                           const http::Program& program) {
  if (config.http_listen == Config::kOff) return nullptr;
  absl::StatusOr<server::Listening> listening = server::Listen(config.http_listen);
  if (!listening.ok()) return listening.status();
  const std::string address = listening->address;
  auto listener = http::Listener::Start(
      *std::move(listening), http::PagesOutOfService(program, statusz::Phase::kStarting));
  if (listener.ok()) log::Info("serving http", {{"address", address}});
  return listener;
}

// Shows the pages of a server while it exists.
class ShownPages {
 public:
  // `listener` may be nullptr.
  ShownPages(http::Listener* listener, http::Program program, const http::Rooms& rooms)
      : listener_(listener), program_(std::move(program)) {
    if (listener_ != nullptr) listener_->Show(http::PagesOf(program_, rooms));
  }
  ~ShownPages() {
    if (listener_ != nullptr)
      listener_->Show(http::PagesOutOfService(program_, statusz::Phase::kStopping));
  }

  ShownPages(const ShownPages&) = delete;
  ShownPages& operator=(const ShownPages&) = delete;

 private:
  http::Listener* const listener_;
  const http::Program program_;
};

// To be logged once the server serves: their actual ports.
struct ServedAddresses {
  std::string main;
  std::string admin;  // empty if there is none
};

ServedAddresses AddressesOf(const server::Listeners& listeners) {
  return {.main = listeners.main.address,
          .admin = listeners.admin ? listeners.admin->address : std::string()};
}

// Returns where spans go; nullptr for nowhere.
std::unique_ptr<traces::Exporter> ExporterOf(const Config& config) {
  if (config.otlp_endpoint.empty()) return nullptr;
  return traces::NewOtlpExporter(config.otlp_endpoint, CONTENT_VERSION);
}

CallLogOptions OptionsOfCallLog(const Config& config, traces::Exporter* exporter) {
  CallLogOptions options = config.calls;
  options.exporter = exporter;
  return options;
}

absl::Status BackUpTo(int file, const Config& config) {
  const absl::StatusOr<Database> database = JoinEmbedded(config);
  if (!database.ok()) return database.status();
  std::cerr << "backing up " << database->description << std::endl;
  return embedded::BackUp(config.data_dir, file);
}

int BackUpToStandardOutput(const Config& config) {
  if (isatty(STDOUT_FILENO) == 1) {
    return Fail(absl::FailedPreconditionError(
        "standard output is a terminal: redirect it, or name a FILE"));
  }
  const absl::Status status = BackUpTo(STDOUT_FILENO, config);
  return status.ok() ? 0 : Fail(status);
}

// Returns a descriptor, which stays open until the process ends.
absl::StatusOr<int> OpenBackup(const std::string& path) {
  if (path == Config::kStandardStream) return STDIN_FILENO;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) return fd;
  return absl::NotFoundError(
      absl::StrCat("cannot read ", path, ": ", std::generic_category().message(errno)));
}

void LogServing(const ServedAddresses& addresses) {
  if (!addresses.admin.empty()) log::Info("serving operators", {{"address", addresses.admin}});
  log::Info("serving", {{"address", addresses.main}, {"version", CONTENT_VERSION}});
}

// Time for calls that were cancelled at the drain timeout to end.
constexpr absl::Duration kCancelTimeout = absl::Seconds(1);

// Ends the process after a timeout, unless it is destroyed first. A stopping server waits for
// statements under way, but a database that does not answer must not keep it.
class ExitTimer {
 public:
  // Takes the thread that it needs at once: when the server stops, the system may have none left.
  ExitTimer() : thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  // Call it once.
  void Start(absl::Duration timeout) {
    const std::lock_guard lock(mutex_);
    timeout_ = timeout;
    started_.notify_one();
  }

 private:
  void Run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!started_.wait(lock, stop, [this] { return timeout_.has_value(); })) return;
    const absl::Duration timeout = *timeout_;
    lock.unlock();
    SteadyClock::System().SleepFor(timeout, stop);
    if (stop.stop_requested()) return;
    log::Warning("stopped without waiting for the database");
    log::Flush();
    std::_Exit(0);
  }

  std::mutex mutex_;
  std::condition_variable_any started_;
  std::optional<absl::Duration> timeout_;  // nullopt until it is started. Guarded by mutex_.
  std::jthread thread_;                    // Last: it uses the other members.
};

// Serves until a signal, and then until clients have had time to move.
void ServeUntilStopped(const Config& config, StopSignals& signals, server::Server& server,
                       const ServiceManager& manager) {
  const std::optional<int> signal = signals.Await();
  manager.Stopping();
  log::Info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"},
                         {"delay", absl::FormatDuration(config.drain_delay)}});
  server.LeaveRotation();
  signals.Await(config.drain_delay);
  // For operators who do not want to wait for calls in flight.
  signals.Release();
}

}  // namespace

int Serve(const Config& config) {
  const ServiceManager manager;
  log::WriteInBackground();
  StopSignals signals;
  RaiseOpenFilesLimit();
  CheckMemoryLimit(config);
  const http::Program program = ThisProgram();
  const absl::StatusOr<std::unique_ptr<http::Listener>> pages = ServePages(config, program);
  if (!pages.ok()) return Fail(pages.status());
  const absl::StatusOr<std::unique_ptr<tls::Reloader>> certificates = LoadCertificates(config);
  if (!certificates.ok()) return Fail(certificates.status());
  const absl::StatusOr<std::unique_ptr<access::Gate>> gate =
      access::Gate::Start(OptionsOfGate(config));
  if (!gate.ok()) return Fail(gate.status());
  absl::StatusOr<Database> database = OpenDatabase(config);
  if (!database.ok()) return Fail(database.status());
  if (absl::Status status = PrepareSchema(config, *database); !status.ok()) return Fail(status);
  const MemoryGuard memory({.limit = config.memory_limit});
  const store::PostgresOptions options = StoreOptions(config, *database, &memory);
  if (absl::Status status = store::CheckPoolSize(options); !status.ok()) return Fail(status);
  ExitTimer exit_timer;  // Destroyed once nothing waits for the database any more.
  const absl::StatusOr<std::unique_ptr<store::ObservedStore>> store =
      store::NewPostgresStore(options);
  if (!store.ok()) return Fail(store.status());

  cache::ArticleCache reads(**store, {.max_bytes = config.cache_bytes,
                                      .max_staleness = config.max_staleness,
                                      .stale_if_error = config.stale_if_error});
  const server::Janitor janitor(
      **store,
      {.requests = config.request_retention,
       .audit_events = config.audit_retention == absl::ZeroDuration() ? absl::InfiniteDuration()
                                                                      : config.audit_retention});
  const server::Releaser releaser(**store);
  signals.Hold();
  log::LimitEachKind();  // Not before: every migration at the start is an event of its own.
  absl::StatusOr<server::Listeners> listeners = OpenListeners(config);
  if (!listeners.ok()) return Fail(listeners.status());
  const ServedAddresses addresses = AddressesOf(*listeners);
  const std::unique_ptr<traces::Exporter> exporter = ExporterOf(config);
  auto server = server::Server::Start({.tls = TlsOf(config, certificates->get()),
                                       .drain_timeout = config.drain_timeout,
                                       .write_timeout = config.watch_write_timeout,
                                       .max_connection_age = config.max_connection_age,
                                       .calls = OptionsOfCallLog(config, exporter.get()),
                                       .info = MakeServerInfo(config)},
                                      *std::move(listeners), **store, reads, **gate, memory);
  if (!server.ok()) return Fail(server.status());
  const ShownPages shown(pages->get(), program,
                         {.store = **store,
                          .cache = reads,
                          .server = **server,
                          .gate = **gate,
                          .memory = memory,
                          .certificates = certificates->get()});

  LogServing(addresses);
  manager.Ready();
  ServeUntilStopped(config, signals, **server, manager);
  exit_timer.Start(config.drain_timeout + kCancelTimeout);
  (*server)->Stop();
  log::Info("stopped");
  return 0;
}

int Migrate(const Config& config) {
  const absl::StatusOr<Database> database = JoinDatabase(WithoutPooler(config));
  if (!database.ok()) return Fail(database.status());
  std::cerr << "migrating " << database->description << "\n";
  const auto report = [](absl::string_view line) { std::cerr << line << std::endl; };
  const absl::StatusOr<std::vector<std::string>> applied = store::Migrate(
      database->url, {.report = report, .servers_are_stopped = config.servers_are_stopped});
  if (!applied.ok()) return Fail(applied.status());
  for (const std::string& name : *applied) std::cout << "applied " << name << "\n";
  std::cout << "the schema suits this contentd, which needs version "
            << store::NeededSchemaVersion() << "\n";
  return 0;
}

int Import(const Config& config) {
  StopSignals signals;
  if (config.dry_run) return ImportFiles(config, nullptr, signals);
  const absl::StatusOr<Database> database = JoinDatabase(config);
  if (!database.ok()) return FailImport(database.status());
  std::cerr << "importing into " << database->description << "\n";
  const absl::Status schema = PrepareSchema(config, *database);
  if (!schema.ok()) return FailImport(schema);
  store::PostgresOptions options = StoreOptions(config, *database);
  // The store lets one caller wait with as many (PublishingPoolOptions).
  options.articles_per_commit = transfer::Importer::kMaxInFlight;
  const absl::StatusOr<std::unique_ptr<Store>> store = store::NewPostgresStore(options);
  if (!store.ok()) return FailImport(store.status());
  return ImportFiles(config, store->get(), signals);
}

int Export(const Config& config) {
  StopSignals signals;
  const absl::StatusOr<Database> database = JoinDatabase(config);
  if (!database.ok()) return Fail(database.status());
  std::cerr << "exporting from " << database->description << "\n";
  if (absl::Status status = PrepareSchema(config, *database); !status.ok()) return Fail(status);
  store::PostgresOptions options = StoreOptions(config, *database);
  options.notifications = false;
  const absl::StatusOr<std::unique_ptr<store::ObservedStore>> store =
      store::NewPostgresStore(options);
  if (!store.ok()) return Fail(store.status());
  return ExportFiles(config, **store, signals);
}

int Backup(const Config& config) {
  if (config.backup_file == Config::kStandardStream) return BackUpToStandardOutput(config);
  const absl::StatusOr<std::unique_ptr<BackupFile>> file =
      BackupFile::Create(config.backup_file, config.may_overwrite);
  if (!file.ok()) return Fail(file.status());
  if (absl::Status status = BackUpTo((*file)->fd(), config); !status.ok()) return Fail(status);
  const absl::StatusOr<int64_t> size = (*file)->Keep();
  if (!size.ok()) return Fail(size.status());
  std::cout << "wrote " << config.backup_file << ", " << *size << " bytes\n";
  return 0;
}

int Restore(const Config& config) {
  const absl::StatusOr<int> file = OpenBackup(config.backup_file);
  if (!file.ok()) return Fail(file.status());
  std::cerr << "restoring " << DescribeEmbedded(config) << std::endl;
  const auto check_is_empty = [](const absl::StatusOr<std::string>& url) {
    absl::Status status = url.ok() ? store::CheckIsEmpty(*url) : url.status();
    // A database that is not empty or does not start; but none that fails while it is looked at.
    if (url.ok() && !absl::IsFailedPrecondition(status)) return status;
    return absl::Status(
        status.code(),
        absl::StrCat(status.message(), "; --replace puts the backup in its place, and keeps it"));
  };
  const auto prepare = [](const std::string& url) {
    const auto report = [](absl::string_view line) { std::cerr << line << std::endl; };
    return store::PrepareRestored(url, {.report = report});
  };
  const absl::StatusOr<std::string> kept = embedded::Restore({.data_dir = config.data_dir,
                                                              .file = *file,
                                                              .may_replace = config.may_replace,
                                                              .check_is_empty = check_is_empty,
                                                              .prepare = prepare});
  if (!kept.ok()) return Fail(kept.status());
  std::cout << "restored " << DescribeEmbedded(config) << "\n";
  if (!kept->empty()) std::cout << "kept the one that was there as " << *kept << "\n";
  return 0;
}

}  // namespace content
