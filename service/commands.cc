#include "commands.h"

#include <csignal>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "cache/article_cache.h"
#include "content/v1/admin_service.pb.h"
#include "embedded/postgres.h"
#include "google/protobuf/util/time_util.h"
#include "import_files.h"
#include "postgres/dsn.h"
#include "server/janitor.h"
#include "server/releaser.h"
#include "server/server.h"
#include "store/postgres_store.h"
#include "store/schema.h"

namespace content {
namespace {

using google::protobuf::util::TimeUtil;

int Fail(const absl::Status& status) {
  std::cerr << "contentd: " << status.message() << "\n";
  return 1;
}

// The configured database, or an embedded one that runs until this object is destroyed.
struct Database {
  std::string url;
  std::unique_ptr<embedded::Postgres> postgres;  // nullptr unless it is embedded and ours
};

absl::StatusOr<Database> StartEmbedded(const Config& config) {
  auto postgres = embedded::Postgres::Start({.data_dir = config.data_dir});
  if (!postgres.ok()) return postgres.status();
  return Database{(*postgres)->url(), *std::move(postgres)};
}

absl::StatusOr<Database> OpenDatabase(const Config& config) {
  if (!config.database_url.empty()) return Database{config.database_url, nullptr};
  return StartEmbedded(config);
}

// Like OpenDatabase, but uses the embedded database of a running server if there is one.
absl::StatusOr<Database> JoinDatabase(const Config& config) {
  if (config.database_url.empty()) {
    if (auto url = embedded::RunningUrl(config.data_dir); url.ok()) return Database{*url, nullptr};
  }
  return OpenDatabase(config);
}

// Migrates an embedded database, because a server that is just starting may not have done so yet.
// Any other database is only checked: its operator decides when to migrate it.
absl::Status PrepareSchema(const Config& config, const Database& database) {
  if (config.database_url.empty()) return store::Migrate(database.url).status();
  return store::CheckSchema(database.url);
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Config& config, const Database& database) {
  return store::NewPostgresStore({.url = database.url,
                                  .read_connections = config.read_connections,
                                  .write_connections = config.write_connections,
                                  .queue_limit = config.queue_limit,
                                  .statement_timeout = config.statement_timeout,
                                  .notifications = config.notifications});
}

// The part of GetServerInfo's answer that does not change.
v1::GetServerInfoResponse MakeServerInfo(const Config& config) {
  v1::GetServerInfoResponse info;
  info.set_version(CONTENT_VERSION);
  *info.mutable_start_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now()));
  *info.mutable_request_retention() =
      TimeUtil::MillisecondsToDuration(absl::ToInt64Milliseconds(config.request_retention));
  info.mutable_settings()->insert(config.settings.begin(), config.settings.end());
  (*info.mutable_settings())["database-url"] = postgres::RedactedDsn(config.database_url);
  return info;
}

int WaitForStopSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  int signal = 0;
  sigwait(&signals, &signal);
  // A second signal ends the process at once, for operators who do not want to wait for calls in
  // flight.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return signal;
}

}  // namespace

int Serve(const Config& config) {
  absl::StatusOr<Database> database = OpenDatabase(config);
  if (!database.ok()) return Fail(database.status());
  if (absl::Status status = PrepareSchema(config, *database); !status.ok()) return Fail(status);
  absl::StatusOr<std::unique_ptr<Store>> store = OpenStore(config, *database);
  if (!store.ok()) return Fail(store.status());

  cache::ArticleCache reads(**store, {.max_bytes = config.cache_bytes,
                                      .max_staleness = config.max_staleness,
                                      .stale_if_error = config.stale_if_error});
  const server::Janitor janitor(**store, config.request_retention);
  const server::Releaser releaser(**store);
  auto server = server::Server::Start({.listen = config.listen,
                                       .drain_timeout = config.drain_timeout,
                                       .watch_write_timeout = config.watch_write_timeout,
                                       .info = MakeServerInfo(config)},
                                      **store, reads);
  if (!server.ok()) return Fail(server.status());

  log::Info("serving", {{"address", (*server)->address()}, {"version", CONTENT_VERSION}});
  const int signal = WaitForStopSignal();
  log::Info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  (*server)->Stop();
  log::Info("stopped");
  return 0;
}

int Migrate(const Config& config) {
  const absl::StatusOr<Database> database = JoinDatabase(config);
  if (!database.ok()) return Fail(database.status());
  const absl::StatusOr<std::vector<std::string>> applied = store::Migrate(database->url);
  if (!applied.ok()) return Fail(applied.status());
  for (const std::string& name : *applied) std::cout << "applied " << name << "\n";
  std::cout << "the schema is at version " << store::NeededSchemaVersion() << "\n";
  return 0;
}

int Import(const Config& config) {
  if (config.dry_run) return ImportFiles(config, nullptr);
  const absl::StatusOr<Database> database = JoinDatabase(config);
  if (!database.ok()) return Fail(database.status());
  if (absl::Status status = PrepareSchema(config, *database); !status.ok()) return Fail(status);
  const absl::StatusOr<std::unique_ptr<Store>> store = OpenStore(config, *database);
  if (!store.ok()) return Fail(store.status());
  return ImportFiles(config, store->get());
}

}  // namespace content
