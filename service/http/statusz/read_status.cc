#include "http/statusz/read_status.h"

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "http/statusz/failures.h"

namespace content::statusz {
namespace {

absl::Time FromSeconds(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

Method ReadMethod(const Numbers& numbers, const std::string& service, const std::string& name) {
  const std::pair<absl::string_view, absl::string_view> of_service = {"grpc_service", service};
  const std::pair<absl::string_view, absl::string_view> of_method = {"grpc_method", name};
  const Distribution latency =
      numbers.Histogram("grpc_server_handling_seconds", {of_service, of_method});
  return {.service = service,
          .name = name,
          .in_flight = numbers.Sum("contentd_calls_in_flight", {of_service, of_method}),
          .handled = numbers.Sum("grpc_server_handled_total", {of_service, of_method}),
          .failed = FailureCount(numbers, {of_service, of_method}),
          .median_latency = latency.Quantile(0.5),
          .slow_latency = latency.Quantile(0.99)};
}

std::vector<Method> ReadMethods(const Numbers& numbers) {
  std::vector<Method> methods;
  for (const auto& [service, calls] : numbers.SumBy("grpc_service", "grpc_server_started_total")) {
    if (calls == 0) continue;
    for (const auto& [name, started] :
         numbers.SumBy("grpc_method", "grpc_server_started_total", {{"grpc_service", service}})) {
      if (started > 0) methods.push_back(ReadMethod(numbers, service, name));
    }
  }
  return methods;
}

Pool ReadPool(const Numbers& numbers, const std::string& name) {
  const std::pair<absl::string_view, absl::string_view> of_pool = {"pool", name};
  return {.name = name,
          .busy = numbers.Sum("contentd_pool_connections_busy", {of_pool}),
          .open = numbers.Sum("contentd_pool_connections", {of_pool}),
          .limit = numbers.Sum("contentd_pool_connections_limit", {of_pool}),
          .prompt_jobs = numbers.Sum("contentd_queue_length", {of_pool, {"class", "prompt"}}),
          .other_jobs = numbers.Sum("contentd_queue_length", {of_pool, {"class", "other"}}),
          .calls = numbers.Sum("contentd_queue_calls", {of_pool}),
          .call_limit = numbers.Sum("contentd_queue_limit", {of_pool}),
          .refused = numbers.Sum("contentd_queue_refused_total", {of_pool}),
          .queue_wait = numbers.Histogram("contentd_queue_wait_seconds", {of_pool}).Quantile(0.99)};
}

std::vector<Pool> ReadPools(const Numbers& numbers) {
  std::vector<Pool> pools;
  for (const auto& [name, connections] : numbers.SumBy("pool", "contentd_pool_connections")) {
    pools.push_back(ReadPool(numbers, name));
  }
  return pools;
}

Cache ReadCache(const Numbers& numbers) {
  return {.bytes = numbers.Sum("contentd_cache_bytes"),
          .limit = numbers.Sum("contentd_cache_limit_bytes"),
          .entries = numbers.Sum("contentd_cache_entries"),
          .hits = numbers.Sum("contentd_cache_hits_total"),
          .misses = numbers.Sum("contentd_cache_misses_total"),
          .stale_answers = numbers.Sum("contentd_cache_stale_answers_total"),
          .evictions = numbers.Sum("contentd_cache_evictions_total"),
          .flights = numbers.Sum("contentd_cache_flights")};
}

Database ReadDatabase(const Numbers& numbers) {
  const Distribution time = numbers.Histogram("contentd_database_seconds");
  return {
      .is_up = numbers.Sum("contentd_database_up") > 0,
      .breaker_is_open = numbers.Sum("contentd_database_breaker_open") > 0,
      .version = numbers.Label("contentd_database_info", "version"),
      .timeline = numbers.Sum("contentd_database_timeline"),
      .clock_skew = numbers.Find("contentd_clock_skew_seconds"),
      .notification_lag = numbers.Histogram("contentd_notification_lag_seconds").Quantile(0.99),
      .median_time = time.Quantile(0.5),
      .slow_time = time.Quantile(0.99),
      .errors = numbers.SumBy("sqlstate_class", "contentd_database_errors_total"),
      .replication_lags = numbers.SumBy("application_name", "contentd_replication_lag_seconds")};
}

Process ReadProcess(const Numbers& numbers) {
  return {.resident_bytes = numbers.Sum("process_resident_memory_bytes"),
          .memory_is_short = numbers.Sum("contentd_memory_short") > 0,
          .memory_limit = numbers.Sum("contentd_memory_limit_bytes"),
          .open_files = numbers.Sum("process_open_fds"),
          .max_files = numbers.Sum("process_max_fds"),
          .cpu_seconds = numbers.Sum("process_cpu_seconds_total"),
          .connections = numbers.Sum("contentd_connections"),
          .refused_connections = numbers.Sum("contentd_connections_refused_total")};
}

std::map<std::string, absl::Time> ReadCertificates(const Numbers& numbers) {
  std::map<std::string, absl::Time> certificates;
  for (const auto& [file, not_after] :
       numbers.SumBy("file", "contentd_certificate_not_after_seconds")) {
    certificates.emplace(file, FromSeconds(not_after));
  }
  return certificates;
}

// Leaves out what has not happened.
std::map<std::string, double> WithoutZeros(std::map<std::string, double> counts) {
  std::erase_if(counts, [](const auto& count) { return count.second == 0; });
  return counts;
}

}  // namespace

Status ReadStatus(const Numbers& numbers, absl::Time now) {
  return {.now = now,
          .start = FromSeconds(numbers.Sum("process_start_time_seconds")),
          .has_server = numbers.Find("contentd_database_up").has_value(),
          .version = numbers.Label("contentd_build_info", "version"),
          .commit = numbers.Label("contentd_build_info", "commit"),
          .grpc = numbers.Label("contentd_build_info", "grpc"),
          .libpq = numbers.Label("contentd_build_info", "postgres"),
          .methods = ReadMethods(numbers),
          .codes = WithoutZeros(numbers.SumBy("grpc_code", "grpc_server_handled_total")),
          .pools = ReadPools(numbers),
          .cache = ReadCache(numbers),
          .database = ReadDatabase(numbers),
          .watchers = numbers.SumBy("feed", "contentd_watchers"),
          .rate_limited = WithoutZeros(numbers.SumBy("limit", "contentd_rate_limited_total")),
          .calls_refused = WithoutZeros(numbers.SumBy("reason", "contentd_calls_refused_total")),
          .certificates = ReadCertificates(numbers),
          .process = ReadProcess(numbers)};
}

}  // namespace content::statusz
