#include "http/metrics_page.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "access/methods.h"
#include "api/call_record.h"
#include "http/exposition.h"
#include "http/process.h"
#include "postgres/admission.h"
#include "postgres/connect.h"
#include "postgres/failure.h"
#include "postgres/pool.h"
#include "server/open_connections.h"
#include "telemetry/log.h"

namespace content::http {
namespace {

using api::MethodNumbers;
using postgres::Pool;
using postgres::Refusal;
using server::OpenFiles;

// By number. The names are those that other servers' dashboards know, which are Go's.
constexpr auto kCodeNames = std::to_array<const char*>(
    {"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound",
     "AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted",
     "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"});

struct Method {
  size_t place;  // in access::kMethods
  bool is_stream;
  Labels labels;
  Labels typed_labels;  // with the type of the method
};

// The methods of our own services, whose calls are recorded.
const std::vector<Method>& Methods() {
  static const auto& methods = *[] {
    auto* const ours = new std::vector<Method>;
    for (size_t place = 0; place < access::kMethods.size(); ++place) {
      if (!absl::StartsWith(access::kMethods[place], "content.v1.")) continue;
      const std::pair<std::string, std::string> name = absl::StrSplit(access::kMethods[place], '/');
      Method& method = ours->emplace_back();
      method.place = place;
      method.is_stream = api::IsStream(place);
      method.labels = {{"grpc_service", name.first}, {"grpc_method", name.second}};
      method.typed_labels = method.labels;
      method.typed_labels.emplace_back("grpc_type", method.is_stream ? "server_stream" : "unary");
    }
    return ours;
  }();
  return methods;
}

Labels With(Labels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

// Every method receives one message.
void AddCalls(const api::CallRecorder& calls, Exposition& page) {
  using Count = MethodNumbers::Count;
  Family& started = page.Counter("grpc_server_started_total", "Calls that arrived.");
  Family& handled = page.Counter("grpc_server_handled_total", "Calls that ended, by their status.");
  Family& received = page.Counter("grpc_server_msg_received_total", "Messages received.");
  Family& sent = page.Counter("grpc_server_msg_sent_total", "Messages sent.");
  Family& seconds = page.Histogram("grpc_server_handling_seconds",
                                   "Time from a call's arrival until its answer was given to gRPC, "
                                   "or the end of its stream.");
  Family& in_flight = page.Gauge("contentd_calls_in_flight", "Calls that have not ended.");
  Family& request_bytes = page.Counter("contentd_request_bytes_total", "Size of all requests.");
  Family& response_bytes = page.Counter("contentd_response_bytes_total", "Size of all answers.");
  for (const Method& method : Methods()) {
    const MethodNumbers& numbers = calls.numbers(method.place);
    for (size_t code = 0; code < kCodeNames.size(); ++code) {
      handled.Add(numbers.ended.Read(static_cast<absl::StatusCode>(code)),
                  With(method.typed_labels, "grpc_code", kCodeNames[code]));
    }
    started.Add(numbers.counts.Read(Count::kStarted), method.typed_labels);
    received.Add(numbers.counts.Read(Count::kStarted), method.typed_labels);
    sent.Add(numbers.counts.Read(Count::kSent), method.typed_labels);
    seconds.Add(numbers.seconds, method.typed_labels);
    in_flight.Add(calls.InFlight(method.place), method.labels);
    request_bytes.Add(numbers.counts.Read(Count::kRequestBytes), method.labels);
    response_bytes.Add(numbers.counts.Read(Count::kResponseBytes), method.labels);
  }
}

// Calls beyond a rate have a family of their own, whose label is the limit in the policy.
void AddRefusals(const api::CallRecorder& calls, Exposition& page) {
  Family& refused = page.Counter("contentd_calls_refused_total",
                                 "Calls that were refused because of who called, or for lack of a "
                                 "place or of memory, by the reason of their errors.");
  Family& limited = page.Counter("contentd_rate_limited_total",
                                 "Calls that were refused because the policy limits their rate.");
  for (size_t refusal = 0; refusal < api::kRefusals.size(); ++refusal) {
    const absl::string_view reason = api::kRefusals[refusal];
    const uint64_t count = calls.Refused(refusal);
    if (reason == "CALL_RATE_EXCEEDED") {
      limited.Add(count, {{"limit", "calls_per_second"}});
    } else if (reason == "AUTHOR_RATE_EXCEEDED") {
      limited.Add(count, {{"limit", "comments_per_minute"}});
    } else {
      refused.Add(count, {{"reason", std::string(reason)}});
    }
  }
}

void AddCache(cache::ArticleCache& cache, Exposition& page) {
  const cache::ArticleCache::Numbers numbers = cache.GetNumbers();
  const Labels article = {{"kind", "article"}};
  const Labels page_of_comments = {{"kind", "page"}};
  page.Counter("contentd_cache_hits_total", "Reads that were answered from memory.")
      .Add(numbers.counters.hits.articles, article)
      .Add(numbers.counters.hits.pages, page_of_comments);
  page.Counter("contentd_cache_misses_total",
               "Reads that had to wait for the database, if only to confirm what is in memory.")
      .Add(numbers.counters.misses.articles, article)
      .Add(numbers.counters.misses.pages, page_of_comments);
  page.Counter("contentd_cache_stale_answers_total",
               "Reads whose answers may be older than promised, because the database could not be "
               "asked.")
      .Add(numbers.counters.stale_answers);
  page.Gauge("contentd_cache_bytes", "Memory of the cache.").Add(numbers.bytes);
  page.Gauge("contentd_cache_limit_bytes", "Maximum memory of the cache.").Add(cache.max_bytes());
  page.Gauge("contentd_cache_entries", "Names that the cache knows something about.")
      .Add(numbers.entries);
  page.Counter("contentd_cache_evictions_total", "Entries that had to make room for others.")
      .Add(numbers.counters.evictions);
  page.Gauge("contentd_cache_flights", "Questions of the cache to the database under way.")
      .Add(numbers.flights);
  page.Histogram("contentd_cache_age_seconds",
                 "How long ago the database had confirmed what was answered from memory.")
      .Add(cache.ages());
}

void AddPools(const std::vector<Pool*>& pools, Exposition& page) {
  static constexpr std::array<std::pair<Refusal, const char*>, 5> kRefusals = {
      {{Refusal::kFull, "full"},
       {Refusal::kAccount, "account"},
       {Refusal::kKey, "key"},
       {Refusal::kMemory, "memory"},
       {Refusal::kBreaker, "breaker"}}};
  Family& open = page.Gauge("contentd_pool_connections", "Open connections to the database.");
  Family& limit = page.Gauge("contentd_pool_connections_limit", "Maximum number of these.");
  Family& busy = page.Gauge("contentd_pool_connections_busy", "Those that are working.");
  Family& jobs = page.Gauge("contentd_queue_length",
                            "Jobs that wait for a connection; calls that share a statement or a "
                            "transaction are one.");
  Family& calls = page.Gauge("contentd_queue_calls", "Calls that wait for a connection.");
  Family& call_limit = page.Gauge("contentd_queue_limit", "Maximum number of calls that may wait.");
  Family& waits =
      page.Histogram("contentd_queue_wait_seconds", "How long calls waited for a connection.");
  Family& refused = page.Counter("contentd_queue_refused_total", "Calls that found no place.");
  Family& attempts =
      page.Histogram("contentd_database_seconds", "How long jobs took, each attempt by itself.");
  for (Pool* const pool : pools) {
    const Labels labels = {{"pool", pool->options().name}};
    const Pool::Stats stats = pool->GetStats();
    open.Add(stats.open_connections, labels);
    limit.Add(pool->options().connections, labels);
    busy.Add(stats.busy_connections, labels);
    jobs.Add(stats.prompt_jobs, With(labels, "class", "prompt"))
        .Add(stats.other_jobs, With(labels, "class", "other"));
    calls.Add(stats.waiting_calls, labels);
    call_limit.Add(pool->options().queue_limit, labels);
    const postgres::AdmissionNumbers& numbers = pool->admission().numbers();
    waits.Add(numbers.waits, labels);
    for (const auto& [refusal, reason] : kRefusals) {
      refused.Add(numbers.refused.Read(refusal), With(labels, "reason", reason));
    }
    attempts.Add(pool->numbers().attempts, labels);
  }
}

void AddErrors(const std::vector<Pool*>& pools, Exposition& page) {
  Family& errors = page.Counter("contentd_database_errors_total",
                                "Errors of the database and its connections, by the class of their "
                                "SQLSTATE.");
  for (size_t place = 0; place < postgres::kErrorClasses.size(); ++place) {
    uint64_t count = 0;
    for (const Pool* const pool : pools) count += pool->numbers().errors.Read(place);
    errors.Add(count, {{"sqlstate_class", std::string(postgres::kErrorClasses[place].name)}});
  }
}

void AddStore(store::ObservedStore& store, Exposition& page) {
  AddPools(store.pools(), page);
  AddErrors(store.pools(), page);
  const store::StoreNumbers& numbers = store.numbers();
  page.Histogram("contentd_batch_size", "Calls that shared a statement or a transaction.")
      .Add(numbers.read_batches, {{"kind", "reads"}})
      .Add(numbers.comment_batches, {{"kind", "comments"}})
      .Add(numbers.article_batches, {{"kind", "articles"}})
      .Add(numbers.import_batches, {{"kind", "imports"}});
  page.Histogram("contentd_notification_lag_seconds",
                 "Time from a commit of this server until its notification came back from the "
                 "database.")
      .Add(numbers.notification_lags);
  const store::DatabaseState database = store.GetDatabaseState();
  page.Gauge("contentd_database_up", "Whether the database answers and takes writes.")
      .Add(database.is_up);
  page.Gauge("contentd_database_breaker_open",
             "Whether the database answers nobody, so that calls are refused at once.")
      .Add(database.hangs);
  page.Gauge("contentd_database_timeline",
             "PostgreSQL's timeline, which rises with each failover. 0: not known yet.")
      .Add(database.timeline);
  Family& version = page.Gauge("contentd_database_info",
                               "1, with the version of the database, while that is connected.");
  if (!database.version.empty()) version.Add(1, {{"version", database.version}});
  Family& skew = page.Gauge("contentd_clock_skew_seconds",
                            "How far the database's clock is ahead of this machine's.");
  if (database.clock_skew) skew.Add(absl::ToDoubleSeconds(*database.clock_skew));
  Family& lags = page.Gauge("contentd_replication_lag_seconds",
                            "How long after the primary a standby applies its commits, if this "
                            "server may see that.");
  for (const auto& [name, lag] : database.replication_lags) {
    lags.Add(absl::ToDoubleSeconds(lag), {{"application_name", name}});
  }
}

void AddServer(const server::Server& server, const std::optional<OpenFiles>& files,
               Exposition& page) {
  const server::ServerState state = server.GetState(files.value_or(OpenFiles()));
  Family& connections = page.Gauge("contentd_connections", "Connections of clients.");
  if (files) connections.Add(state.connections);
  page.Counter("contentd_connections_refused_total",
               "Connections that were closed at once for lack of a file descriptor.")
      .Add(state.connections_refused);
  page.Gauge("contentd_watchers", "Watchers of comments and of articles.")
      .Add(state.comment_watchers, {{"feed", "comments"}})
      .Add(state.article_watchers, {{"feed", "articles"}});
}

void AddAccess(const access::Gate& gate, const tls::Reloader* certificates, Exposition& page) {
  page.Counter("contentd_policy_reload_failures_total",
               "How often the file of the policy or of the keys was found to be invalid: once a "
               "second while it is.")
      .Add(gate.refused_files());
  page.Counter("contentd_certificate_reload_failures_total",
               "How often the files of the certificates were found to be invalid: once a second "
               "while they are.")
      .Add(certificates == nullptr ? 0 : certificates->refused_count());
  Family& expiry = page.Gauge("contentd_certificate_not_after_seconds",
                              "When the certificate in use expires, in Unix time.");
  if (certificates == nullptr) return;
  expiry.Add(absl::ToUnixSeconds(certificates->not_after()),
             {{"file", certificates->operators().cert_file}});
}

void AddMemory(const MemoryGuard& memory, Exposition& page) {
  page.Gauge("contentd_memory_short", "Whether only what is cached is served, to save memory.")
      .Add(memory.is_short());
  page.Gauge("contentd_memory_limit_bytes", "Where memory becomes short. 0: nowhere.")
      .Add(memory.limit());
}

void AddLog(Exposition& page) {
  page.Counter("contentd_log_events_total", "Events of the log, written or not.")
      .Add(log::EventCount(log::Level::kDebug), {{"level", "debug"}})
      .Add(log::EventCount(log::Level::kInfo), {{"level", "info"}})
      .Add(log::EventCount(log::Level::kWarning), {{"level", "warning"}})
      .Add(log::EventCount(log::Level::kError), {{"level", "error"}});
  page.Counter("contentd_log_events_dropped_total",
               "Lines of the log that could not be written, or found no place to wait.")
      .Add(log::DroppedCount());
}

void AddProcess(const Program& program, const std::optional<OpenFiles>& files, Exposition& page) {
  page.Gauge("contentd_build_info", "1, with the versions of the program and its libraries.")
      .Add(1, {{"version", program.version},
               {"commit", program.commit},
               {"grpc", server::GrpcVersion()},
               {"postgres", postgres::LibpqVersion()}});
  const ProcessState process = ReadProcessState();
  page.Gauge("process_resident_memory_bytes", "Memory of the process, files included.")
      .Add(process.resident_bytes);
  Family& open = page.Gauge("process_open_fds", "Open file descriptors.");
  if (files) open.Add(files->size());
  page.Gauge("process_max_fds", "Maximum number of file descriptors.").Add(process.max_open_files);
  page.Counter("process_cpu_seconds_total", "CPU time of the process.").Add(process.cpu_seconds);
  page.Gauge("process_start_time_seconds", "When the process began, in Unix time.")
      .Add(absl::ToDoubleSeconds(program.start - absl::UnixEpoch()));
}

void AddReady(bool is_ready, Exposition& page) {
  page.Gauge("contentd_ready", "Whether clients should be sent to this server, as /readyz tells.")
      .Add(is_ready);
}

}  // namespace

Exposition AllNumbers(const Program& program, const Rooms& rooms) {
  const std::optional<OpenFiles> files = server::ListOpenFiles();
  Exposition page;
  AddReady(WhyNotReady(rooms).empty(), page);
  AddCalls(rooms.server.calls(), page);
  AddRefusals(rooms.server.calls(), page);
  AddCache(rooms.cache, page);
  AddStore(rooms.store, page);
  AddServer(rooms.server, files, page);
  AddAccess(rooms.gate, rooms.certificates, page);
  AddMemory(rooms.memory, page);
  AddLog(page);
  AddProcess(program, files, page);
  return page;
}

Exposition AllNumbers(const Program& program) {
  Exposition page;
  AddReady(false, page);
  AddLog(page);
  AddProcess(program, server::ListOpenFiles(), page);
  return page;
}

Answer Metrics(Exposition numbers) {
  return {.content_type = Exposition::kContentType, .body = std::move(numbers).Text()};
}

}  // namespace content::http
