#include "postgres/known_database.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "postgres/connect_error.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

constexpr absl::Duration kRefusalLogInterval = absl::Seconds(10);

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
    : hosts_(DsnsByHost(dsn)), history_(std::make_shared<History>(std::move(on_failover))) {}

KnownDatabase::KnownDatabase(const std::string& dsn, const KnownDatabase& same)
    : hosts_(DsnsByHost(dsn)), history_(same.history_) {}

std::vector<std::string> KnownDatabase::Dsns() const {
  std::vector<std::string> dsns;
  const size_t first = first_host_;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    dsns.push_back(hosts_[(first + i) % hosts_.size()].dsn);
  }
  return dsns;
}

void KnownDatabase::TryHosts(absl::FunctionRef<void(const std::string& dsn)> open) const {
  std::optional<ConnectError> turned_away;
  std::vector<std::string> dsns = Dsns();
  while (true) {
    try {
      return open(dsns.front());
    } catch (const ConnectError& error) {
      dsns.erase(dsns.begin());
      if (error.is_turned_away() && !turned_away) turned_away = error;
      if (!error.is_turned_away() && !error.is_wrong_server()) throw;
      if (!dsns.empty()) continue;
      // The host that has no connection left may be the right one.
      if (turned_away) throw ConnectError(*turned_away);
      throw;
    }
  }
}

// Holds the mutex during on_failover, so that no other session is admitted before that is done.
void KnownDatabase::Admit(const DatabaseId& id, absl::string_view host, absl::string_view port) {
  const std::lock_guard lock(history_->mutex);
  const DatabaseId before = this->id();
  const bool is_first = before.system == 0;
  if (!is_first && (id.system != before.system || id.timeline < before.timeline)) Refuse(id);
  history_->system = id.system;
  history_->timeline = id.timeline;
  if (!is_first && before.timeline != id.timeline) {
    if (history_->on_failover) history_->on_failover();
    log::Warning("database failed over", {{"timeline", id.timeline}, {"before", before.timeline}});
  }
  Prefer(host, port);
}

void KnownDatabase::Refuse(const DatabaseId& id) const {
  const DatabaseId wanted = this->id();
  const char* const why =
      id.system == wanted.system
          ? "the server is on an earlier timeline: it is an old primary"
          : "the server has another database cluster than the one that was used before";
  if (SteadyNow() >= history_->next_log) {
    history_->next_log = SteadyNow() + kRefusalLogInterval;
    log::Error("database refused", {{"message", why},
                                    {"system", absl::StrCat(id.system)},
                                    {"timeline", id.timeline},
                                    {"wanted_system", absl::StrCat(wanted.system)},
                                    {"wanted_timeline", wanted.timeline}});
  }
  throw ConnectError(why, ConnectError::Kind::kWrongServer);
}

void KnownDatabase::Prefer(absl::string_view host, absl::string_view port) {
  const absl::string_view used_port = port.empty() ? kDefaultPort : port;  // as libpq tells it
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].host == host && hosts_[i].port == used_port) first_host_ = i;
  }
}

}  // namespace content::postgres
