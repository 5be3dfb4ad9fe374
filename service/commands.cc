#include "commands.h"

#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/await.h"
#include "cache/article_cache.h"
#include "content/body.h"
#include "content/v1/admin_service.pb.h"
#include "embedded/postgres.h"
#include "google/protobuf/util/time_util.h"
#include "postgres/dsn.h"
#include "server/janitor.h"
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

// A database to work with: the configured one, or an embedded one that runs as long as this does.
struct Database {
  std::string url;
  std::unique_ptr<embedded::Postgres> postgres;
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

// Beside a server the embedded database runs already.
absl::StatusOr<Database> JoinDatabase(const Config& config) {
  if (config.database_url.empty()) {
    if (auto url = embedded::RunningUrl(config.data_dir); url.ok()) return Database{*url, nullptr};
  }
  return OpenDatabase(config);
}

// An embedded database is ours to migrate, and a server beside which this runs may not have come to
// it yet; any other is migrated when its operator says so.
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

// What GetServerInfo answers for as long as the server runs.
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
  // Another one ends the process at once: somebody does not want to wait for calls in flight.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return signal;
}

constexpr std::streamsize kMaxFileBytes = 4 << 20;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(kMaxFileBytes + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.is_open() || file.bad()) return absl::NotFoundError("cannot be read");
  if (file.gcount() > kMaxFileBytes) return absl::InvalidArgumentError("is over 4 MiB");
  content.resize(static_cast<size_t>(file.gcount()));
  return content;
}

absl::StatusOr<importer::ParsedArticle> ReadArticleFile(const Config& config,
                                                        const std::string& path) {
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return content.status();
  return importer::Parse(*content, config.format.value_or(importer::FormatOf(path)),
                         config.overrides);
}

// Publishes and waits for the answer. Like PublishArticle, it replaces only what was asked for by
// id.
absl::StatusOr<PublishedArticle> Publish(Store& store, importer::ParsedArticle parsed) {
  return Await<PublishedArticle>([&](auto done) {
    store.PublishArticle({}, std::move(parsed.article), {.may_replace = parsed.id_given},
                         std::move(done));
  });
}

const char* Word(v1::PublishOutcome outcome) {
  switch (outcome) {
    case v1::PUBLISH_OUTCOME_CREATED:
      return "created";
    case v1::PUBLISH_OUTCOME_REPLACED:
      return "replaced";
    case v1::PUBLISH_OUTCOME_UNCHANGED:
      return "unchanged";
    default:
      return "valid";
  }
}

void PrintImported(const std::string& file, const PublishedArticle& published) {
  const v1::Article& article = published.article;
  std::cout << absl::StrFormat("%-9s %s  %d sections, %d paragraphs, %d words  from %s\n",
                               Word(published.outcome), article.name(), article.sections_size(),
                               CountParagraphs(article.body()), article.word_count(), file);
}

// `store` is nullptr for a dry run.
absl::Status ImportFile(const Config& config, const std::string& file, Store* store) {
  absl::StatusOr<importer::ParsedArticle> parsed = ReadArticleFile(config, file);
  if (!parsed.ok()) return parsed.status();
  if (store == nullptr) {
    PrintImported(file, {.article = std::move(parsed->article)});
    return absl::OkStatus();
  }
  absl::StatusOr<PublishedArticle> published = Publish(*store, *std::move(parsed));
  if (!published.ok()) {
    if (published.status().code() != absl::StatusCode::kAlreadyExists) return published.status();
    return absl::AlreadyExistsError(
        absl::StrCat("an article with this title and other content is there already: give --id to ",
                     "replace it, or another id"));
  }
  PrintImported(file, *published);
  return absl::OkStatus();
}

int ImportFiles(const Config& config, Store* store) {
  int status = 0;
  for (const std::string& file : config.files) {
    if (absl::Status imported = ImportFile(config, file, store); !imported.ok()) {
      std::cerr << "contentd: " << file << ": " << imported.message() << "\n";
      status = 1;
    }
  }
  return status;
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
