#include "postgres/known_database.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "postgres/connect_error.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

constexpr absl::Duration kLogInterval = absl::Seconds(10);

}  // namespace

std::string DatabaseId::ToString() const { return absl::StrCat(system, ".", timeline); }

DatabaseId ReadDatabaseId(absl::string_view system, absl::string_view timeline) {
  if (timeline.empty()) {
    throw ConnectError("the database is a standby", ConnectError::Kind::kWrongServer);
  }
  DatabaseId id;
  if (!absl::SimpleAtoi(system, &id.system) || !absl::SimpleHexAtoi(timeline, &id.timeline)) {
    throw ConnectError("the database does not say which one it is", ConnectError::Kind::kTemporary);
  }
  return id;
}

KnownDatabase::KnownDatabase(const std::string& dsn, std::function<void()> on_failover)
    : hosts_(DsnsByHost(dsn)), on_failover_(std::move(on_failover)) {}

std::vector<std::string> KnownDatabase::Dsns() const {
  std::vector<std::string> dsns;
  const size_t first = first_host_;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    dsns.push_back(hosts_[(first + i) % hosts_.size()].dsn);
  }
  return dsns;
}

void KnownDatabase::TryHosts(absl::FunctionRef<void(const std::string& dsn)> open) const {
  std::vector<std::string> dsns = Dsns();
  while (true) {
    try {
      return open(dsns.front());
    } catch (const ConnectError& error) {
      dsns.erase(dsns.begin());
      if (!error.is_wrong_server() || dsns.empty()) throw;
    }
  }
}

// Holds the mutex during on_failover_, so that no other session is admitted before that is done.
void KnownDatabase::Admit(const DatabaseId& id, absl::string_view host, absl::string_view port) {
  const std::lock_guard lock(mutex_);
  const bool is_first = system_ == 0;
  if (!is_first && (id.system != system_ || id.timeline < timeline_)) Refuse(id);
  system_ = id.system;
  const uint32_t before = timeline_.exchange(id.timeline);
  if (!is_first && before != id.timeline) {
    if (on_failover_) on_failover_();
    log::Warning("database failed over", {{"timeline", id.timeline}, {"before", before}});
  }
  Prefer(host, port);
}

void KnownDatabase::Refuse(const DatabaseId& id) {
  const char* const why =
      id.system == system_
          ? "the server is on an earlier timeline: it is an old primary"
          : "the server has another database cluster than the one that was used before";
  if (SteadyNow() >= next_log_) {
    next_log_ = SteadyNow() + kLogInterval;
    log::Error("database refused", {{"message", why},
                                    {"system", absl::StrCat(id.system)},
                                    {"timeline", id.timeline},
                                    {"wanted_system", absl::StrCat(system_.load())},
                                    {"wanted_timeline", timeline_.load()}});
  }
  throw ConnectError(why, ConnectError::Kind::kWrongServer);
}

void KnownDatabase::Prefer(absl::string_view host, absl::string_view port) {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].host == host && hosts_[i].port == port) first_host_ = i;
  }
}

}  // namespace content::postgres
